"""Order fields that several processes share, defined once."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from torwart.kernel.identifiers import DeviceId, MaLoId, MeLoId
from torwart.kernel.refusals.process import FIELD_INVALID
from torwart.kernel.words import Words
from torwart.processes.definition import Choice, Field, FieldKind
from torwart.rules.service_time import local
from torwart.services import emt as emts

_PHONE = re.compile(r"\+?[0-9][0-9 /()-]{4,30}")


def gateway_id(text: str) -> str:
    """A device id whose sector is communication."""
    device = DeviceId.parse(text)
    if not device.is_gateway:
        raise FIELD_INVALID(given=text, expected="E…: SMGW")
    return device


def instant(text: str) -> str:
    """An instant, ISO 8601 or as written here (``24.11.2026 09:30``); without offset it is Berlin's clock."""
    for reading in (datetime.fromisoformat, lambda given: datetime.strptime(given, "%d.%m.%Y %H:%M")):
        with suppress(ValueError):
            return local(reading(text.strip())).isoformat()
    raise FIELD_INVALID(given=text[:40], expected="24.11.2026 09:30, 2026-11-24T09:30+01:00")


def phone(text: str) -> str:
    if not _PHONE.fullmatch(text.strip()):
        raise FIELD_INVALID(given=text, expected="+49 261 123456")
    return text.strip()


def line(text: str) -> str:
    """One line of visible text, at most 200 characters."""
    plain = " ".join(text.split())
    if not plain.isprintable() or len(plain) > 200:
        raise FIELD_INVALID(given=text[:40], expected="≤ 200")
    return plain


def metering_point(text: str) -> str:
    """A metering location (33 characters) or a market location (11 digits)."""
    plain = "".join(text.split())
    return MeLoId.parse(plain) if len(plain) > len(MaLoId.example) else MaLoId.parse(plain)


def endpoint(text: str) -> str:
    """Host and port."""
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise FIELD_INVALID(given=text, expected="host:port")
    return f"{host}:{port}"


def paragraph(text: str) -> str:
    """Some lines of visible text, at most 4,000 characters."""
    lines = [" ".join(part.split()) for part in text.strip().splitlines()]
    if len(text) > 4000 or not all(part.isprintable() for part in lines):
        raise FIELD_INVALID(given=text[:40], expected="≤ 4000")
    return "\n".join(lines)


def whole_number(least: int, most: int) -> Callable[[str], str]:
    """A parser that takes a whole number between these, both included."""

    def parse(text: str) -> str:
        plain = text.strip()
        if not re.fullmatch("[0-9]{1,9}", plain) or not least <= int(plain) <= most:
            raise FIELD_INVALID(given=text[:40], expected=f"{least} – {most}")
        return str(int(plain))

    return parse


YES_NO = (Choice("yes", Words("ja", "yes")), Choice("no", Words("nein", "no")))


GATEWAY = Field(
    "gateway",
    Words("SMGW-ID", "SMGW id"),
    Words("Geräte-ID des Gateways, wie sie auf dem Typenschild steht.", "Device id of the gateway, as on its plate."),
    "EPPC0211358875",
    gateway_id,
)
METERS = Field(
    "meters",
    Words("Zähler", "Meters"),
    Words("Geräte-IDs der Zähler an diesem Gateway.", "Device ids of the meters on this gateway."),
    "1EMH0012345678",
    DeviceId.parse,
    many=True,
)
METERING_POINT = Field(
    "metering_point",
    Words("Messstelle (MeLo oder MaLo)", "Metering point (MeLo or MaLo)"),
    Words(
        "Nur diese Messstelle; ohne Angabe gilt der Auftrag für alle Zähler des Gateways.",
        "This metering point only; without it the order is for all meters of the gateway.",
    ),
    "51238696781",
    metering_point,
    optional=True,
)
MELO = Field(
    "melo",
    Words("Messlokation (MeLo)", "Metering location (MeLo)"),
    Words("33 Zeichen, beginnt mit DE.", "33 characters, begins with DE."),
    "DE0003604780400000000000010000176",
    MeLoId.parse,
)
MALOS = Field(
    "malos",
    Words("Marktlokationen (MaLo)", "Market locations (MaLo)"),
    Words("Elf Ziffern mit Prüfziffer, je Zähler eine.", "Eleven digits with check digit, one per meter."),
    "51238696781",
    MaLoId.parse,
    many=True,
)
WAN_ADDRESS = Field(
    "wan_address",
    Words("Adresse für Weckrufe", "Address for wake-ups"),
    Words("IP-Adresse und Port des Gateways im WAN.", "IP address and port of the gateway in the WAN."),
    "10.20.30.40:7711",
    endpoint,
    optional=True,
)
REASON = Field(
    "reason",
    Words("Grund", "Reason"),
    Words("Warum der Auftrag erteilt wird.", "Why this is ordered."),
    "Austausch nach Defekt",
    line,
    optional=True,
)
TAFS = Field(
    "tafs",
    Words("Tarifanwendungsfälle (TAF)", "Tariff use cases (TAF)"),
    Words(
        "Welche Auswertungen das Gateway bildet; mehrere sind möglich.",
        "Which evaluations the gateway makes; several are possible.",
    ),
    "7",
    many=True,
    kind=FieldKind.CHOICE,
    choices=(
        Choice("1", Words("TAF 1: datensparsamer Tarif", "TAF 1: tariff with few data")),
        Choice("2", Words("TAF 2: zeitvariabler Tarif", "TAF 2: time-of-use tariff")),
        Choice("6", Words("TAF 6: Ablesung im Bedarfsfall", "TAF 6: reading on demand")),
        Choice("7", Words("TAF 7: Zählerstandsgang", "TAF 7: series of readings")),
    ),
)
EMTS = Field(
    "emts",
    Words("Empfänger (EMT)", "Recipients (EMT)"),
    Words(
        "Wer die Messwerte erhält. Der EMT muss angelegt sein und gültige Zertifikate haben.",
        "Who receives the readings. The EMT must have been set up and have valid certificates.",
    ),
    "Stadtwerk Musterstadt",
    line,
    many=True,
    offers=lambda client: [Choice(name, Words(name, name)) for name in emts.names(client)],
)
