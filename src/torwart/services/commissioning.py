"""Bringing a metering point into operation and out of it: what our data say at each proven step (P03, P10)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models.functions import Now

from torwart.kernel.gateway_state import GATEWAY, GatewayState, GatewayVerb
from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals.precondition import WRONG_STATE
from torwart.kernel.refusals.process import IDENTITY_DIFFERS, METER_TAKEN, METER_UNKNOWN
from torwart.rules import precondition
from torwart.services import certificate as certificates
from torwart.services import gateway as gateways
from torwart.services import profile as profiles
from torwart.store.models import Gateway, Meter
from torwart.wire.certificate import Use


def reserve(run_id: str, gateway: str, order: Mapping[str, Any]) -> None:
    """The gateway and its meters are this order's now; place and addresses are kept."""
    device = gateways.get(gateway)
    meters = gateways.meters(order["meters"])
    for meter in meters:
        if meter.client_id != device.client_id:
            raise METER_UNKNOWN(meter=meter.device_id)  # nobody learns of a stranger's meters (P-1)
        if meter.gateway_id not in (None, device.pk):
            raise METER_TAKEN(meter=meter.device_id)
    profiles.emts(device.client_id, order["emts"])  # refused while everything can still be undone
    wan = {**device.wan, "type": order["wan_type"]}
    if order.get("wan_address"):
        wan["wake_up"] = order["wan_address"]
    details = {**device.details, "address": order["address"], "technician": order["technician"]}
    if device.state in gateways.HALF_WAY:
        Gateway.objects.filter(pk=device.pk).update(wan=wan, details=details)
    else:
        precondition.require(
            precondition.state_allows(gateway, GatewayState(device.state), GatewayVerb.RESERVE),
        )
        gateways.move(gateway, GatewayVerb.RESERVE, actor=f"run:{run_id}", wan=wan, details=details)
    malos = list(order["malos"])
    for number, meter in enumerate(meters):
        Meter.objects.filter(pk=meter.pk).update(
            gateway=device, state="reserved", melo=order["melo"], malos=malos[number : number + 1], first_value_at=None
        )


def release(run_id: str, gateway: str) -> None:
    """A commissioning failed before the exchange of certificates: the gateway is free for the next attempt."""
    device = gateways.get(gateway)
    if GATEWAY.can(GatewayState(device.state), GatewayVerb.RELEASE):
        gateways.move(gateway, GatewayVerb.RELEASE, actor=f"run:{run_id}")
    Meter.objects.filter(gateway=device, state="reserved").update(gateway=None, state="delivered")


def contacted(run_id: str, gateway: str, seen: Mapping[str, Any]) -> None:
    """First contact: who called is who the delivery note says (P03: "identity compared with the delivery note")."""
    device = gateways.get(gateway)
    if DeviceId(seen["device"]) != gateway:
        raise IDENTITY_DIFFERS(gateway=gateway, what="id", seen=seen["device"], expected=gateway)
    known = certificates.of_gateway(device, "active")
    expected = {f"{certificate.serial_number:x}" for use, certificate in known.items() if use is Use.TLS}
    expected |= {f"{c.serial_number:x}" for c in certificates.of_gateway(device, "active", seal=True).values()}
    if seen["serial"] not in expected:
        raise IDENTITY_DIFFERS(gateway=gateway, what="TLS", seen=seen["serial"], expected=", ".join(sorted(expected)))
    Gateway.objects.filter(pk=device.pk).update(firmware=seen["firmware"])
    if device.state == GatewayState.RESERVED:
        gateways.move(gateway, GatewayVerb.CONTACT, actor=f"run:{run_id}")


def has_operational(gateway: str) -> bool:
    """Whether the exchange of certificates has been done already."""
    return Use.TLS in certificates.of_gateway(gateways.get(gateway), "active", seal=False)


def personalised(run_id: str, gateway: str) -> None:
    """The gateway uses operational certificates and its seal certificates are retired."""
    device = gateways.get(gateway)
    certificates.set_state(device, ["active"], "retired", actor=f"run:{run_id}", seal=True)
    _advance(device, GatewayVerb.PERSONALISE, run_id)


def proven(run_id: str, gateway: str) -> None:
    """Everything wanted has been read back as wanted."""
    _advance(gateways.get(gateway), GatewayVerb.CONNECT, run_id)


def operate(run_id: str, gateway: str, meters: Sequence[str]) -> None:
    """The first value is at the EMT: gateway and meters are in operation."""
    gateways.move(gateway, GatewayVerb.OPERATE, actor=f"run:{run_id}", commissioned_at=Now())
    Meter.objects.filter(device_id__in=list(meters)).update(state="operational")


def _advance(device: Gateway, verb: GatewayVerb, run_id: str) -> None:
    if GATEWAY.can(GatewayState(device.state), verb):
        gateways.move(device.device_id, verb, actor=f"run:{run_id}")


def first_values(meters: Sequence[str]) -> str | None:
    """When the first value was captured that an EMT has confirmed, once there is one of every meter."""
    rows = Meter.objects.filter(device_id__in=list(meters)).values_list("first_value_at", flat=True)
    values = [value for value in rows if value is not None]
    return min(values).isoformat() if len(values) == len(meters) else None


def removable(gateway: str) -> None:
    """Refuse a removal the state table does not know (P10)."""
    state = GatewayState(gateways.get(gateway).state)
    if not GATEWAY.can(state, GatewayVerb.REMOVE):
        raise precondition.state_allows(gateway, state, GatewayVerb.REMOVE) or WRONG_STATE(device=gateway)


def removed(run_id: str, gateway: str, whereabouts: str) -> None:
    """The gateway is out of operation, its meters are free; a lost one stands on the blocklist (P10)."""
    device = gateways.get(gateway)
    certificates.set_state(device, ["active", "issued"], "revoked", actor=f"run:{run_id}", seal=False)
    certificates.set_state(device, ["active"], "retired", actor=f"run:{run_id}", seal=True)
    gateways.move(gateway, GatewayVerb.REMOVE, actor=f"run:{run_id}", reason=whereabouts)
    Meter.objects.filter(gateway=device).update(gateway=None, state="delivered", first_value_at=None)
    if whereabouts in LOST:
        gateways.block(gateway, actor=f"run:{run_id}", reason=whereabouts)


LOST = ("lost", "stolen")
"""Whereabouts after which a gateway is not spoken to any more but blocked."""
