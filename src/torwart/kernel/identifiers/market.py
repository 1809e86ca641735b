"""Identifiers of the energy market: locations, resources and parties (spec/03)."""

from typing import ClassVar

from torwart.kernel.identifiers import checksum
from torwart.kernel.identifiers.base import ALPHANUMERIC, DIGITS, Checksum, Identifier, Shape, tidy
from torwart.kernel.words import Words


class MaLoId(Identifier):
    """Marktlokation: where energy is bought and sold."""

    name = Words("MaLo-ID", "MaLo-ID")
    form = Words(
        "elf Ziffern, die erste nicht 0, die letzte Prüfziffer", "eleven digits, the first not 0, the last a check"
    )
    example = "51238696781"
    shape: ClassVar[Shape] = ((1, DIGITS[1:]), (10, DIGITS))
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.a10)

    @property
    def issuer(self) -> str:
        """Who issued it: first digit 1–3 DVGW (gas), 4–9 BDEW (power)."""
        return "DVGW" if self[0] in "123" else "BDEW"


class MeLoId(Identifier):
    """Messlokation (VDE-AR-N 4400): where energy is measured. It has no check digit."""

    name = Words("MeLo-ID", "MeLo-ID")
    form = Words(
        "DE, sechs Ziffern Netzbetreiber, fünf Ziffern Postleitzahl, 20 Ziffern oder Großbuchstaben",
        "DE, six digits network operator, five digits postcode, 20 digits or capitals",
    )
    example = "DE0003604780400000000000010000176"
    shape: ClassVar[Shape] = ((1, "D"), (1, "E"), (11, DIGITS), (20, ALPHANUMERIC))

    @property
    def network_operator(self) -> str:
        """Number of the distribution system operator who issued it, six digits."""
        return self[2:8]

    @property
    def postcode(self) -> str:
        return self[8:13]


class _ResourceId(Identifier):
    """Common form of NeLo-, SR- and TR-ID: a letter for the kind, nine places, a check digit."""

    form = Words(
        "elf Zeichen: Kennbuchstabe, neun Ziffern oder Großbuchstaben, Prüfziffer",
        "eleven characters: letter of the kind, nine digits or capitals, check digit",
    )
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.a10)


class NeLoId(_ResourceId):
    """Netzlokation: where a customer installation meets the grid."""

    name = Words("NeLo-ID", "NeLo-ID")
    example = "E1234848431"
    shape: ClassVar[Shape] = ((1, "E"), (9, ALPHANUMERIC), (1, DIGITS))


class SrId(_ResourceId):
    """Steuerbare Ressource: what can be controlled, e.g. by § 14a EnWG."""

    name = Words("SR-ID", "SR-ID")
    example = "C816417ST77"
    shape: ClassVar[Shape] = ((1, "C"), (9, ALPHANUMERIC), (1, DIGITS))


class TrId(_ResourceId):
    """Technische Ressource: a plant or device that consumes or feeds in."""

    name = Words("TR-ID", "TR-ID")
    example = "D816417ST76"
    shape: ClassVar[Shape] = ((1, "D"), (9, ALPHANUMERIC), (1, DIGITS))


class BdewCode(Identifier):
    """BDEW code number of a market party. Its check digit follows the A10 rule, not EAN (spec/03, verified)."""

    name = Words("BDEW-Codenummer", "BDEW code number")
    form = Words("13 Ziffern, beginnend mit 99, die letzte Prüfziffer", "13 digits starting with 99, the last a check")
    example = "9905048000007"
    shape: ClassVar[Shape] = ((2, "9"), (11, DIGITS))
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.a10)


class DvgwCode(Identifier):
    """DVGW code number of a market party (gas). Its check rule is only recollected, so it warns (spec/03 [R])."""

    name = Words("DVGW-Codenummer", "DVGW code number")
    form = Words("13 Ziffern, beginnend mit 98", "13 digits starting with 98")
    example = "9870000000008"
    shape: ClassVar[Shape] = ((1, "9"), (1, "8"), (11, DIGITS))
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.a10)
    binding = False


class Gln(Identifier):
    """GS1 Global Location Number of a market party."""

    name = Words("GLN", "GLN")
    form = Words("13 Ziffern, die letzte Prüfziffer", "13 digits, the last a check")
    example = "4033872000058"
    shape: ClassVar[Shape] = ((13, DIGITS),)
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.ean13)


class Eic(Identifier):
    """Energy Identification Code (ENTSO-E); hyphens are part of it, so only blanks and case are forgiven."""

    name = Words("EIC-Kennung", "EIC code")
    form = Words(
        "16 Zeichen: Ziffern, Großbuchstaben und „-“, das letzte Prüfzeichen",
        "16 characters: digits, capitals and “-”, the last a check",
    )
    example = "10YDE-VE-------2"
    shape: ClassVar[Shape] = ((2, DIGITS), (13, ALPHANUMERIC + "-"), (1, ALPHANUMERIC + "-"))
    checksum: ClassVar[Checksum | None] = staticmethod(checksum.eic)

    @classmethod
    def _normalise(cls, text: str) -> str:
        return tidy(text)


MarketCode = BdewCode | DvgwCode | Gln
"""What a market party is called by: the prefix decides which rule its number follows."""


def market_code(text: str) -> MarketCode:
    """The code number of a market party: ``99…`` BDEW, ``98…`` DVGW, everything else a GLN."""
    start = tidy(text).replace("-", "")[:2]
    if start == "99":
        return BdewCode(text)
    return DvgwCode(text) if start == "98" else Gln(text)
