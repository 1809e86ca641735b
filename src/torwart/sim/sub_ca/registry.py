"""What the Sub-CA knows: who is registered, what it issued, who is in charge of which gateway, what is queued.

Rebuilt from the journal; certificates themselves stay there and are read back when they are needed, so that a wave
of a hundred thousand triples costs little memory.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import RLock

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.sim.pki import Authority, TestPki
from torwart.sim.sub_ca.memory import Event, Memory
from torwart.wire.certificate import Role, Use, identify, load_certificate
from torwart.wire.certificate.names import entity_of


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the TLS certificate says."""

    common_name: str
    role: Role

    @property
    def entity(self) -> str:
        """The CN without extension: the same for all key sets of one participant."""
        return entity_of(self.common_name)


@dataclass(frozen=True, slots=True)
class Queued:
    """A request to be answered by callback."""

    caller: Caller
    message_id: str
    package: bytes
    certificate_type: str


def digest(package: bytes) -> str:
    return hashlib.sha256(package).hexdigest()


class Registry:
    """Thread-safe memory of a Sub-CA; every change is on disk when the method returns."""

    def __init__(self, pki: TestPki, directory: Path, *, durable: bool = True) -> None:
        self.lock = RLock()
        self._pki = pki
        self._memory = Memory(directory / "sub-ca.jsonl", durable=durable)
        self._answers: dict[tuple[str, str], int] = {}
        self._message_digests: dict[tuple[str, str], str] = {}
        self._owners: dict[tuple[bytes, int], str] = {}
        self._signers: dict[bytes, tuple[int, int]] = {}
        self._sequences: dict[tuple[bytes, str], int] = {}
        self._in_charge: dict[str, str] = {}
        self._queue: dict[tuple[str, str], Queued] = {}
        for at, event in self._memory.replay():
            self._take(at, event)

    def close(self) -> None:
        self._memory.close()

    # -- issuing ------------------------------------------------------------------------------------------------

    def issued_for(self, caller: str, package: bytes, message_id: str | None) -> list[x509.Certificate] | None:
        """What was issued for this very package or message id already; ``None`` if nothing was."""
        for key in ((caller, f"digest {digest(package)}"), (caller, f"id {message_id}")):
            at = self._answers.get(key)
            if at is not None:
                return _certificates(self._memory.read(at))
        return None

    def reused(self, caller: str, package: bytes, message_id: str | None) -> bool:
        """Whether the caller has used this message id for another package."""
        known = self._message_digests.get((caller, message_id or ""))
        return known is not None and known != digest(package)

    def record_issue(
        self, caller: str, package: bytes, message_id: str | None, certificates: list[x509.Certificate], admin: str
    ) -> None:
        """Remember an issue before anyone is told of it. ``admin``: the GWA in charge of a gateway, or empty."""
        event = {
            "event": "issued",
            "caller": caller,
            "message_id": message_id,
            "digest": digest(package),
            "admin": admin,
            "certificates": [_encode(certificate) for certificate in certificates],
        }
        self._write(event)

    def adopt(self, certificates: list[x509.Certificate], admin: str = "") -> None:
        """Know certificates this CA's key signed elsewhere (the first set of an entity comes through the RA)."""
        self._write({"event": "adopted", "admin": admin, "certificates": [_encode(each) for each in certificates]})

    def last_sequence(self, authority: Authority, common_name: str) -> int:
        """The highest running number issued to this name, 0 if none was."""
        return self._sequences.get((authority.identity.ski, common_name), 0)

    def signer(self, ski: bytes) -> x509.Certificate | None:
        """The SIG certificate with this key identifier, if we issued it."""
        known = self._signers.get(ski)
        return _certificates(self._memory.read(known[0]))[known[1]] if known else None

    def owner(self, issuer: bytes, serial: int) -> str | None:
        """Common name of the holder of a certificate of ours, by issuer name (DER) and serial number."""
        return self._owners.get((issuer, serial))

    # -- gateways -----------------------------------------------------------------------------------------------

    def in_charge(self, gateway: str) -> str:
        """The GWA in charge of a gateway (by its CN), empty if nobody is."""
        return self._in_charge.get(gateway, "")

    def put_in_charge(self, gateways: list[str], admin: str) -> None:
        self._write({"event": "admin", "gateways": gateways, "admin": admin})

    # -- revoking -----------------------------------------------------------------------------------------------

    def record_revocation(self, authority: Authority, serial: int, reason: str, at: datetime) -> None:
        """Revoke, suspend (``certificateHold``) or reactivate (``removeFromCRL``) a certificate of an authority."""
        ski = authority.identity.ski.hex()
        event = {"event": "revoked", "authority": ski, "serial": serial, "reason": reason, "at": at.isoformat()}
        self._write(event)

    def record_list(self, authority: Authority) -> None:
        """Remember the number of a revocation list, so that the next one after a restart is higher."""
        ski = authority.identity.ski.hex()
        self._write({"event": "crl", "authority": ski, "number": authority.crl_number})

    # -- callbacks ----------------------------------------------------------------------------------------------

    def enqueue(self, queued: Queued) -> None:
        package = base64.b64encode(queued.package).decode()
        self._write(
            {
                "event": "queued",
                "caller": queued.caller.common_name,
                "role": queued.caller.role.value,
                "message_id": queued.message_id,
                "package": package,
                "type": queued.certificate_type,
            }
        )

    def delivered(self, queued: Queued) -> None:
        self._write({"event": "delivered", "caller": queued.caller.common_name, "message_id": queued.message_id})

    @property
    def queue(self) -> list[Queued]:
        """What still has to be called back, oldest first."""
        with self.lock:
            return list(self._queue.values())

    # -- the journal --------------------------------------------------------------------------------------------

    def _write(self, event: Event) -> None:
        with self.lock:
            self._take(self._memory.append(event), event)

    def _take(self, at: int, event: Event) -> None:
        kind = event["event"]
        if kind in ("issued", "adopted"):
            self._take_certificates(at, event)
        elif kind == "admin":
            self._in_charge.update(dict.fromkeys(event["gateways"], event["admin"]))
        elif kind == "revoked":
            self._take_revocation(event)
        elif kind == "crl":
            authority = self._authority(event["authority"])
            authority.crl_number = max(authority.crl_number, event["number"])
        elif kind == "queued":
            key = (event["caller"], event["message_id"])
            caller = Caller(event["caller"], Role(event["role"]))
            package = base64.b64decode(event["package"])
            self._queue[key] = Queued(caller, event["message_id"], package, event["type"])
            self._message_digests[key] = digest(package)
        elif kind == "delivered":
            self._queue.pop((event["caller"], event["message_id"]), None)

    def _take_certificates(self, at: int, event: Event) -> None:
        for index, certificate in enumerate(_certificates(event)):
            identity = identify(certificate)
            issuer = certificate.issuer.public_bytes()
            self._owners[issuer, certificate.serial_number] = identity.common_name
            key = (self._authority_named(certificate.issuer).identity.ski, identity.common_name)
            self._sequences[key] = max(self._sequences.get(key, 0), identity.sequence)
            if identity.use is Use.SIG:
                self._signers[identity.ski] = (at, index)
            if event["admin"]:
                self._in_charge[identity.common_name] = event["admin"]
        if event["event"] == "issued":
            caller, message_id = event["caller"], event["message_id"]
            self._answers[caller, f"digest {event['digest']}"] = at
            if message_id is not None:
                self._answers[caller, f"id {message_id}"] = at
                self._message_digests[caller, message_id] = event["digest"]

    def _take_revocation(self, event: Event) -> None:
        authority = self._authority(event["authority"])
        if event["reason"] == "removeFromCRL":
            authority.reactivate(event["serial"])
        else:
            authority.revoke(event["serial"], event["reason"], datetime.fromisoformat(event["at"]))

    def _authority(self, ski: str) -> Authority:
        return next(authority for authority in self._pki.authorities if authority.identity.ski.hex() == ski)

    def _authority_named(self, name: x509.Name) -> Authority:
        return next(each for each in self._pki.authorities if each.certificate.subject == name)


def _encode(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _certificates(event: Event) -> list[x509.Certificate]:
    return [load_certificate(base64.b64decode(each)) for each in event["certificates"]]
