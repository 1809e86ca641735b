"""The combined status word of a reading: 64 bits, the gateway's 32 before the meter's 32 (TR-03109-1 DS 2.0 ch. 15).

„… das Statuswort …, das aus dem 32-Bit Statuswort des SMGW und dem 32 Bit Statuswort der Messeinrichtung kombiniert
wird" (§15.1). What a meter's bit means depends on the kind of meter:

| gateway bit 17 | meter bit 2 | meter bit 3 | meter word after |
|---|---|---|---|
| 1 | any | any | OMS, wireless |
| 0 | 1 | 0 | FNN Lastenheft Basiszähler |
| 0 | 0 | 1 | DVGW G697, gas by wire |
| 0 | else | else | unknown |

Bit 0 is the least significant one. DS2 says the numbering „depends on protocol and interface“: one maker's HAN
interface prints each half with its bits reversed (normal: ``a000000020000000``); ``parse_bit_reversed`` reads that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag, StrEnum
from typing import Self

from torwart.kernel.refusals.readings import STATUS_WORD_MALFORMED
from torwart.kernel.words import Words

_HEX = re.compile(r"[0-9a-fA-F]{1,16}")
_REVERSED = re.compile(r"[0-9a-fA-F]{8}(?:[0-9a-fA-F]{8})?")
_HALF = 0xFFFFFFFF


class GatewayFlag(IntFlag):
    """The bits of the gateway's word that say something; names after DS2 Tab. 15.1."""

    VALUE_NOT_VALIDATED = 1 << 1
    ERROR = 1 << 8
    TIME_NOT_VALID = 1 << 9
    WARNING = 1 << 12
    NO_VALUE = 1 << 13
    METER_TAMPER = 1 << 14
    METER_ERROR = 1 << 15
    VALUE_TRIGGERED = 1 << 16
    WIRELESS = 1 << 17


class MeterFlag(IntFlag):
    """The bits of a FNN Basiszähler's word that say something (DS2 Tab. 15.1, first column)."""

    LOAD_PRESENT = 1 << 8
    MAGNETIC_TAMPER = 1 << 9
    MECHANICAL_TAMPER = 1 << 10
    FEEDING_IN = 1 << 11
    FEEDING_IN_L1 = 1 << 12
    FEEDING_IN_L2 = 1 << 13
    FEEDING_IN_L3 = 1 << 14
    ROTATION_REVERSED = 1 << 15
    BACKSTOP = 1 << 16
    FATAL = 1 << 17
    VOLTAGE_L1 = 1 << 18
    VOLTAGE_L2 = 1 << 19
    VOLTAGE_L3 = 1 << 20


class MeterKind(StrEnum):
    """By which column of DS2 Tab. 15.1 the meter's word is to be read."""

    BASIC = "basic"
    G697 = "g697"
    OMS = "oms"
    UNKNOWN = "unknown"


class StatusPtb(IntEnum):
    """The five grades of PTB-A 50.7 that a billing view carries as ``statusPTB``; larger is worse."""

    NO_ERROR = 0
    WARNING = 1
    TEMPORARY_ERROR = 2
    CRITICAL_TEMPORARY_ERROR = 3
    FATAL_ERROR = 4


@dataclass(frozen=True, slots=True)
class StatusBit:
    """One row of DS2 Tab. 15.1. ``signal`` is the name in its brackets (``MTR_Tamper``), ``""`` for a plain state."""

    words: Words
    signal: str = ""


_GATEWAY_ALWAYS = 1 << 0 | 1 << 2
_BASIC_ALWAYS = 1 << 2
_G697_ALWAYS = 1 << 3

# Most significant bit left; x: either. What TRuDI checks (spec/04 §1.10) is this with bit 16 held at 0.
_GATEWAY_WIRED = "000000000000000x0xxx00xx000001x1"
_GATEWAY_WIRELESS = "000000000000001xxxxx00xx000001x1"
_METER_FORMS = {
    MeterKind.BASIC: "00000000000xxxxxxxxxxxxx00000100",
    MeterKind.G697: "000xxxxxxxxxxxxxxxxxxxxx00001000",
    MeterKind.OMS: "x" * 32,
    MeterKind.UNKNOWN: "x" * 32,
}


def _fixed(form: str) -> tuple[int, int]:
    """Which bits ``form`` fixes and to what."""
    return int(form.replace("0", "1").replace("x", "0"), 2), int(form.replace("x", "0"), 2)


_FIXED_GATEWAY = {wireless: _fixed(form) for wireless, form in ((False, _GATEWAY_WIRED), (True, _GATEWAY_WIRELESS))}
_FIXED_METER = {kind: _fixed(form) for kind, form in _METER_FORMS.items()}


