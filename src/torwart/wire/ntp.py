"""NTP as gateways speak it: a bare 48-octet header of RFC 5905 inside TLS (TR-03109-1 Detailspezifikation ch. 14).

No UDP header, no extensions, no NTP authentication, client/server mode only. Both ends are here as pure functions:
``request`` and ``evaluate`` for the client, ``answer`` for the server. What the standard says to ignore is refused.

Timestamps on the wire are 64-bit fixed point (seconds since 1900 modulo 2^32, fraction); 0 means "not set". On
8 February 2036 the seconds begin anew at 0 (era 1); ``Conversion`` says which century a timestamp is read in.
"""

import secrets
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from torwart.kernel.refusals.ntp import (
    NTP_CONVERSION,
    NTP_DELAYED,
    NTP_ORIGIN,
    NTP_REQUEST,
    NTP_RESPONSE,
    NTP_STEP,
    NTP_UNSYNCHRONISED,
)

__all__ = [
    "DEFAULT_CONVERSION",
    "MAX_ROUND_TRIP",
    "MAX_STEP",
    "MIN_POLL_INTERVAL",
    "PACKET_SIZE",
    "ClockState",
    "Conversion",
    "Packet",
    "Server",
    "Synchronisation",
    "answer",
    "classify",
    "evaluate",
    "may_poll",
    "request",
    "to_timestamp",
]

PACKET_SIZE = 48
MAX_ROUND_TRIP = timedelta(seconds=9)
MAX_STEP = timedelta(seconds=1000)
MIN_POLL_INTERVAL = timedelta(minutes=1)

_VERSION = 4
_CLIENT = 3
_SERVER = 4
_NOT_SYNCHRONISED = 3
_MINIMAL_PRECISION = 32
_LAYOUT = struct.Struct(">BBbbII4sQQQQ")
_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
_ERA = 2**32
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Packet:
    """NTPMessage of Table 14.1. Times are 64-bit timestamps, ``root_delay`` and ``root_dispersion`` 16.16 seconds."""

    leap: int = 0
    version: int = _VERSION
    mode: int = _CLIENT
    stratum: int = 0
    poll: int = 0
    precision: int = 0
    root_delay: int = 0
    root_dispersion: int = 0
    reference_id: bytes = bytes(4)
    reference: int = 0
    origin: int = 0
    receive: int = 0
    transmit: int = 0

    def encode(self) -> bytes:
        """48 octets, „in Network Byte-Order (MSB first)“."""
        first = self.leap << 6 | self.version << 3 | self.mode
        clock = (self.stratum, self.poll, self.precision, self.root_delay, self.root_dispersion, self.reference_id)
        return _LAYOUT.pack(first, *clock, self.reference, self.origin, self.receive, self.transmit)

    @classmethod
    def decode(cls, octets: bytes) -> "Packet":
        """``ValueError`` if there are not 48 octets; every 48 octets are a packet."""
        if len(octets) != PACKET_SIZE:
            raise ValueError(f"{len(octets)} octets instead of {PACKET_SIZE}")
        first, *rest = _LAYOUT.unpack(octets)
        return cls(first >> 6, first >> 3 & 7, first & 7, *rest)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The time range timestamps are converted into (ICS.TA.NTP.ProcessResponse.10); shorter than 2^32 s, 136 years."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if not timedelta() < self.until - self.since <= timedelta(seconds=_ERA):
            raise ValueError("a conversion range is positive and at most 2^32 seconds long")

    def to_datetime(self, timestamp: int) -> datetime:
        """The one instant of the range with this timestamp, in UTC to the microsecond; refuses ``ntp.conversion``."""
        seconds, fraction = divmod(timestamp, _ERA)
        start = (self.since - _EPOCH) // timedelta(seconds=1)
        whole = timedelta(seconds=start + (seconds - start) % _ERA, microseconds=fraction * 1_000_000 // _ERA)
        if timestamp == 0 or whole >= self.until - _EPOCH or whole < self.since - _EPOCH:
            raise NTP_CONVERSION()
        return _EPOCH + whole


DEFAULT_CONVERSION = Conversion(datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC))
"""Ours: crosses the turn of the era in 2036 and that of signed 32-bit UTC counters in 2038."""


