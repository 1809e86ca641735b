"""The EMT–GWA interface's own verbs: who calls, whether its software fits, each key once, the log (spec/07, R-4)."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from torwart.kernel.refusals.interface import (
    COUPLING_TAKEN,
    COUPLING_UNKNOWN,
    INTERFACE_SUSPENDED,
    KEY_IN_PROGRESS,
    KEY_REUSED,
    PEER_NOT_COUPLED,
    PEER_UNPROVEN,
    VERSION_UNKNOWN,
)
from torwart.kernel.words import Words
from torwart.services import audit, interface_event, outbox
from torwart.services.letter import interface as letters
from torwart.store.models import Coupling, IdempotencyKey, InterfaceCall
from torwart.wire.certificate import Role, Use, identify, load_certificate

VERSIONS = ("2026-11-23",)
"""Versions of the interface, newest last; each is served for at least 24 months after the next one came."""
SERVED = timedelta(days=731)
"""24 months, however long they are."""
KEYS_KEPT = timedelta(days=30)
LOG_KEPT = timedelta(days=90)
SHOWN = 65_536
"""Characters of a body the log keeps."""


class Compatibility(StrEnum):
    UNKNOWN = "unknown"
    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"


COMPATIBILITY: Mapping[Compatibility, Words] = {
    Compatibility.UNKNOWN: Words("noch nicht bestätigt", "not confirmed yet"),
    Compatibility.COMPATIBLE: Words("kompatibel", "compatible"),
    Compatibility.INCOMPATIBLE: Words("nicht kompatibel: Kopplung ausgesetzt", "incompatible: coupling suspended"),
}

_TOLD = {
    Compatibility.COMPATIBLE: "de.torwart.coupling.resumed",
    Compatibility.INCOMPATIBLE: "de.torwart.coupling.suspended",
}
"""Types of the events that tell a client's system."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A client's system that calls. ``coupling``: its row; ``name``: the CN of its certificate."""

    client: int
    client_name: str
    coupling: int
    name: str
    version: str
    suspended: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to a request with a key. ``repeated``: it had been answered before and this is that answer."""

    status: int
    body: str
    location: str = ""
    repeated: bool = False


# --- who calls --------------------------------------------------------------------------------------------------------


def peer(der: bytes, now: datetime) -> Peer:
    """Whose system has shown this certificate. The front has checked chain and revocation list of its handshake; here
    the certificate must be an EMT's for TLS, in date, not revoked since, and its name coupled with a client.
    """
    shown = _read(der)
    if shown is None or not shown.begins <= now <= shown.ends:
        raise PEER_UNPROVEN()
    return _peer(shown.name, shown.fingerprint)


def named(name: str) -> Peer:
    """The system of this name, whose token was good (test environment only)."""
    return _peer(name, "")


def _peer(name: str, fingerprint: str) -> Peer:
    with connection.cursor() as cursor:
        cursor.execute(_PEER, {"name": name, "fingerprint": fingerprint})
        revoked, *found = cursor.fetchone()
    if revoked:
        raise PEER_UNPROVEN()
    coupling, client, client_name, version, compatibility, reason, software = found
    if coupling is None:
        raise PEER_NOT_COUPLED(name=name)
    suspended = reason or software or "–" if compatibility == Compatibility.INCOMPATIBLE else ""
    return Peer(client, client_name, coupling, name, version, suspended)


_PEER = """
SELECT EXISTS (SELECT 1 FROM store_certificate
                WHERE fingerprint = %(fingerprint)s AND state IN ('revoked', 'suspended')),
       coupling.id, client.id, client.name, coupling.version, coupling.compatibility, coupling.reason, coupling.software
  FROM (SELECT 1) AS always
  LEFT JOIN store_coupling AS coupling ON coupling.common_name = %(name)s AND coupling.active
  LEFT JOIN store_client AS client ON client.id = coupling.client_id
"""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of a certificate does not change."""

    name: str
    fingerprint: str
    begins: datetime
    ends: datetime


@lru_cache(maxsize=256)
def _read(der: bytes) -> _Shown | None:
    """An EMT's TLS certificate; ``None`` for anything else."""
    try:
        certificate = load_certificate(der)
    except ValueError:
        return None
    identity = identify(certificate)
    if identity.role is not Role.EMT or identity.use is not Use.TLS:
        return None
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return _Shown(identity.common_name, hashlib.sha256(der).hexdigest(), begins, ends)


def require_compatible(caller: Peer, form: str) -> None:
    """R-4: while the client's software is incompatible its calls are refused, and the form does the same."""
    if caller.suspended:
        raise INTERFACE_SUSPENDED(why=caller.suspended, form=form)


