"""The combined status word of a reading: 64 bits, gateway word then meter word (DS ch. 15, Tabelle 15.1).

Conventional reading: bit 0 is the least significant of its word; normal is ``0000000500000004``. DS: "Die Zuordnung
von Bit 0 zu MSB und LSB ist vom verwendeten Protokoll und Schnittstelle abhängig" – one maker's HAN interface prints
each word bit-reversed (normal ``a0000000``), which ``parse(…, reversed_bits=True)`` reads.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from torwart.kernel.refusals.readings import READINGS_STATUS

_HEX = re.compile("[0-9a-fA-F]{1,16}")


class MeterType(StrEnum):
    """Whose column of Tabelle 15.1 the meter word follows."""

    BZ = "FNN BZ"
    G697 = "DVGW G697"
    OMS = "OMS"
    OTHER = "other"


class Effect(StrEnum):
    """What a set bit means for the value, by the signal names Tabelle 15.1 puts in brackets."""

    NOTE = "note"
    WARNING = "warning"
    TIME = "time"
    TAMPER = "tamper"
    ERROR = "error"
    FATAL = "fatal"


class StatusPTB(StrEnum):
    """The five classes TRuDI reduces a status word to (order of severity)."""

    NO_ERROR = "NoError"
    WARNING = "Warning"
    TEMPORARY_ERROR = "TemporaryError"
    CRITICAL_TEMPORARY_ERROR = "CriticalTemporaryError"
    FATAL_ERROR = "FatalError"


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of Tabelle 15.1 that can be set."""

    number: int
    name: str
    effect: Effect


def _bits(*rows: tuple[int, str, Effect]) -> tuple[Bit, ...]:
    return tuple(Bit(*row) for row in rows)


_N, _W, _TI, _TA, _E, _F = Effect

NOT_VALIDATED, GATEWAY_ERROR, TIME_NOT_VALID = 1 << 1, 1 << 8, 1 << 9
GATEWAY_WARNING, NO_VALUE, TAMPER, METER_ERROR = 1 << 12, 1 << 13, 1 << 14, 1 << 15
TRIGGERED, WIRELESS = 1 << 16, 1 << 17
_ALWAYS = 1 << 0 | 1 << 2
"""Gateway word: "0 1", "2 1" in every column."""

GATEWAY_BITS = _bits(
    (1, "SMGW_ValueNotValidated", _W),
    (8, "SMGW_Error", _F),
    (9, "SMGW_TimeNotValid", _TI),
    (12, "SMGW_Warning", _W),
    (13, "SMGW_NoValue", _E),
    (14, "MTR_Tamper", _TA),
    (15, "MTR_Error", _E),
    (16, "SMGW_ValueTriggered", _N),
    (17, "OMS", _N),
)

METER_BITS: dict[MeterType, tuple[Bit, ...]] = {
    MeterType.BZ: _bits(
        (2, "BZ", _N),
        (8, "load present", _N),
        (9, "magnetic tampering", _TA),
        (10, "mechanical tampering", _TA),
        (11, "direction of sum -A", _N),
        (12, "direction of L1 -A", _N),
        (13, "direction of L2 -A", _N),
        (14, "direction of L3 -A", _N),
        (15, "rotating field", _N),
        (16, "backstop active", _N),
        (17, "fatal error", _F),
        (18, "L1 voltage present", _N),
        (19, "L2 voltage present", _N),
        (20, "L3 voltage present", _N),
    ),
    MeterType.G697: _bits(
        (3, "G697", _N),
        (8, "collective alarm", _W),
        (9, "bypass, magnetic or electric", _TA),
        (10, "bypass, physical or mechanical", _TA),
        (11, "operating volume disturbed", _W),
        (12, "pressure or density disturbed", _W),
        (13, "temperature or normal density disturbed", _W),
        (14, "compressibility disturbed", _W),
        (15, "energy computation disturbed", _W),
        (16, "below measuring range", _W),
        (17, "fatal error", _F),
        (18, "above measuring range", _W),
        (19, "source device disturbed", _W),
        (20, "warning below measuring range", _W),
        (21, "warning above measuring range", _W),
        (22, "battery operating time", _W),
        (23, "metrological log over 90 %", _W),
        (24, "metrological log warning", _W),
        (25, "billing value touched", _W),
        (26, "parameter changed", _W),
        (27, "revision note", _W),
    ),
    MeterType.OMS: _bits(
        (0, "error byte 1 present", _N),
        (1, "magnetic tampering", _TA),
        (2, "connection to meter or valve broken", _W),
        (3, "hardware or software error", _E),
        (4, "battery removed or shutdown", _W),
        (5, "critical external error", _F),
        (6, "battery low", _W),
        (7, "mechanical tampering", _TA),
        (8, "error byte 2 present", _N),
        (9, "clock synchronisation error", _TI),
        (10, "meter out of range", _W),
        (11, "consumption out of range", _W),
        (12, "no flow", _W),
        (13, "leakage", _W),
        (14, "credit limit exceeded", _N),
        (15, "unauthorised access attempt", _N),
        (16, "error byte 3 present", _N),
        (17, "historical meter out of range", _N),
        (18, "historical no flow", _N),
        (19, "historical leakage", _N),
        (20, "historical external alarm", _N),
        (21, "historical connection broken", _N),
        (22, "historical magnetic tampering", _N),
        (23, "historical mechanical tampering", _N),
        (24, "maker specific 24", _N),
        (25, "maker specific 25", _N),
        (26, "maker specific 26", _N),
        (27, "temporary error", _E),
        (28, "permanent error", _F),
        (29, "supply low", _W),
        (30, "other application error", _E),
        (31, "application busy", _N),
    ),
    MeterType.OTHER: (),
}
"""G697 bit 28 ("0: Zustand Eichschloss offen") is set in the good state and so is no flag; it may be either."""

