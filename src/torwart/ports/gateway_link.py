"""A worker's way to a gateway's open connection, and the facts a head-end tells (design D4, D5).

Subjects: ``gw.<id>.cmd`` (request: Command, reply: Answer; only the head-end that holds the connection serves it),
``headend.fact`` (request: Fact; the reply ``ok`` means "stored", only then the gateway gets its 200),
``headend.policy`` (request by a head-end at start: the whole Policy) and ``headend.policy.changed`` (publish).
``<id>`` is the gateway's 14-character device id.
"""

import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

SUBJECT_FACT = "headend.fact"
SUBJECT_POLICY = "headend.policy"
SUBJECT_POLICY_CHANGED = "headend.policy.changed"


def command_subject(gateway: str) -> str:
    return f"gw.{gateway}.cmd"


def to_json(value: Any) -> str:
    """Compact JSON of what a message carries."""
    return json.dumps(value, separators=(",", ":"))


def _frame(head: dict[str, Any], body: bytes) -> bytes:
    encoded = to_json(head).encode()
    return len(encoded).to_bytes(4, "big") + encoded + body


def _unframe(data: bytes) -> tuple[dict[str, Any], bytes]:
    end = 4 + int.from_bytes(data[:4], "big")
    return json.loads(data[4:end]), data[end:]


@dataclass(frozen=True, slots=True)
class Command:
    """One HTTP request for a gateway, the head-end being HTTP client on its MANAGEMENT connection.

    ``operation``: ``request`` (default), ``status`` (what is known of the connection; no traffic) or ``close``.
    ``timeout`` in seconds for the gateway's answer (A2 §7.1.1: e.g. 20 s).
    """

    method: str = "GET"
    target: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float = 20.0
    operation: str = "request"

    def encode(self) -> bytes:
        head = {f: getattr(self, f) for f in ("method", "target", "headers", "timeout", "operation")}
        return _frame(head, self.body)

    @classmethod
    def decode(cls, data: bytes) -> "Command":
        head, body = _unframe(data)
        return cls(body=body, **head)


@dataclass(frozen=True, slots=True)
class Answer:
    """The gateway's HTTP response, or ``refusal`` = code of why there is none (``status`` 0 then)."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    refusal: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        head = {f: getattr(self, f) for f in ("status", "headers", "refusal", "details")}
        return _frame(head, self.body)

    @classmethod
    def decode(cls, data: bytes) -> "Answer":
        head, body = _unframe(data)
        return cls(body=body, **head)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a head-end saw. ``kind``: ``connected``, ``disconnected``, ``refused`` (TLS or policy),
    ``notify`` (a POST on ADMIN-SERVICE, ``body`` as received), ``time`` (an NTP answer given),
    ``emt`` (an EMT's POST on EMT-SERVICE).

    ``device``: 14-character id or the peer's CN as far as it is known. ``details`` carries among others
    ``scenario`` (MANAGEMENT, ADMIN-SERVICE, NTP), ``seal`` (bool), ``serial`` (hex of the peer certificate),
    ``why`` (refusal code), ``target``, ``headers``, ``peer`` (address), ``headend`` (node name), ``session`` (id).
    ``id``: UUID, stable over retries of the same fact, so that storing twice is storing once. ``at``: ISO 8601 UTC.
    """

    id: str
    kind: str
    device: str
    at: str
    details: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""

    def encode(self) -> bytes:
        return _frame({f: getattr(self, f) for f in ("id", "kind", "device", "at", "details")}, self.body)

    @classmethod
    def decode(cls, data: bytes) -> "Fact":
        head, body = _unframe(data)
        return cls(body=body, **head)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a head-end must know to let peers in; the whole of it each time, ``version`` grows.

    ``revoked``: issuer name (RFC 4514) → serial numbers in hex of revoked or suspended certificates.
    ``blocklist``: device ids refused whatever they show (ours; P19). ``commissioning``: device ids whose seal
    certificates are let in now (there is an open commissioning run).
    ``None`` there: every seal certificate of a trusted maker (only for tests and benches).
    """

    version: int = 0
    revoked: dict[str, list[str]] = field(default_factory=dict)
    blocklist: list[str] = field(default_factory=list)
    commissioning: list[str] | None = field(default_factory=list)

    def encode(self) -> bytes:
        """Compressed JSON, so that a hundred thousand serial numbers fit into one message of the bus."""
        return zlib.compress(to_json(asdict(self)).encode())

    @classmethod
    def decode(cls, data: bytes) -> "Policy":
        return cls(**json.loads(zlib.decompress(data)))


class GatewayLink(Protocol):
    """Blocking way from a process to a gateway. Raises ``Refusal``: ``gateway.not_connected`` (no head-end holds it),
    ``gateway.timeout`` (no answer in time; the connection is closed), ``gateway.connection_lost`` (broke during the
    exchange; whether the gateway acted is unknown), ``bus.unavailable``.
    """

    def exchange(self, gateway: str, command: Command) -> Answer: ...

    def connected(self, gateway: str) -> dict[str, Any] | None:
        """Details of the open MANAGEMENT connection (``seal``, ``since``, ``serial``, …) or ``None``."""
        ...

    def close(self, gateway: str) -> None:
        """End the gateway's connections; none open is no error."""
        ...

    def send_wake_up(self, address: tuple[str, int], packet: bytes) -> None:
        """Send one datagram; no answer is ever expected (spec/04 §1.5)."""
        ...

    def policy_changed(self) -> None:
        """Nudge all head-ends to ask for the policy anew; a lost nudge costs some minutes, nothing else."""
        ...