def pin(caller: Peer, asked: str | None) -> str:
    """The version this call is served by: the one asked for, the one pinned, or at the first call today's, pinned."""
    if asked is not None and asked not in VERSIONS:
        raise VERSION_UNKNOWN(given=asked[:20], known=", ".join(VERSIONS))
    if not caller.version:
        Coupling.objects.filter(pk=caller.coupling, version="").update(version=asked or VERSIONS[-1])
    return asked or caller.version or VERSIONS[-1]


def retired(version: str) -> tuple[datetime, datetime] | None:
    """Since when a version is not the newest any more, and until when it is served; ``None`` for the newest."""
    following = VERSIONS[VERSIONS.index(version) + 1 :]
    if not following:
        return None
    since = datetime.fromisoformat(following[0]).replace(tzinfo=UTC)
    return since, since + SERVED


# --- couplings --------------------------------------------------------------------------------------------------------


def couple(
    client: int, common_name: str, *, software: str, software_version: str, actor: str, certificate: str = ""
) -> int:
    """Couple a client's system, known by the CN of its EMT TLS certificate; its id. One name serves one client.
    ``certificate``: fingerprint of the one that was looked at, for the audit trail.
    """
    with transaction.atomic():
        name = common_name.strip()
        taken = Coupling.objects.select_for_update().filter(common_name=name).first()
        if taken is not None and taken.client_id != client:
            raise COUPLING_TAKEN(name=name)
        values = {"software": software.strip(), "software_version": software_version.strip(), "active": True}
        row, _ = Coupling.objects.update_or_create(client_id=client, common_name=name, defaults=values)
        audit.append(
            actor=actor,
            action="interface.coupled",
            subject=f"coupling:{name}",
            payload={"software": row.software, "version": row.software_version, "certificate": certificate},
            client=client,
        )
    return row.pk


def uncouple(coupling: int, *, actor: str, now: datetime) -> None:
    """Turn the system away from now on; its log stays."""
    with transaction.atomic():
        row = Coupling.objects.select_for_update().filter(pk=coupling).first()
        if row is None:
            raise COUPLING_UNKNOWN()
        row.active = False
        row.save(update_fields=["active"])
        audit.append(
            actor=actor,
            action="interface.uncoupled",
            subject=f"coupling:{row.common_name}",
            client=row.client_id,
            at=now,
        )


def judge(
    coupling: int,
    verdict: Compatibility,
    *,
    reason: str,
    actor: str,
    now: datetime,
    software: str | None = None,
    software_version: str | None = None,
) -> None:
    """Record whether the client's software fits the interface (R-4): ``COMPATIBLE`` or ``INCOMPATIBLE``.

    Incompatible suspends the coupling, compatible resumes it; the client's contacts and its system are told of either.
    ``software``, ``software_version``: what has been judged, where it is not what was recorded before.
    """
    with transaction.atomic():
        row = Coupling.objects.select_for_update().filter(pk=coupling).first()
        if row is None:
            raise COUPLING_UNKNOWN()
        before = Compatibility(row.compatibility)
        row.software = row.software if software is None else software.strip()
        row.software_version = row.software_version if software_version is None else software_version.strip()
        row.compatibility, row.reason, row.judged_by, row.judged_at = verdict.value, reason.strip(), actor, now
        if verdict is Compatibility.COMPATIBLE:
            row.suspended_at = None
        elif before is not verdict:
            row.suspended_at = now
        row.save()
        audit.append(
            actor=actor,
            action=f"interface.{verdict.value}",
            subject=f"coupling:{row.common_name}",
            payload={"reason": row.reason, "software": row.software, "version": row.software_version},
            client=row.client_id,
            at=now,
        )
        if before is not verdict:
            data = {"coupling": row.common_name, "compatibility": verdict.value, "reason": row.reason}
            interface_event.tell(row.client_id, _TOLD[verdict], row.common_name, data, now)
        if row.active and before is not verdict and Compatibility.INCOMPATIBLE in (before, verdict):
            _write_to_contacts(row, now)


def _write_to_contacts(row: Coupling, now: datetime) -> None:
    about = letters.About(row.common_name, f"{row.software} {row.software_version}".strip(), row.reason)
    forms, page = outbox.portal_url("/portal/bestellen/"), outbox.portal_url("/portal/schnittstelle/")
    if row.suspended_at is not None:
        outbox.to_contacts(
            row.client_id,
            lambda language: letters.suspended(language, about, since=now, forms=forms),
            kind="interface.suspended",
            now=now,
        )
    else:
        outbox.to_contacts(
            row.client_id,
            lambda language: letters.resumed(language, about, page=page),
            kind="interface.resumed",
            now=now,
        )


# --- each key once ----------------------------------------------------------------------------------------------------


def digest(method: str, path: str, body: Any) -> str:
    """What makes two requests the same: method, path and the body's content, whatever its spelling."""
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{method} {path}\n{plain}".encode("utf-8", "surrogatepass")).hexdigest()