@dataclass(frozen=True, slots=True)
class StatusWord:
    """One status word: ``gateway`` and ``meter`` are the two halves as unsigned 32-bit numbers.

    Any 64 bits are a word, because a reader has to keep what it is given; ``is_valid`` says whether they fit DS2.
    """

    gateway: int
    meter: int

    def __post_init__(self) -> None:
        if not (0 <= self.gateway <= _HALF and 0 <= self.meter <= _HALF):
            raise STATUS_WORD_MALFORMED(text=f"{self.gateway:x} {self.meter:x}"[:60])

    @classmethod
    def of(cls, gateway: int = 0, meter: int = 0) -> Self:
        """The word of a wired electricity meter with these ``GatewayFlag`` and ``MeterFlag``.

        The bits that are always 1 come by themselves.
        """
        return cls(_GATEWAY_ALWAYS | int(gateway), _BASIC_ALWAYS | int(meter))

    @classmethod
    def combine(cls, gateway: int, meter_word: int) -> Self:
        """What a gateway does: its own ``GatewayFlag`` before the 32 bits the meter sent, unchanged."""
        return cls(_GATEWAY_ALWAYS | int(gateway), meter_word)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Up to 16 hex digits, shorter ones padded with zeros on the left; refuses ``status_word.malformed``."""
        if not _HEX.fullmatch(text):
            raise STATUS_WORD_MALFORMED(text=text[:60])
        return cls.from_int(int(text, 16))

    @classmethod
    def parse_bit_reversed(cls, text: str) -> Self:
        """16 hex digits whose halves are printed bit 0 first; 8 digits are a gateway's word alone."""
        if not _REVERSED.fullmatch(text):
            raise STATUS_WORD_MALFORMED(text=text[:60])
        return cls(_mirror(text[:8]), _mirror(text[8:] or "0"))

    @classmethod
    def from_int(cls, value: int) -> Self:
        """The word as one unsigned 64-bit number."""
        return cls(value >> 32, value & _HALF)

    def __int__(self) -> int:
        return self.gateway << 32 | self.meter

    @property
    def hex(self) -> str:
        """Sixteen lower-case hex digits, as the octet-string on the wire."""
        return f"{int(self):016x}"

    def __str__(self) -> str:
        return self.hex

    @property
    def octets(self) -> bytes:
        """Eight octets, most significant first."""
        return int(self).to_bytes(8, "big")

    @property
    def gateway_flags(self) -> GatewayFlag:
        return GatewayFlag(self.gateway & ~_GATEWAY_ALWAYS)

    @property
    def meter_flags(self) -> MeterFlag:
        """The flags of a FNN Basiszähler; no flags for any other kind of meter."""
        return MeterFlag(self.meter & ~_BASIC_ALWAYS if self.meter_kind is MeterKind.BASIC else 0)

    @property
    def meter_kind(self) -> MeterKind:
        """§15.1: „durch Bit 17 des SMGW-Statuswortes“ and „durch Bit 2 und 3 des Messgeräte-Statuswortes“."""
        if self.gateway & GatewayFlag.WIRELESS:
            return MeterKind.OMS
        return _KIND_BY_TYPE_BITS.get(self.meter & (_BASIC_ALWAYS | _G697_ALWAYS), MeterKind.UNKNOWN)

    @property
    def strange_bits(self) -> int:
        """The bits, of all 64, that differ from what DS2 Tab. 15.1 fixes them to; 0 for a valid word."""
        fixed, value = _FIXED_GATEWAY[bool(self.gateway & GatewayFlag.WIRELESS)]
        meter_fixed, meter_value = _FIXED_METER[self.meter_kind]
        return ((self.gateway ^ value) & fixed) << 32 | (self.meter ^ meter_value) & meter_fixed

    @property
    def is_valid(self) -> bool:
        """Whether the word fits DS2 Tab. 15.1 and its meter is of a kind the table knows."""
        return self.strange_bits == 0 and self.meter_kind is not MeterKind.UNKNOWN

    @property
    def ptb(self) -> StatusPtb:
        """How bad it is, graded as PTB's display software TRuDI grades it (spec/04 §1.10); the worst one counts."""
        flags = self.gateway_flags
        if flags & GatewayFlag.ERROR or self._meter_is_broken:
            return StatusPtb.FATAL_ERROR
        for culprits, grade in _GRADES:
            if flags & culprits:
                return grade
        return StatusPtb.NO_ERROR

    @property
    def _meter_is_broken(self) -> bool:
        """MTR_Fatal: the same bit for FNN Basiszähler and G697, two others for OMS."""
        fatal = 1 << 5 | 1 << 28 if self.meter_kind is MeterKind.OMS else int(MeterFlag.FATAL)
        return bool(self.meter & fatal)

    @property
    def bits(self) -> tuple[StatusBit, ...]:
        """What the set bits say, the gateway's first, each in rising order; bits that only mark a type are left out."""
        said = [(self.gateway, GATEWAY_BITS), (self.meter, METER_BITS[self.meter_kind])]
        return tuple(bit for word, table in said for number, bit in table.items() if word >> number & 1)


