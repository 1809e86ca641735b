"""The transcript: what was said between us and gateways, CAs and EMTs. Bodies are told by size and hash only."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from torwart.store import statement
from torwart.store.models import Gateway

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
    found = statement.rows("SELECT id FROM store_run WHERE run_id = %(run)s", {"run": run_id})
    return found[0][0] if found else None


_KEEP = """
INSERT INTO store_exchange (client_id, gateway_id, run_id, peer, outgoing, at, purpose, request_line, request_head,
                            request_size, request_digest, status, code, answer_head, answer_size, answer_digest,
                            milliseconds)
SELECT %(client)s, %(gateway)s, %(run)s, 'gateway', true, said.*
  FROM jsonb_to_recordset(%(said)s) AS said (at timestamptz, purpose text, line text, head text, size bigint,
       digest text, status integer, code text, answer_head text, answer_size bigint, answer_digest text,
       milliseconds integer)
"""


def keep(run_id: str, gateway: Gateway, said: Iterable[Said]) -> None:
    """Keep exchanges with a gateway, in their order, in one statement."""
    _keep(gateway, run_key(run_id), [_row(one) for one in said])


def keep_wake_up(gateway: Gateway, address: str, packet: bytes, *, at: datetime, run: int | None) -> None:
    """A wake-up has no answer; that it was sent is all there is to keep."""
    sent = Said(at, "wake-up", f"WU {address}", {}, packet, 0, "", {}, b"", 0)
    _keep(gateway, run, [_row(sent)])


def _keep(gateway: Gateway, run: int | None, said: list[dict[str, Any]]) -> None:
    kept = {"client": gateway.client_id, "gateway": gateway.pk, "run": run, "said": json.dumps(said)}
    statement.changed(_KEEP, kept)


def _row(said: Said) -> dict[str, Any]:
    return {
        "at": said.at.isoformat(),
        "purpose": said.purpose,
        "line": said.line,
        "head": redact(said.head),
        "size": len(said.body),
        "digest": hashlib.sha256(said.body).hexdigest(),
        "status": said.status,
        "code": said.code,
        "answer_head": redact(said.answer_head),
        "answer_size": len(said.answer),
        "answer_digest": hashlib.sha256(said.answer).hexdigest(),
        "milliseconds": said.milliseconds,
    }
