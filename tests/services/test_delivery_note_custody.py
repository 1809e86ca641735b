"""The secure supply chain (SiLKe): who holds a device, each hand-over with time and person, nobody else's business."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from delivering import bring, made, stranger_of

from torwart.config import site as sites
from torwart.kernel.refusals import Refusal
from torwart.services import delivery_note as notes
from torwart.store.models import AuditEntry, HandOver
from torwart.store.queries import delivery_note as queries

pytestmark = pytest.mark.requirement("P01")
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    return sites.create(tmp_path / "site", database=own_database)


@pytest.fixture
def device(site: sites.Site) -> str:
    """A gateway that came in box BOX-1."""
    (gateway,) = made(site.pki, 1)
    now = datetime.now(UTC)
    bring(site, sites.signed_note(site, [replace(gateway, meters=())]), at=now)
    return str(gateway.device)


def hand_over(site: sites.Site, device: str, *, after: timedelta = HOUR, client: int = 0, **who: str) -> str:
    """Hand the device over ``after`` the import; the refusal's code, or nothing."""
    now = datetime.now(UTC)
    told = {"holder": "Lager Nord", "person": "Erika Muster"} | who
    try:
        notes.hand_over(
            device, client=client or site.client, at=now + after, actor="user:1", now=now + 9 * HOUR, **told
        )
    except Refusal as refusal:
        return refusal.code
    return ""


def test_the_maker_holds_a_device_until_somebody_takes_it(site: sites.Site, device: str) -> None:
    """From the note we know box and seals; at first the maker has it, and nobody has handed it over."""
    line, told = queries.custody(site.client, device)

    assert (line.carrier, line.box, line.seals, line.holder) == ("BOX-1", "SAFETYBOX", ("S-1001",), sites.MAKER)
    assert told == []


def test_every_hand_over_is_kept_with_time_and_person(site: sites.Site, device: str) -> None:
    """From the maker to the store, from there to the fitter: the chain is whole, and in the audit trail."""
    hand_over(site, device, after=HOUR)
    hand_over(site, device, after=2 * HOUR, holder="Montage Süd", person="Karl Kabel")
    line, told = queries.custody(site.client, device)

    assert (line.holder, line.person) == ("Montage Süd", "Karl Kabel")
    assert [(each.giver, each.holder, each.person) for each in told] == [
        (sites.MAKER, "Lager Nord", "Erika Muster"),
        ("Lager Nord", "Montage Süd", "Karl Kabel"),
    ]
    assert told[1].at == line.since
    entries = AuditEntry.objects.filter(action="device.handed_over").order_by("id")
    assert [(entry.payload["to"], entry.client_id) for entry in entries] == [
        ("Lager Nord", site.client),
        ("Montage Süd", site.client),
    ]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"person": "  "}, "els.custody_person"),
        ({"holder": ""}, "els.custody_person"),
        ({"after": -HOUR}, "els.custody_time"),
        ({"after": 10 * HOUR}, "els.custody_time"),
    ],
)
def test_a_hand_over_has_happened_and_has_a_person(
    site: sites.Site, device: str, told: dict[str, object], code: str
) -> None:
    """Not before the last one, not in the future, not to nobody; nothing of it is kept."""
    assert hand_over(site, device, **told) == code  # type: ignore[arg-type]
    assert not HandOver.objects.exists()


@pytest.mark.requirement("P-1")
def test_another_clients_device_is_unknown(site: sites.Site, device: str) -> None:
    """Whose it is shows nowhere: the answer is that for a device nobody has."""
    stranger = stranger_of(site)

    assert hand_over(site, device, client=stranger) == "els.custody_unknown"
    assert hand_over(site, "EPPC0299999999", client=stranger) == "els.custody_unknown"
    assert queries.custody(stranger, device) is None
    assert queries.custodies(stranger) == []
