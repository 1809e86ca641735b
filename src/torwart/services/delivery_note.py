"""Import of delivery notes: the file's own checks and device by device (catalogue P01; spec: delivery note)."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from django.db import transaction

from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.identifiers import BdewCode, DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.els import ELS_IDENTITY, ELS_SECRET, ELS_TAKEN
from torwart.ports.key_store import KeyStore
from torwart.services import administrator, audit
from torwart.services import certificate as certificates
from torwart.store.models import Client, DeliveryNote, Gateway, Meter
from torwart.wire import certificate as profile
from torwart.wire import cms, els
from torwart.wire.certificate import Role, Trust, Use


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """What became of one device: ``imported``, ``known`` or ``refused`` with code and reason in both languages."""

    device: str
    result: str
    code: str = ""
    de: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to an import. ``repeated``: this note had been imported before and this is that first answer."""

    number: str
    maker: str
    repeated: bool
    devices: tuple[DeviceResult, ...]

    @property
    def imported(self) -> int:
        return sum(device.result == "imported" for device in self.devices)


def import_note(
    signed: bytes,
    *,
    client: int,
    keys: KeyStore,
    trust: Trust,
    makers: Mapping[bytes, EllipticCurvePublicKey],
    at: datetime,
    actor: str,
) -> Report:
    """Import a note that a maker has CMS-signed. ``makers``: SKI → SIG key of the makers (GWH) we know.

    What is wrong with the whole file is refused (``cms.…``, ``els.…``); one bad device does not stop the good ones.
    The same maker and number again gets the first answer and imports nothing.
    """
    content = cms.verify(signed, signers=makers).content
    note = els.read(content)
    with transaction.atomic():
        row, new = DeliveryNote.objects.get_or_create(
            maker=note.head.maker,
            number=note.head.number,
            defaults={"client_id": client, "state": "importing", "digest": hashlib.sha256(content).hexdigest()},
        )
        if not new:
            return _first_answer(row, client)
        importer = _Importer(Client.objects.get(pk=client), row, keys, trust, at)
        report = Report(row.number, row.maker, False, tuple(importer.take(note.devices)))
        row.state, row.report = "imported", {"devices": [asdict(device) for device in report.devices]}
        row.save()
        audit.append(
            actor=actor,
            action="delivery_note.imported",
            subject=f"delivery_note:{row.maker}/{row.number}",
            payload={
                "digest": row.digest,
                "devices": len(report.devices),
                "imported": report.imported,
                "operator": BdewCode.parse(note.head.operator_code),
            },
            client=client,
        )
    return report


def _first_answer(row: DeliveryNote, client: int) -> Report:
    if row.client_id != client:
        raise ELS_TAKEN(what=row.number)
    return Report(row.number, row.maker, True, tuple(DeviceResult(**device) for device in row.report["devices"]))


@dataclass(slots=True)
class _Importer:
    """Takes the devices of one note, each in a savepoint of its own."""

    client: Client
    note: DeliveryNote
    keys: KeyStore
    trust: Trust
    at: datetime

    def take(self, devices: Iterable[els.Device]) -> Iterable[DeviceResult]:
        for device in devices:
            try:
                with transaction.atomic():
                    yield self._one(device)
            except Refusal as refusal:
                yield DeviceResult(device.id, "refused", refusal.code, refusal.text("de"), refusal.text("en"))

    def _one(self, device: els.Device) -> DeviceResult:
        device_id = DeviceId.parse(device.id)
        model = Gateway if device_id.is_gateway else Meter
        known = model.objects.filter(device_id=device_id).first()
        if known is not None:
            if known.client_id != self.client.pk:
                raise ELS_TAKEN(what=device_id)
            return DeviceResult(device_id, "known")
        labels = self._keep_secrets(device_id, device.secrets)
        if isinstance(device, els.GatewayItem):
            self._gateway(device_id, device)
        elif isinstance(device, els.MeterItem):
            self._meter(device_id, device, labels)
        return DeviceResult(device_id, "imported")

    def _gateway(self, device_id: DeviceId, item: els.GatewayItem) -> None:
        ders = zip((item.tls, item.sig, item.enc), _USES, strict=True)
        seals = [self._seal(device_id, der, use) for der, use in ders]
        gateway = Gateway.objects.create(
            device_id=device_id,
            client=self.client,
            state=GatewayState.DELIVERED,
            maker=self.note.maker,
            model=item.maker_type,
            firmware=item.firmware,
            cc_certificate=item.cc_certificate,
            delivery_note=self.note,
            wan={"type": item.wan_type, "iccid": item.iccid},
            details={
                "hardware": item.hardware,
                "firmware_hash": item.firmware_hash.hex(),
                "initial_configuration": item.initial_configuration,
                "carrier": item.carrier,
            },
        )
        for certificate in seals:
            certificates.remember(certificate, state="active", gateway=gateway, seal=True)

    def _seal(self, device_id: DeviceId, der: bytes, use: Use) -> x509.Certificate:
        """A seal certificate: chains to a trusted maker CA, carries the device's id, is in date (P01)."""
        certificate = profile.load_certificate(der)
        identity = self.trust.validate(certificate, at=self.at, role=Role.SMGW, use=use, seal=True)
        if DeviceId.parse(identity.common_name) != device_id:
            raise ELS_IDENTITY(device=device_id, use=use.value, name=identity.common_name)
        return certificate

    def _meter(self, device_id: DeviceId, item: els.MeterItem, labels: dict[str, str]) -> None:
        Meter.objects.create(
            device_id=device_id,
            client=self.client,
            state="delivered",
            lmn="wireless" if item.lmn == "WMBUS" else "hdlc",
            key_label=labels.get("LMN_MK0", ""),
            details={
                "model": item.maker_type,
                "firmware": item.firmware,
                "obis": list(item.obis),
                "certificate": item.lmn_certificate.hex(),
            },
        )

    def _keep_secrets(self, device_id: DeviceId, secrets: Iterable[els.Secret]) -> dict[str, str]:
        """Open each secret with our encryption key and put it into the key store under the device's label."""
        labels: dict[str, str] = {}
        for secret in secrets:
            key = administrator.key(self.keys, self.client.pk, Use.ENC)
            if secret.recipient != key.certificate.fingerprint(hashes.SHA256()):
                raise ELS_SECRET(device=device_id, kind=secret.kind, why="empfaengerZertifikat")
            try:
                opened = cms.unseal(secret.envelope, agreer=key)
            except Refusal as refusal:
                raise ELS_SECRET(device=device_id, kind=secret.kind, why=refusal.code) from refusal
            label = f"client-{self.client.pk}.{device_id.lower()}.{secret.kind.lower()}"
            self.keys.destroy(label)
            self.keys.put_secret(label, opened.content)
            labels[secret.kind] = label
        return labels


_USES = (Use.TLS, Use.SIG, Use.ENC)