def _mirror(half: str) -> int:
    """32 bits read from the other end."""
    return int(f"{int(half, 16):032b}"[::-1], 2)


_KIND_BY_TYPE_BITS = {_BASIC_ALWAYS: MeterKind.BASIC, _G697_ALWAYS: MeterKind.G697}

_GRADES = (
    (GatewayFlag.TIME_NOT_VALID | GatewayFlag.METER_TAMPER, StatusPtb.CRITICAL_TEMPORARY_ERROR),
    (GatewayFlag.NO_VALUE, StatusPtb.TEMPORARY_ERROR),
    (GatewayFlag.WARNING, StatusPtb.WARNING),
)

NORMAL = StatusWord.of()
"""``0000000500000004``: all well, FNN Basiszähler."""


def _bit(de: str, en: str, signal: str = "") -> StatusBit:
    return StatusBit(Words(de, en), signal)


_WARNING, _TAMPER, _ERROR, _FATAL = "MTR_Warning", "MTR_Tamper", "MTR_Error", "MTR_Fatal"

GATEWAY_BITS: Mapping[int, StatusBit] = {
    1: _bit("Messwert nicht zur Abrechnung", "value not for billing", "SMGW_ValueNotValidated"),
    8: _bit("fataler Fehler im Gateway", "fatal error in the gateway", "SMGW_Error"),
    9: _bit("Systemzeit des Gateways ungültig", "system time of the gateway invalid", "SMGW_TimeNotValid"),
    12: _bit("Warnung im Gateway", "warning in the gateway", "SMGW_Warning"),
    13: _bit("kein Messwert im Empfangszeitfenster", "no value within the reception window", "SMGW_NoValue"),
    14: _bit("Manipulation an der Messeinrichtung erkannt", "tampering with the meter detected", _TAMPER),
    15: _bit("Fehler am Zähler", "error of the meter", _ERROR),
    16: _bit("Versand wegen Schwellwertüberschreitung", "sent because a threshold was passed", "SMGW_ValueTriggered"),
}

_BASIC_BITS: Mapping[int, StatusBit] = {
    8: _bit("Wirkleistung vorhanden", "active power present"),
    9: _bit("magnetische Manipulation", "magnetic tampering", _TAMPER),
    10: _bit("Klemmdeckel oder Plombierstift offen", "terminal cover or sealing pin open", _TAMPER),
    11: _bit("Energierichtung Summe -A", "sum of energy flows out (-A)"),
    12: _bit("Energierichtung L1 -A", "energy of L1 flows out (-A)"),
    13: _bit("Energierichtung L2 -A", "energy of L2 flows out (-A)"),
    14: _bit("Energierichtung L3 -A", "energy of L3 flows out (-A)"),
    15: _bit("Drehfeld nicht L1-L2-L3", "rotating field not L1-L2-L3"),
    16: _bit("Rücklaufsperre aktiviert", "backstop active"),
    17: _bit("eichrechtlich relevanter Fehler", "error relevant to calibration law", _FATAL),
    18: _bit("L1 Spannung vorhanden", "voltage on L1 present"),
    19: _bit("L2 Spannung vorhanden", "voltage on L2 present"),
    20: _bit("L3 Spannung vorhanden", "voltage on L3 present"),
}

