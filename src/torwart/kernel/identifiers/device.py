"""The manufacturer-independent device id, DIN 43863-5 (successor DIN 43849), in all forms it travels in.

| form | example | where |
|---|---|---|
| canonical | ``EPPC0211358875`` | our data, certificates (CN ``EPPC0211358875.SMGW``) |
| ``printed`` | ``E PPC 02 1135 8875`` | screens and letters, for the eye |
| ``host`` | ``eppc0211358875.sm`` | HTTP ``Host``, COSEM logical device names |
| ``binary``, 9 bytes | ``0e5050430200ad529b`` | wake-up packet |
| ``server_id``, 10 bytes | ``0a0e5050430200ad529b`` | SML, LMN |
"""

from typing import ClassVar, Self

from torwart.kernel.identifiers.base import DIGITS, HEX, LETTERS, Identifier, Shape, both, shown, tidy
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals import identifiers as refused
from torwart.kernel.words import Words

GATEWAY_SECTOR = "E"
_SERVER_ID_PREFIX = b"\x0a"
_SUFFIXES = (".SMGW", ".SM")

SECTORS = {
    "1": Words("Strom", "electricity"),
    "5": Words("Kälte", "cooling"),
    "6": Words("Wärme", "heat"),
    "7": Words("Gas", "gas"),
    "8": Words("Kaltwasser", "cold water"),
    "9": Words("Warmwasser", "hot water"),
    "E": Words("Kommunikation", "communication"),
}
"""Detailspezifikation 2.0 §3.4.2: „mit der Sparte "1" (Elektrizität), "5" (Kälte), "6" (Wärme) …“; §3.5.2: "E"."""


class DeviceId(Identifier):
    """Device id: sector, FLAG id of the maker, Fabrikationsblock, Fabrikationsnummer; no check digit.

    The block is two hex digits 00…FE, the number eight decimal digits (Detailspezifikation 2.0 ch. 2: „Byte[5]:
    Fabrikationsblock (00h..FEh)“, „Byte[6-9]: Fabrikationsnummer … 8 Dezimalstellen“). Input may carry the
    suffix of a host name or certificate (``.sm``, ``.smgw``).
    """

    __slots__ = ()

    name = Words("Geräte-ID", "device id")
    form = Words(
        "Sparte, drei Buchstaben Hersteller, zwei Zeichen Fabrikationsblock 00–FE, acht Ziffern",
        "sector, three letters maker, two characters block 00–FE, eight digits",
    )
    example = "EPPC0211358875"
    shape: ClassVar[Shape] = ((1, HEX), (3, LETTERS), (2, HEX), (8, DIGITS))

    @classmethod
    def _normalise(cls, text: str) -> str:
        plain = tidy(text)
        for suffix in _SUFFIXES:
            plain = plain.removesuffix(suffix)
        return plain.replace("-", "")

    @classmethod
    def _canonical(cls, text: str) -> str:
        plain = super()._canonical(text)
        if plain[4:6] == "FF":
            expected = Words("0–9 oder A–E (der Block geht bis FE)", "0–9 or A–E (the block ends at FE)")
            raise refused.CHARACTER(
                text=shown(text), **both(name=cls.name, form=cls.form, expected=expected), position=6, given="F"
            )
        return plain

    @classmethod
    def of(cls, sector: str, flag: str, block: int, number: int) -> Self:
        """Build one from its parts, e.g. ``DeviceId.of("E", "PPC", 2, 11358875)``."""
        return cls(f"{sector}{flag}{block:02X}{number:08d}")

    @property
    def sector(self) -> str:
        """First character: what the device is for (see ``SECTORS``)."""
        return self[0]

    @property
    def flag(self) -> str:
        """FLAG id of the maker, three letters."""
        return self[1:4]

    @property
    def block(self) -> int:
        """Fabrikationsblock, 0…254."""
        return int(self[4:6], 16)

    @property
    def number(self) -> int:
        """Fabrikationsnummer, 0…99,999,999."""
        return int(self[6:])

    @property
    def is_gateway(self) -> bool:
        return self.sector == GATEWAY_SECTOR

    @property
    def warnings(self) -> tuple[Words, ...]:
        """A sector that no source we hold names is let in but pointed out."""
        if self.sector in SECTORS:
            return ()
        return (
            Words(
                f"Ungewöhnlich: Die Sparte {self.sector} in {self.printed} ist nicht bekannt. Bitte prüfen.",
                f"Unusual: sector {self.sector} in {self.printed} is not known. Please check.",
            ),
        )

    @property
    def printed(self) -> str:
        """Grouped for the eye; ``parse`` takes it back."""
        return f"{self[0]} {self[1:4]} {self[4:6]} {self[6:10]} {self[10:]}"

    @property
    def host(self) -> str:
        """Canonical host name (TR-03109-1 Anlage COSEM-HTTP: lower case, no blanks, postfix ``.sm``)."""
        return f"{self.lower()}.sm"

    @classmethod
    def from_host(cls, host: str) -> Self:
        """The id in a host name; a port (``:443``) is ignored."""
        return cls(host.partition(":")[0])

    @property
    def binary(self) -> bytes:
        """Nine bytes as in the wake-up packet: sector, FLAG in ASCII, block, number as big-endian uint32."""
        return bytes([int(self[0], 16)]) + self.flag.encode() + bytes([self.block]) + self.number.to_bytes(4, "big")

    @classmethod
    def from_binary(cls, data: bytes) -> Self:
        """Read nine bytes; raises ``identifier.binary`` for anything that ``binary`` cannot have written."""
        if len(data) != 9:
            raise _not_binary(data, Words(f"{len(data)} statt 9 Bytes", f"{len(data)} instead of 9 bytes"))
        if data[0] > 0x0F:
            raise _not_binary(data, Words(f"Sparte {data[0]:#04x}", f"sector {data[0]:#04x}"))
        try:
            device = cls.of(f"{data[0]:X}", data[1:4].decode("latin-1"), data[4], int.from_bytes(data[5:], "big"))
        except Refusal as refusal:
            raise _not_binary(data, Words(refusal.text("de"), refusal.text("en"))) from refusal
        if device.binary != data:
            # „FLAG … ASCII“ in capitals: what text input forgives, the wire does not.
            raise _not_binary(data, Words("Hersteller nicht in Großbuchstaben", "maker not in capitals"))
        return device

    @property
    def server_id(self) -> bytes:
        """Ten bytes as in SML and on the LMN („Server-ID im Format 0x0A“)."""
        return _SERVER_ID_PREFIX + self.binary

    @classmethod
    def from_server_id(cls, data: bytes) -> Self:
        if data[:1] != _SERVER_ID_PREFIX:
            raise _not_binary(data, Words("sie beginnt nicht mit 0A", "it does not start with 0A"))
        return cls.from_binary(data[1:])


def _not_binary(data: bytes, why: Words) -> Refusal:
    return refused.BINARY(given=data[:16].hex(), **both(name=DeviceId.name, why=why))
