"""All identifiers: text that has been checked, canonical, with the rule of its check digit (spec/03)."""

from torwart.kernel.identifiers.base import Identifier
from torwart.kernel.identifiers.case import CaseNumber
from torwart.kernel.identifiers.device import DeviceId
from torwart.kernel.identifiers.market import (
    BdewCode,
    DvgwCode,
    Eic,
    Gln,
    MaLoId,
    MarketCode,
    MeLoId,
    NeLoId,
    SrId,
    TrId,
    market_code,
)
from torwart.kernel.identifiers.obis import ObisCode

__all__ = [
    "BdewCode",
    "CaseNumber",
    "DeviceId",
    "DvgwCode",
    "Eic",
    "Gln",
    "Identifier",
    "MaLoId",
    "MarketCode",
    "MeLoId",
    "NeLoId",
    "ObisCode",
    "SrId",
    "TrId",
    "market_code",
]