_MAY_ALSO = {MeterType.G697: 1 << 28}


def _allowed(bits: tuple[Bit, ...]) -> int:
    return sum(1 << bit.number for bit in bits)


_GATEWAY_MAY = _ALWAYS | _allowed(GATEWAY_BITS)
_METER_MAY = {kind: _allowed(bits) | _MAY_ALSO.get(kind, 0) for kind, bits in METER_BITS.items()}
_METER_MUST = {MeterType.BZ: 1 << 2, MeterType.G697: 1 << 3, MeterType.OMS: 0, MeterType.OTHER: 0}


def _reversed(word: int) -> int:
    return int(f"{word:032b}"[::-1], 2)


@dataclass(frozen=True, slots=True)
class StatusWord:
    """``gateway`` and ``meter``: the two 32-bit words, bit 0 least significant."""

    gateway: int
    meter: int

    @classmethod
    def parse(cls, text: str, *, reversed_bits: bool = False) -> Self:
        """Read up to 16 hex digits, zeros on the left may be missing (as TRuDI reads them); with ``reversed_bits``
        8 digits are the gateway word alone. Refuses ``readings.status``.
        """
        if not _HEX.fullmatch(text):
            raise READINGS_STATUS(text=text[:40])
        if not reversed_bits:
            value = int(text, 16)
            return cls(value >> 32, value & 0xFFFFFFFF)
        if len(text) not in (8, 16):
            raise READINGS_STATUS(text=text)
        return cls(_reversed(int(text[:8], 16)), _reversed(int(text[8:] or "0", 16)))

    @classmethod
    def of_octets(cls, octets: bytes) -> Self:
        if len(octets) != 8:
            raise READINGS_STATUS(text=octets[:20].hex())
        return cls.parse(octets.hex())

    @property
    def octets(self) -> bytes:
        return self.gateway.to_bytes(4, "big") + self.meter.to_bytes(4, "big")

    def __str__(self) -> str:
        return self.octets.hex()

    @property
    def meter_type(self) -> MeterType:
        """DS 15.1: bit 17 of the gateway word tells wireless, bits 2 and 3 of the meter word the wired kinds."""
        if self.gateway & WIRELESS:
            return MeterType.OMS
        if self.meter & 1 << 2:
            return MeterType.BZ
        return MeterType.G697 if self.meter & 1 << 3 else MeterType.OTHER

    @property
    def flags(self) -> tuple[Bit, ...]:
        """The bits that are set and mean something, gateway word first."""
        meter = METER_BITS[self.meter_type]
        return tuple(bit for bit in GATEWAY_BITS if self.gateway >> bit.number & 1) + tuple(
            bit for bit in meter if self.meter >> bit.number & 1
        )

    @property
    def well_formed(self) -> bool:
        """Whether only bits are set that Tabelle 15.1 knows, and those that are always 1 are."""
        kind = self.meter_type
        if kind is not MeterType.OMS and self.gateway & METER_ERROR:
            return False  # bit 15: "0" in both wired columns
        gateway = self.gateway & _ALWAYS == _ALWAYS and not self.gateway & ~_GATEWAY_MAY
        must = _METER_MUST[kind]
        return gateway and self.meter & must == must and not self.meter & ~_METER_MAY[kind]

    @property
    def billable(self) -> bool:
        """Whether the value may be billed: present, valid in time, validated, without error or tampering."""
        bad = NOT_VALIDATED | GATEWAY_ERROR | TIME_NOT_VALID | NO_VALUE | TAMPER | METER_ERROR
        return not self.gateway & bad and self.ptb in (StatusPTB.NO_ERROR, StatusPTB.WARNING)

    @property
    def ptb(self) -> StatusPTB:
        """TRuDI's mapping (StatusFNN.cs), with every meter's fatal bit where TRuDI knows only the FNN BZ."""
        meter_fatal = any(
            self.meter >> bit.number & 1 for bit in METER_BITS[self.meter_type] if bit.effect is Effect.FATAL
        )
        if meter_fatal or self.gateway & GATEWAY_ERROR:
            return StatusPTB.FATAL_ERROR
        if self.gateway & (TIME_NOT_VALID | TAMPER):
            return StatusPTB.CRITICAL_TEMPORARY_ERROR
        if self.gateway & NO_VALUE:
            return StatusPTB.TEMPORARY_ERROR
        return StatusPTB.WARNING if self.gateway & GATEWAY_WARNING else StatusPTB.NO_ERROR


NORMAL = StatusWord(5, 4)
"""A basic meter without anything to report."""
