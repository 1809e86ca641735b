"""One method for each process that goes over the interface.

Written by ``python -m torwart.config.sdk`` from the definitions of the processes; change those, not this file.
"""
# ruff: noqa: A002  fields are named as the interface names them

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from torwart_client.model import Operation


class Processes(ABC):
    """Order the processes; every method answers with the order as placed, the same one for the same ``key``."""

    @abstractmethod
    def _order(self, process: str, body: Mapping[str, Any], key: str | None) -> Operation:
        """Place an order."""

    def commissioning(
        self,
        *,
        melo: str,
        malos: Sequence[str],
        address: str,
        gateway: str,
        meters: Sequence[str],
        wan_type: Literal["LTE", "450MHz", "Ethernet", "PLC", "DSL"],
        tafs: Sequence[Literal["1", "2", "6", "7"]],
        emts: Sequence[str],
        han: Literal["yes", "no"],
        install_at: datetime,
        technician: str,
        technician_phone: str,
        wan_address: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P03 Commissioning of a metering point.

        Puts an installed gateway with its meters into operation: first contact, operational certificates, profiles,
        pairing of the meters, first reading at the recipient.
        ``melo``: Metering location (MeLo). 33 characters, begins with DE. E.g. DE0003604780400000000000010000176
        ``malos``: Market locations (MaLo). Eleven digits with check digit, one per meter. E.g. 51238696781
        ``address``: Place of installation. Enter street, number, postal code and town. E.g. Musterweg 1, 56068
        Koblenz
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``meters``: Meters. Device ids of the meters on this gateway. E.g. 1EMH0012345678
        ``wan_type``: WAN connection. How the gateway reaches the network. E.g. LTE
        ``wan_address``: Address for wake-ups. IP address and port of the gateway in the WAN. E.g. 10.20.30.40:7711
        ``tafs``: Tariff use cases (TAF). Which evaluations the gateway makes; several are possible. E.g. 7
        ``emts``: Recipients (EMT). Who receives the readings. The EMT must have been set up and have valid
        certificates. E.g. Stadtwerk Musterstadt
        ``han``: HAN access for the consumer. Whether the consumer can read their own values on site from the gateway.
        E.g. no
        ``install_at``: Time of installation. When the device is installed and switched on on site. Until then we
        wait; if it calls earlier, we begin earlier. E.g. 2026-11-24T09:30+01:00
        ``technician``: Technician. Who installs the device and is on site. E.g. Erika Muster
        ``technician_phone``: Technician's phone. For questions during the installation. E.g. +49 261 123456
        """
        body: dict[str, Any] = {
            "melo": melo,
            "malos": malos,
            "address": address,
            "gateway": gateway,
            "meters": meters,
            "wan_type": wan_type,
            "wan_address": wan_address,
            "tafs": tafs,
            "emts": emts,
            "han": han,
            "install_at": install_at,
            "technician": technician,
            "technician_phone": technician_phone,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("commissioning", body, key)

    def removal(
        self,
        *,
        gateway: str,
        whereabouts: Literal["return", "stock", "scrap", "lost", "stolen"],
        removed_at: datetime,
        final_readings: Sequence[str] | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P10 Removal.

        Takes a gateway out of operation: profiles and consumer data are deleted, the operational certificates
        revoked. This cannot be undone.
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``whereabouts``: Whereabouts. What becomes of the device. E.g. return
        ``removed_at``: Time of removal. When the device was or will be removed. E.g. 2026-11-24T09:30+01:00
        ``final_readings``: Final readings. Number and reading of each meter. E.g. 1EMH0012345678=1234.5
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "whereabouts": whereabouts,
            "removed_at": removed_at,
            "final_readings": final_readings,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("removal", body, key)

    def profile_change(
        self,
        *,
        tafs: Sequence[Literal["1", "2", "6", "7"]],
        emts: Sequence[str],
        valid_from: datetime,
        permission_ground: Literal["consent", "contract", "before_contract", "duty", "grid"],
        permission_by: str,
        gateway: str | None = None,
        metering_point: str | None = None,
        switch_times: Sequence[str] | None = None,
        default_stage: int | None = None,
        registration_minutes: Literal["5", "15", "30", "60"] | None = None,
        send_hours: Literal["1", "6", "24"] | None = None,
        billing_period: Literal["P1M", "P3M", "P1Y"] | None = None,
        permission_reference: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P11 Tariff/profile change (TAF).

        Changes what a gateway in operation evaluates and to whom it sends readings. The new profiles stand beside the
        old ones in time; the gateway changes by itself at the requested instant, then the old ones are removed.
        ``gateway``: SMGW id. Device id of the gateway in operation. It may be left out if you name a metering point.
        E.g. EPPC0211358875
        ``metering_point``: Metering point (MeLo or MaLo). This metering point only; without it the order is for all
        meters of the gateway. E.g. 51238696781
        ``tafs``: Tariff use cases (TAF). Which evaluations the gateway makes; several are possible. E.g. 7
        ``switch_times``: Switching times (TAF 2 only). Needed with TAF 2: tariff stage, days, from–to in local time.
        A single day is a date: 2 2026-12-24 00:00-24:00. E.g. 1 Mo-Fr 06:00-22:00
        ``default_stage``: Tariff stage at all other times (TAF 2 only). Needed with TAF 2: stage 1 to 62. E.g. 2
        ``registration_minutes``: Registration period. How often a reading is taken; each quarter of an hour unless
        you say so. E.g. 15
        ``send_hours``: Sending cycle. How often the gateway sends; daily unless you say so. TAF 6 sends on demand
        only. E.g. 24
        ``billing_period``: Billing period. For TAF 1: for what one reading each is made; monthly unless you say so.
        E.g. P1M
        ``emts``: Recipients (EMT). Who receives the readings. The EMT must have been set up and have valid
        certificates. E.g. Stadtwerk Musterstadt
        ``valid_from``: Valid from. When the new profiles begin; until then the old ones hold. Until six hours before
        you can cancel the order without a trace. E.g. 2027-01-01T00:00+01:00
        ``permission_ground``: Ground. What the processing is based on by § 50(1) MsbG. E.g. contract
        ``permission_by``: Who gave the permission. Connection user or market partner, as named in the contract. E.g.
        Stadtwerk Musterstadt, Stromlieferung
        ``permission_reference``: Contract or date. By what the permission can be looked up. E.g. Rahmenvertrag
        2026-117 vom 01.10.2026
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "metering_point": metering_point,
            "tafs": tafs,
            "switch_times": switch_times,
            "default_stage": default_stage,
            "registration_minutes": registration_minutes,
            "send_hours": send_hours,
            "billing_period": billing_period,
            "emts": emts,
            "valid_from": valid_from,
            "permission_ground": permission_ground,
            "permission_by": permission_by,
            "permission_reference": permission_reference,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("profile-change", body, key)

    def wake_up(
        self,
        *,
        gateway: str,
        reason: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P20 Wake-up.

        Wakes a gateway with a signed packet and waits up to two minutes whether it connects. How often a gateway can
        be woken is limited.
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``reason``: Reason. Why this is ordered. E.g. Austausch nach Defekt
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "reason": reason,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("wake-up", body, key)

    def connectivity_test(
        self,
        *,
        gateway: str,
        reason: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P22 Connectivity test.

        Tests whether a gateway can be reached, its clock is right, its meters are seen and how good its signal is.
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``reason``: Reason. Why this is ordered. E.g. Austausch nach Defekt
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "reason": reason,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("connectivity-test", body, key)

    def contact_change(
        self,
        *,
        action: Literal["add", "change", "deactivate", "certificate"],
        contact: str | None = None,
        first_name: str | None = None,
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        certificate: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P39 Change a contact, store an S/MIME certificate.

        Names, changes or removes a contact, or stores a certificate for secure mail. At least two contacts must stay.
        ``action``: Change. What is to be done about the contact. E.g. add
        ``contact``: Contact. Mail address of the person. E.g. erika.muster@stadtwerk.example
        ``first_name``: First name. The new first name. E.g. Erika
        ``name``: Name. The new last name. E.g. Muster
        ``phone``: Phone. We reach the person under this number. E.g. +49 261 123456
        ``email``: E-mail. A new one needs a certificate that names it. E.g. erika.muster@stadtwerk.example
        ``certificate``: Certificate (PEM). The text from “-----BEGIN CERTIFICATE-----” to “-----END
        CERTIFICATE-----”. E.g. -----BEGIN CERTIFICATE-----
        """
        body: dict[str, Any] = {
            "action": action,
            "contact": contact,
            "first_name": first_name,
            "name": name,
            "phone": phone,
            "email": email,
            "certificate": certificate,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("contact-change", body, key)

    def incident(
        self,
        *,
        object: Literal["gateway", "meter", "melo", "other"],
        symptom: Literal["no_values", "wrong_values", "unreachable", "lights", "han", "control", "portal", "other"],
        description: str,
        since: datetime,
        name: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P41 Incident.

        Reports an incident. An operator looks for the cause, agrees with you in the ticket how to go on and tells you
        what was done. Please report urgent cases by phone as well.
        ``object``: Kind of object. What is affected. E.g. gateway
        ``name``: Number of the object. Gateway id, meter number or MeLo; free text for something else. E.g.
        EPPC0211358875
        ``symptom``: Symptom. What fits best. E.g. no_values
        ``description``: Description. What happens, what you expected and what you have tried already. E.g. Seit
        gestern Abend kommen keine Werte, die TLS-Leuchte ist aus.
        ``since``: Since. When you first noticed it. E.g. 2026-11-24T09:30+01:00
        """
        body: dict[str, Any] = {
            "object": object,
            "name": name,
            "symptom": symptom,
            "description": description,
            "since": since,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return self._order("incident", body, key)


class AsyncProcesses(ABC):
    """Order the processes; every method answers with the order as placed, the same one for the same ``key``."""

    @abstractmethod
    async def _order(self, process: str, body: Mapping[str, Any], key: str | None) -> Operation:
        """Place an order."""

    async def commissioning(
        self,
        *,
        melo: str,
        malos: Sequence[str],
        address: str,
        gateway: str,
        meters: Sequence[str],
        wan_type: Literal["LTE", "450MHz", "Ethernet", "PLC", "DSL"],
        tafs: Sequence[Literal["1", "2", "6", "7"]],
        emts: Sequence[str],
        han: Literal["yes", "no"],
        install_at: datetime,
        technician: str,
        technician_phone: str,
        wan_address: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P03 Commissioning of a metering point.

        Puts an installed gateway with its meters into operation: first contact, operational certificates, profiles,
        pairing of the meters, first reading at the recipient.
        ``melo``: Metering location (MeLo). 33 characters, begins with DE. E.g. DE0003604780400000000000010000176
        ``malos``: Market locations (MaLo). Eleven digits with check digit, one per meter. E.g. 51238696781
        ``address``: Place of installation. Enter street, number, postal code and town. E.g. Musterweg 1, 56068
        Koblenz
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``meters``: Meters. Device ids of the meters on this gateway. E.g. 1EMH0012345678
        ``wan_type``: WAN connection. How the gateway reaches the network. E.g. LTE
        ``wan_address``: Address for wake-ups. IP address and port of the gateway in the WAN. E.g. 10.20.30.40:7711
        ``tafs``: Tariff use cases (TAF). Which evaluations the gateway makes; several are possible. E.g. 7
        ``emts``: Recipients (EMT). Who receives the readings. The EMT must have been set up and have valid
        certificates. E.g. Stadtwerk Musterstadt
        ``han``: HAN access for the consumer. Whether the consumer can read their own values on site from the gateway.
        E.g. no
        ``install_at``: Time of installation. When the device is installed and switched on on site. Until then we
        wait; if it calls earlier, we begin earlier. E.g. 2026-11-24T09:30+01:00
        ``technician``: Technician. Who installs the device and is on site. E.g. Erika Muster
        ``technician_phone``: Technician's phone. For questions during the installation. E.g. +49 261 123456
        """
        body: dict[str, Any] = {
            "melo": melo,
            "malos": malos,
            "address": address,
            "gateway": gateway,
            "meters": meters,
            "wan_type": wan_type,
            "wan_address": wan_address,
            "tafs": tafs,
            "emts": emts,
            "han": han,
            "install_at": install_at,
            "technician": technician,
            "technician_phone": technician_phone,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("commissioning", body, key)

    async def removal(
        self,
        *,
        gateway: str,
        whereabouts: Literal["return", "stock", "scrap", "lost", "stolen"],
        removed_at: datetime,
        final_readings: Sequence[str] | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P10 Removal.

        Takes a gateway out of operation: profiles and consumer data are deleted, the operational certificates
        revoked. This cannot be undone.
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``whereabouts``: Whereabouts. What becomes of the device. E.g. return
        ``removed_at``: Time of removal. When the device was or will be removed. E.g. 2026-11-24T09:30+01:00
        ``final_readings``: Final readings. Number and reading of each meter. E.g. 1EMH0012345678=1234.5
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "whereabouts": whereabouts,
            "removed_at": removed_at,
            "final_readings": final_readings,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("removal", body, key)

    async def profile_change(
        self,
        *,
        tafs: Sequence[Literal["1", "2", "6", "7"]],
        emts: Sequence[str],
        valid_from: datetime,
        permission_ground: Literal["consent", "contract", "before_contract", "duty", "grid"],
        permission_by: str,
        gateway: str | None = None,
        metering_point: str | None = None,
        switch_times: Sequence[str] | None = None,
        default_stage: int | None = None,
        registration_minutes: Literal["5", "15", "30", "60"] | None = None,
        send_hours: Literal["1", "6", "24"] | None = None,
        billing_period: Literal["P1M", "P3M", "P1Y"] | None = None,
        permission_reference: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P11 Tariff/profile change (TAF).

        Changes what a gateway in operation evaluates and to whom it sends readings. The new profiles stand beside the
        old ones in time; the gateway changes by itself at the requested instant, then the old ones are removed.
        ``gateway``: SMGW id. Device id of the gateway in operation. It may be left out if you name a metering point.
        E.g. EPPC0211358875
        ``metering_point``: Metering point (MeLo or MaLo). This metering point only; without it the order is for all
        meters of the gateway. E.g. 51238696781
        ``tafs``: Tariff use cases (TAF). Which evaluations the gateway makes; several are possible. E.g. 7
        ``switch_times``: Switching times (TAF 2 only). Needed with TAF 2: tariff stage, days, from–to in local time.
        A single day is a date: 2 2026-12-24 00:00-24:00. E.g. 1 Mo-Fr 06:00-22:00
        ``default_stage``: Tariff stage at all other times (TAF 2 only). Needed with TAF 2: stage 1 to 62. E.g. 2
        ``registration_minutes``: Registration period. How often a reading is taken; each quarter of an hour unless
        you say so. E.g. 15
        ``send_hours``: Sending cycle. How often the gateway sends; daily unless you say so. TAF 6 sends on demand
        only. E.g. 24
        ``billing_period``: Billing period. For TAF 1: for what one reading each is made; monthly unless you say so.
        E.g. P1M
        ``emts``: Recipients (EMT). Who receives the readings. The EMT must have been set up and have valid
        certificates. E.g. Stadtwerk Musterstadt
        ``valid_from``: Valid from. When the new profiles begin; until then the old ones hold. Until six hours before
        you can cancel the order without a trace. E.g. 2027-01-01T00:00+01:00
        ``permission_ground``: Ground. What the processing is based on by § 50(1) MsbG. E.g. contract
        ``permission_by``: Who gave the permission. Connection user or market partner, as named in the contract. E.g.
        Stadtwerk Musterstadt, Stromlieferung
        ``permission_reference``: Contract or date. By what the permission can be looked up. E.g. Rahmenvertrag
        2026-117 vom 01.10.2026
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "metering_point": metering_point,
            "tafs": tafs,
            "switch_times": switch_times,
            "default_stage": default_stage,
            "registration_minutes": registration_minutes,
            "send_hours": send_hours,
            "billing_period": billing_period,
            "emts": emts,
            "valid_from": valid_from,
            "permission_ground": permission_ground,
            "permission_by": permission_by,
            "permission_reference": permission_reference,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("profile-change", body, key)

    async def wake_up(
        self,
        *,
        gateway: str,
        reason: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P20 Wake-up.

        Wakes a gateway with a signed packet and waits up to two minutes whether it connects. How often a gateway can
        be woken is limited.
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``reason``: Reason. Why this is ordered. E.g. Austausch nach Defekt
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "reason": reason,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("wake-up", body, key)

    async def connectivity_test(
        self,
        *,
        gateway: str,
        reason: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P22 Connectivity test.

        Tests whether a gateway can be reached, its clock is right, its meters are seen and how good its signal is.
        ``gateway``: SMGW id. Device id of the gateway, as on its plate. E.g. EPPC0211358875
        ``reason``: Reason. Why this is ordered. E.g. Austausch nach Defekt
        """
        body: dict[str, Any] = {
            "gateway": gateway,
            "reason": reason,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("connectivity-test", body, key)

    async def contact_change(
        self,
        *,
        action: Literal["add", "change", "deactivate", "certificate"],
        contact: str | None = None,
        first_name: str | None = None,
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        certificate: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P39 Change a contact, store an S/MIME certificate.

        Names, changes or removes a contact, or stores a certificate for secure mail. At least two contacts must stay.
        ``action``: Change. What is to be done about the contact. E.g. add
        ``contact``: Contact. Mail address of the person. E.g. erika.muster@stadtwerk.example
        ``first_name``: First name. The new first name. E.g. Erika
        ``name``: Name. The new last name. E.g. Muster
        ``phone``: Phone. We reach the person under this number. E.g. +49 261 123456
        ``email``: E-mail. A new one needs a certificate that names it. E.g. erika.muster@stadtwerk.example
        ``certificate``: Certificate (PEM). The text from “-----BEGIN CERTIFICATE-----” to “-----END
        CERTIFICATE-----”. E.g. -----BEGIN CERTIFICATE-----
        """
        body: dict[str, Any] = {
            "action": action,
            "contact": contact,
            "first_name": first_name,
            "name": name,
            "phone": phone,
            "email": email,
            "certificate": certificate,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("contact-change", body, key)

    async def incident(
        self,
        *,
        object: Literal["gateway", "meter", "melo", "other"],
        symptom: Literal["no_values", "wrong_values", "unreachable", "lights", "han", "control", "portal", "other"],
        description: str,
        since: datetime,
        name: str | None = None,
        requested_at: datetime | None = None,
        participant: str = "",
        reference: str = "",
        remark: str = "",
        key: str | None = None,
    ) -> Operation:
        """P41 Incident.

        Reports an incident. An operator looks for the cause, agrees with you in the ticket how to go on and tells you
        what was done. Please report urgent cases by phone as well.
        ``object``: Kind of object. What is affected. E.g. gateway
        ``name``: Number of the object. Gateway id, meter number or MeLo; free text for something else. E.g.
        EPPC0211358875
        ``symptom``: Symptom. What fits best. E.g. no_values
        ``description``: Description. What happens, what you expected and what you have tried already. E.g. Seit
        gestern Abend kommen keine Werte, die TLS-Leuchte ist aus.
        ``since``: Since. When you first noticed it. E.g. 2026-11-24T09:30+01:00
        """
        body: dict[str, Any] = {
            "object": object,
            "name": name,
            "symptom": symptom,
            "description": description,
            "since": since,
            "requested_at": requested_at,
            "participant": participant,
            "reference": reference,
            "remark": remark,
        }
        return await self._order("incident", body, key)