def to_timestamp(at: datetime) -> int:
    """The 64-bit timestamp of an aware instant, rounded up to the next fraction so that it converts back exactly."""
    microseconds = (at - _EPOCH) // _MICROSECOND
    return -(-(microseconds << 32) // 1_000_000) % (_ERA * _ERA)


def request(transmit: int | None = None) -> Packet:
    """A client's request with the least data (REQ.TA.NTP.BuildRequest.40, column „Datenminimierung“).

    ``transmit``: by default random, so that an answer can be told to belong to it („0 oder random“).
    """
    nonce = secrets.randbits(64) | 1 if transmit is None else transmit
    return Packet(mode=_CLIENT, precision=_MINIMAL_PRECISION, transmit=nonce)


@dataclass(frozen=True, slots=True)
class Server:
    """The NTP process variables of a server (RFC 5905 9.2). ``synchronised_at``: None if it never was, or too long ago.

    ``upstream_stratum``: of the server it takes its time from. ``poll`` and ``precision``: log2 seconds.
    ``root_delay`` and ``root_dispersion``: to the root, from it.
    """

    synchronised_at: datetime | None
    upstream_stratum: int = 1
    reference_id: bytes = b"\x7f\x00\x00\x01"
    poll: int = 6
    precision: int = -18
    root_delay: timedelta = timedelta()
    root_dispersion: timedelta = timedelta()


def answer(octets: bytes, *, server: Server, received_at: datetime, now: datetime) -> bytes:
    """The server's 48 octets; refuses ``ntp.request`` for what must be ignored. Instants are those of its own clock."""
    asked = _checked_request(octets)
    times = Packet(
        mode=_SERVER,
        poll=server.poll,
        precision=server.precision,
        origin=asked.transmit,
        receive=to_timestamp(received_at),
        transmit=to_timestamp(now),
    )
    if server.synchronised_at is None:
        # REQ.TA.NTP.BuildResponse.20: „Sofern die Systemzeit … nicht mit dem Upstream-Zeitserver synchronisiert wurde
        # MUSS die Implementierung das Datenfeld "leap" gleich 3 erzeugen.“ Table 14.1: then stratum 0 and a kiss code.
        return replace(times, leap=_NOT_SYNCHRONISED, reference_id=b"INIT").encode()
    # REQ.TA.NTP.BuildResponse.41: „… das Datenfeld "stratum" eins höher als das Stratum des Upstream-Servers“
    return replace(
        times,
        stratum=server.upstream_stratum + 1,
        root_delay=_short(server.root_delay),
        root_dispersion=_short(server.root_dispersion),
        reference_id=server.reference_id,
        reference=to_timestamp(server.synchronised_at),
    ).encode()


def _checked_request(octets: bytes) -> Packet:
    # REQ.TA.NTP.ProcessRequest.10: „… MUSS einen NTP-Request mit einer Länge ungleich 48 Bytes, einem Datenfeld "mode"
    # ungleich 3 (Client) oder einer "version" ungleich 4 ignorieren.“
    try:
        asked = Packet.decode(octets)
    except ValueError as error:
        raise NTP_REQUEST(why=error) from None
    if asked.mode != _CLIENT:
        raise NTP_REQUEST(why=f"mode {asked.mode}")
    if asked.version != _VERSION:
        raise NTP_REQUEST(why=f"version {asked.version}")
    return asked


def _short(duration: timedelta) -> int:
    """16.16 fixed-point seconds, at the most what fits."""
    return min((duration // _MICROSECOND << 16) // 1_000_000, 2**32 - 1)


@dataclass(frozen=True, slots=True)
class Synchronisation:
    """What a good answer says. ``offset``: to be added to the client's clock. ``delay``: of the network, both ways.

    ``max_error``: root delay / 2 + root dispersion (DS 14.3.2.1). ``transmitted``: the server's clock as it answered.
    """

    offset: timedelta
    delay: timedelta
    max_error: timedelta
    stratum: int
    leap: int
    transmitted: datetime


def evaluate(
    octets: bytes,
    *,
    asked: Packet,
    sent_at: datetime,
    received_at: datetime,
    synchronised: bool,
    conversion: Conversion = DEFAULT_CONVERSION,
) -> Synchronisation:
    """Judge an answer to ``asked``. ``sent_at`` and ``received_at``: by the client's clock, whatever it shows.

    ``synchronised``: whether that clock is believed; if not, the first authentic time may set it however far it is off
    (DS 14.1.1). Refuses what TA.NTP.ProcessResponse ignores, each rule by its own kind.
    """
    # REQ.TA.NTP.ProcessResponse.10: „… ignorieren, die auf dem Transportweg unzulässig verzögert wurden, d.h. die
    # Differenz aus Versandzeitpunkt … und Empfangszeitpunkt … sind größer als 9 Sekunden.“
    round_trip = received_at - sent_at
    if not timedelta() <= round_trip <= MAX_ROUND_TRIP:
        raise NTP_DELAYED(seconds=round_trip.total_seconds())
    packet = _checked_response(octets, asked)
    # REQ.TA.NTP.ProcessResponse.40: „… deren Zeitstempel des Datenfeldes "transmitTimestamp" nicht in dem …
    # deklarierten Zeitraum zur korrekten Konvertierung in die UTC-Systemzeit liegt.“
    transmitted = conversion.to_datetime(packet.transmit)
    received = conversion.to_datetime(packet.receive)
    # REQ.TA.NTP.ProcessResponse.110: „Falls die Systemzeit im synchronisierten Zustand ist, SOLL … ignorieren, bei
    # denen die Differenz zwischen "SystemTime" und empfangenem "transmitTimestamp" größer als 1000s ist.“
    step = transmitted - received_at
    if synchronised and abs(step) > MAX_STEP:
        raise NTP_STEP(seconds=step.total_seconds())
    # RFC 5905 8: theta = ((T2 - T1) + (T3 - T4)) / 2, delta = (T4 - T1) - (T3 - T2), the latter never below zero.
    return Synchronisation(
        offset=((received - sent_at) + (transmitted - received_at)) / 2,
        delay=max(round_trip - (transmitted - received), timedelta()),
        max_error=_long(packet.root_delay) / 2 + _long(packet.root_dispersion),
        stratum=packet.stratum,
        leap=packet.leap,
        transmitted=transmitted,
    )


def _checked_response(octets: bytes, asked: Packet) -> Packet:
    try:
        packet = Packet.decode(octets)
    except ValueError as error:
        raise NTP_RESPONSE(why=error) from None
    # REQ.TA.NTP.ProcessResponse.51: „… Nachrichten mit Datenfeld "version" < "4" (Nicht RFC5905-konform) ignorieren.“
    if packet.version < _VERSION:
        raise NTP_RESPONSE(why=f"version {packet.version}")
    # REQ.TA.NTP.ProcessResponse.52: „… Nachrichten mit Datenfeld "mode" ungleich "4" (Server) ignorieren.“
    if packet.mode != _SERVER:
        raise NTP_RESPONSE(why=f"mode {packet.mode}")
    # REQ.TA.NTP.ProcessResponse.30: „… deren Zeitstempel "originTimestamp" nicht identisch mit dem zuletzt gesendeten
    # Zeitstempel "transmitTimestamp" des NTP-Requests ist.“
    if packet.origin != asked.transmit:
        raise NTP_ORIGIN()
    # REQ.TA.NTP.ProcessResponse.50: „… Nachrichten mit Datenfeld "leap"=3 (Nicht synchronisierter NTP-Server)“
    if packet.leap == _NOT_SYNCHRONISED:
        raise NTP_UNSYNCHRONISED()
    return packet


def _long(short: int) -> timedelta:
    return timedelta(microseconds=short * 1_000_000 >> 16)


def may_poll(last: datetime | None, now: datetime) -> bool:
    """DS 14.3.2.2: „… die höchste Poll-Frequenz der Zeitsynchronisation … auf einmal pro Minute limitiert“."""
    return last is None or now - last >= MIN_POLL_INTERVAL


class ClockState(StrEnum):
    """How far a clock is off, measured against the registration period it serves."""

    VALID = "valid"
    WARNING = "warning"
    INVALID = "invalid"


def classify(
    deviation: timedelta,
    *,
    registration_period: timedelta = timedelta(minutes=15),
    warning: float = 0.01,
    invalid: float = 0.03,
) -> ClockState:
    """Above 1 % of the registration period a warning, above 3 % the time is invalid (9 s and 27 s of 900 s).

    PTB-A 50.8 lets the interval between two registrations vary by ±1 %; at more than 3 % field gateways stop
    trusting their clock. Both limits are configurable.
    """
    off = abs(deviation)
    if off > registration_period * invalid:
        return ClockState.INVALID
    return ClockState.WARNING if off > registration_period * warning else ClockState.VALID
