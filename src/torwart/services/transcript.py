"""The transcript: what was said between us and gateways, CAs and EMTs. Bodies are told by size and hash only."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from torwart.store.models import Exchange, Gateway, Run

SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
"""Headers whose value never stands in a transcript."""


@dataclass(frozen=True, slots=True)
class Said:
    """One request and its answer, before it is kept. ``status`` 0: no answer, ``code`` says why."""

    at: datetime
    purpose: str
    line: str
    head: Mapping[str, str]
    body: bytes
    status: int
    code: str
    answer_head: Mapping[str, str]
    answer: bytes
    milliseconds: int


def redact(head: Mapping[str, str]) -> str:
    """Headers as lines, secrets replaced."""
    return "\n".join(f"{name}: {'…' if name.lower() in SECRET_HEADERS else value}" for name, value in head.items())


@lru_cache(maxsize=4096)
def run_key(run_id: str) -> int | None:
    """Primary key of a run; it never changes."""
    return Run.objects.filter(run_id=run_id).values_list("id", flat=True).first()


def keep(run_id: str, gateway: Gateway, said: Iterable[Said]) -> None:
    """Keep exchanges with a gateway in one statement."""
    run = run_key(run_id)
    Exchange.objects.bulk_create(
        Exchange(
            at=s.at,
            client_id=gateway.client_id,
            gateway=gateway,
            run_id=run,
            peer="gateway",
            outgoing=True,
            purpose=s.purpose,
            request_line=s.line,
            request_head=redact(s.head),
            request_size=len(s.body),
            request_digest=hashlib.sha256(s.body).hexdigest(),
            status=s.status,
            code=s.code,
            answer_head=redact(s.answer_head),
            answer_size=len(s.answer),
            answer_digest=hashlib.sha256(s.answer).hexdigest(),
            milliseconds=s.milliseconds,
        )
        for s in said
    )


def keep_wake_up(gateway: Gateway, address: str, packet: bytes, *, at: datetime, run: int | None) -> None:
    """A wake-up has no answer; that it was sent is all there is to keep."""
    Exchange.objects.create(
        at=at,
        client_id=gateway.client_id,
        gateway=gateway,
        run_id=run,
        peer="gateway",
        outgoing=True,
        purpose="wake-up",
        request_line=f"WU {address}",
        request_size=len(packet),
        request_digest=hashlib.sha256(packet).hexdigest(),
        status=0,
        answer_size=0,
        answer_digest="",
        milliseconds=0,
    )