_G697_BITS: Mapping[int, StatusBit] = {
    8: _bit("Alarm-Sammelmeldung, z. B. Neustart", "collective alarm, e.g. restart", _WARNING),
    9: _bit("Umgehungsversuch, magnetisch oder elektrisch", "attempted bypass, magnetic or electric", _TAMPER),
    10: _bit("Umgehungsversuch, mechanisch", "attempted bypass, mechanical", _TAMPER),
    11: _bit("Störung Messwert Betriebsvolumen", "operating volume disturbed", _WARNING),
    12: _bit("Störung Messwert Druck oder Betriebsdichte", "pressure or operating density disturbed", _WARNING),
    13: _bit("Störung Messwert Temperatur oder Normdichte", "temperature or standard density disturbed", _WARNING),
    14: _bit("Störung Berechnung K-Zahl", "computation of the K number disturbed", _WARNING),
    15: _bit("Störung Berechnung Energie", "computation of the energy disturbed", _WARNING),
    16: _bit("Messbereich unterschritten", "below the measuring range", _WARNING),
    17: _bit("eichrelevanter Fehler", "error relevant to calibration", _FATAL),
    18: _bit("Messbereich überschritten", "above the measuring range", _WARNING),
    19: _bit("Störung Quellgerät oder KE", "source device or communication unit disturbed", _WARNING),
    20: _bit("Warnung Messbereich unterschritten", "warning: below the measuring range", _WARNING),
    21: _bit("Warnung Messbereich überschritten", "warning: above the measuring range", _WARNING),
    22: _bit("Warnung Betriebsdauer Batterie", "warning: age of the battery", _WARNING),
    23: _bit("metrologisches Logbuch über 90 % voll", "metrological log more than 90 % full", _WARNING),
    24: _bit("Warnung Füllstand metrologisches Logbuch", "warning: metrological log filling up", _WARNING),
    25: _bit("Benutzereingriff: abrechnungsrelevanter Wert", "user changed a value used in billing", _WARNING),
    26: _bit("Benutzereingriff: Parameter geändert", "user changed a parameter", _WARNING),
    27: _bit("Revisionsvermerk", "revision note", _WARNING),
    # „0: Zustand Eichschloss offen (MTR_Warning)“: the one row where the cleared bit is the bad news.
    28: _bit("Eichschloss geschlossen", "calibration lock closed"),
}

_OMS_BITS: Mapping[int, StatusBit] = {
    0: _bit("Fehlerbyte EF1 vorhanden", "error byte EF1 present"),
    1: _bit("magnetische Beeinflussung", "magnetic influence", _TAMPER),
    2: _bit("Verbindung zum Zähler oder Ventil unterbrochen", "connection to meter or valve broken", _WARNING),
    3: _bit("allgemeiner Hardware- oder Softwarefehler", "general error of hardware or software", _ERROR),
    4: _bit("Batterie getrennt oder Abschaltung", "battery removed or switched off", _WARNING),
    5: _bit("kritischer Fehler durch externe Eingabe", "critical error by outside input", _FATAL),
    6: _bit("Batterie schwach", "battery low", _WARNING),
    7: _bit("mechanische Manipulation", "mechanical tampering", _TAMPER),
    8: _bit("Fehlerbyte EF2 vorhanden", "error byte EF2 present"),
    9: _bit("Uhrensynchronisationsfehler", "clock synchronisation failed", "MTR_TimeNotValid"),
    10: _bit("Zähler außerhalb des zulässigen Bereichs", "meter out of its range", _WARNING),
    11: _bit("Verbrauch außerhalb des zulässigen Bereichs", "consumption out of its range", _WARNING),
    12: _bit("fehlender Durchfluss", "no flow", _WARNING),
    13: _bit("Leckage", "leakage", _WARNING),
    14: _bit("Guthabengrenze überschritten", "credit limit passed"),
    15: _bit("nicht autorisierter Zugriffsversuch", "unauthorised attempt of access"),
    16: _bit("Fehlerbyte EF3 (historische Fehler) vorhanden", "error byte EF3 (past errors) present"),
    17: _bit("früher: Zähler außerhalb des Bereichs", "past: meter out of its range"),
    18: _bit("früher: fehlender Durchfluss", "past: no flow"),
    19: _bit("früher: Leckage", "past: leakage"),
    20: _bit("früher: externer Alarm", "past: external alarm"),
    21: _bit("früher: Verbindung unterbrochen", "past: connection broken"),
    22: _bit("früher: magnetische Beeinflussung", "past: magnetic influence"),
    23: _bit("früher: mechanische Manipulation", "past: mechanical tampering"),
    24: _bit("herstellerspezifisch (STS 24)", "manufacturer specific (STS 24)"),
    25: _bit("herstellerspezifisch (STS 25)", "manufacturer specific (STS 25)"),
    26: _bit("herstellerspezifisch (STS 26)", "manufacturer specific (STS 26)"),
    27: _bit("temporärer Fehler", "temporary error", _ERROR),
    28: _bit("dauerhafter Fehler", "permanent error", _FATAL),
    29: _bit("Energieversorgung niedrig", "power low", _WARNING),
    30: _bit("weiterer Anwendungsfehler", "another application error", _ERROR),
    31: _bit("Anwendung beschäftigt", "application busy"),
}

METER_BITS: Mapping[MeterKind, Mapping[int, StatusBit]] = {
    MeterKind.BASIC: _BASIC_BITS,
    MeterKind.G697: _G697_BITS,
    MeterKind.OMS: _OMS_BITS,
    MeterKind.UNKNOWN: {},
}
"""The rows of DS2 Tab. 15.1 by kind of meter and number of bit."""