def once(client: int, key: str, same: str, do: Callable[[], Answer], *, now: datetime) -> Answer:
    """Do what ``key`` stands for exactly once; the same request again gets the same answer for 30 days.

    Key, answer and all that ``do`` writes commit together: if the process dies before, nothing has happened and the
    key is free; if it dies after, the answer is here. What ``do`` refuses leaves nothing behind, and the key is free
    for the corrected request. ``same``: the request's ``digest``. A twin under way is refused, not made to wait.
    """
    with transaction.atomic():
        if not _alone(client, key):
            raise KEY_IN_PROGRESS(key=key)
        with connection.cursor() as cursor:
            cursor.execute(_ANSWERED, {"client": client, "key": key, "since": now - KEYS_KEPT})
            known = cursor.fetchone()
        if known is not None:
            kept, status, body, location = known
            if kept != same:
                raise KEY_REUSED(key=key)
            return Answer(status, body, location, repeated=True)
        answer = do()
        given: dict[str, Any] = {"client": client, "key": key, "digest": same, "now": now}
        told: dict[str, Any] = {"status": answer.status, "answer": answer.body, "location": answer.location}
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, {**given, **told})
        return answer


_ANSWERED = """
SELECT digest, status, answer, location FROM store_idempotencykey
 WHERE client_id = %(client)s AND key = %(key)s AND created_at > %(since)s
"""
_KEEP = """
INSERT INTO store_idempotencykey (client_id, key, digest, status, answer, location, created_at)
VALUES (%(client)s, %(key)s, %(digest)s, %(status)s, %(answer)s, %(location)s, %(now)s)
ON CONFLICT (client_id, key) DO UPDATE SET digest = excluded.digest, status = excluded.status,
       answer = excluded.answer, location = excluded.location, created_at = excluded.created_at
"""
"""In the place of what is older than 30 days, if the key was used then."""


def _alone(client: int, key: str) -> bool:
    """Hold this key until the transaction ends, unless somebody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7))", [f"{client} {key}"])
        return bool(cursor.fetchone()[0])


# --- the log ----------------------------------------------------------------------------------------------------------


def log(
    caller: Peer,
    *,
    request_id: uuid.UUID,
    at: datetime,
    method: str,
    path: str,
    key: str,
    status: int,
    code: str,
    milliseconds: int,
    asked: str,
    answered: str,
    subject: str = "",
) -> None:
    """One line of the interface log, which the client's people see in the portal; no secret gets into it. ``subject``:
    the number of the order the call placed or was about.
    """
    values: dict[str, Any] = {
        "request_id": request_id,
        "at": at,
        "client": caller.client,
        "coupling": caller.coupling,
        "method": method,
        "path": plain(path)[:2000],
        "subject": plain(subject)[:20],
        "key": plain(key)[:200],
        "status": status,
        "code": code,
        "milliseconds": milliseconds,
        "asked": without_secrets(plain(asked))[:SHOWN],
        "answered": without_secrets(plain(answered))[:SHOWN],
        "lately": at - timedelta(minutes=1),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOG, values)


_LOG = """
WITH lately AS (
    UPDATE store_coupling SET last_call_at = %(at)s
     WHERE id = %(coupling)s AND (last_call_at IS NULL OR last_call_at < %(lately)s)
)
INSERT INTO store_interfacecall (request_id, at, client_id, coupling_id, method, path, subject, key, status, code,
                                 milliseconds, asked, answered)
VALUES (%(request_id)s, %(at)s, %(client)s, %(coupling)s, %(method)s, %(path)s, %(subject)s, %(key)s, %(status)s,
        %(code)s, %(milliseconds)s, %(asked)s, %(answered)s)
"""
"""The time of the last call is kept by the minute: all calls of a busy system would queue for that one row."""


_SECRET = re.compile(
    r'("[^"\\]{0,60}(?:secret|passwor[dt]|token|authorization|private)[^"\\]{0,60}"\s*:\s*)"(?:[^"\\]|\\.)*"', re.I
)
_QUERY = re.compile(r'(https?:/(?:[^\s"?#:]|:(?!/)){1,4000}\?)[^\s"#]+')


def without_secrets(text: str) -> str:
    """A JSON body without the values of members that are called a secret, and without the query of any address in it:
    receivers of webhooks are often told a password there.
    """
    return _QUERY.sub(r"\1•••", _SECRET.sub(r'\1"•••"', text))


def plain(text: str) -> str:
    """PostgreSQL holds no NUL, and no half of a surrogate pair."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def forget(now: datetime) -> int:
    """Delete keys and log lines that are no longer kept; how many."""
    keys, _ = IdempotencyKey.objects.filter(created_at__lt=now - KEYS_KEPT).delete()
    lines, _ = InterfaceCall.objects.filter(at__lt=now - LOG_KEPT).delete()
    return keys + lines
