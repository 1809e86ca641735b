"""Preconditions: each refusal where it belongs, with a remedy, and nothing refused that is in order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from torwart.kernel.gateway_state import GatewayState, GatewayVerb
from torwart.kernel.refusals import KINDS, Refusal, Retry
from torwart.rules.precondition import (
    CcCertificate,
    Combination,
    EmtCertificates,
    GatewayType,
    cc_certificate_valid,
    combination_approved,
    commissioning,
    contacts_enough,
    delivery_note_imported,
    emt_usable,
    require,
    state_allows,
    unmet,
)
from torwart.rules.validity import Validity

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
YEAR = timedelta(days=365)
TYPE = GatewayType("SMGW-P1", "2.1.0")
CURRENT = Validity(NOW - YEAR, NOW + YEAR)
PAST = Validity(NOW - 2 * YEAR, NOW - YEAR)
APPROVED = (Combination(TYPE, "eHZB"), Combination(TYPE, "DTZ541", PAST))
PROVEN = (CcCertificate("BSI-DSZ-CC-0831", TYPE, CURRENT),)
EMT = EmtCertificates("Stadtwerk.EMT", {"TLS": CURRENT, "SIG": CURRENT, "ENC": CURRENT})


def code(refusal: Refusal | None) -> str | None:
    return refusal and refusal.code.removeprefix("precondition.")


def order(**other: Any) -> list[str | None]:
    """The codes against commissioning a gateway that is in order but for ``other``."""
    usual: dict[str, Any] = {
        "device": "EPPC0211358875",
        "state": GatewayState.DELIVERED,
        "gateway": TYPE,
        "meter_types": ["eHZB"],
        "approved": APPROVED,
        "certificates": PROVEN,
        "emts": {EMT.name: EMT},
        "at": NOW,
    }
    return [code(refusal) for refusal in commissioning(**{**usual, **other})]


@pytest.mark.requirement("P03")
def test_what_is_in_order_is_not_refused() -> None:
    """Delivered, approved, certified and with a valid EMT: nothing stands against commissioning."""
    assert order() == []


@pytest.mark.requirement("O-4", "KL-4.2-a")
def test_commissioning_before_the_delivery_note_is_refused_with_exactly_that_reason() -> None:
    """First the delivery note, then commissioning: the refusal says so and nothing else."""
    assert order(state=None, certificates=(), approved=(), emts={"X": None}) == ["delivery_note_missing"]
    refusal = delivery_note_imported("EPPC0211358875", None)
    assert refusal is not None
    assert "erst den Lieferschein" in refusal.text("de")
    assert "first provide the delivery note" in refusal.text("en")


@pytest.mark.requirement("O-6", "P03")
def test_everything_missing_is_told_at_once() -> None:
    """State, CC certificate, each meter's combination and each EMT are named together, in that order."""
    found = order(
        state=GatewayState.OPERATIONAL,
        certificates=(),
        meter_types=["eHZB", "DTZ541", "unknown"],
        emts={EMT.name: EMT, "Fremd.EMT": None},
    )
    assert found == [
        "wrong_state",
        "cc_certificate_missing",
        "combination_not_in_force",
        "combination_not_approved",
        "emt_unknown",
    ]


@pytest.mark.requirement("O-6")
@pytest.mark.parametrize(
    ("gateway", "meter", "expected"),
    [
        (TYPE, "eHZB", None),
        (TYPE, "DTZ541", "combination_not_in_force"),
        (TYPE, "ehzb", "combination_not_approved"),
        (GatewayType("SMGW-P1", "2.1.1"), "eHZB", "combination_not_approved"),
        (GatewayType("SMGW-P2", "2.1.0"), "eHZB", "combination_not_approved"),
    ],
)
def test_type_firmware_and_meter_are_approved_together(gateway: GatewayType, meter: str, expected: str | None) -> None:
    """An approval is for exactly one firmware of one type with one meter type, while it lasts."""
    assert code(combination_approved(gateway, meter, APPROVED, NOW)) == expected


@pytest.mark.requirement("O-6")
@pytest.mark.parametrize(
    ("validities", "expected"),
    [
        ([], "cc_certificate_missing"),
        ([PAST], "cc_certificate_past"),
        ([Validity(NOW + YEAR)], "cc_certificate_past"),
        ([PAST, CURRENT], None),
        ([Validity()], None),
    ],
)
def test_without_a_valid_cc_certificate_a_gateway_is_not_used(validities: list[Validity], expected: str | None) -> None:
    """MsbG § 24(4) and § 25(1): none, past or future ones are refused; one valid of several is enough."""
    certificates = [CcCertificate("BSI-DSZ-CC-0831", TYPE, validity) for validity in validities]
    other = CcCertificate("BSI-DSZ-CC-0999", GatewayType("SMGW-P1", "9"), CURRENT)

    assert code(cc_certificate_valid(TYPE, [*certificates, other], NOW)) == expected


@pytest.mark.requirement("P13", "P14", "P15")
@pytest.mark.parametrize(
    ("emt", "least", "expected"),
    [
        (EMT, timedelta(0), None),
        (EMT, YEAR, None),
        (EMT, YEAR + timedelta(seconds=1), "emt_certificate_invalid"),
        (None, timedelta(0), "emt_unknown"),
        (EmtCertificates("E", {"TLS": CURRENT, "SIG": CURRENT}), timedelta(0), "emt_certificate_missing"),
        (EmtCertificates("E", {**EMT.validity, "SIG": PAST}), timedelta(0), "emt_certificate_invalid"),
        (EmtCertificates("E", EMT.validity, frozenset({"ENC"})), timedelta(0), "emt_certificate_revoked"),
    ],
)
def test_an_emt_needs_three_valid_certificates(
    emt: EmtCertificates | None, least: timedelta, expected: str | None
) -> None:
    """TLS, SIG and ENC, unrevoked, now and for as long as asked."""
    assert code(emt_usable("E", emt, NOW, least)) == expected


@pytest.mark.requirement("P03")
def test_a_wrong_state_names_those_that_would_do() -> None:
    """The sentence says what the gateway is and what it must be, from the state table."""
    refusal = state_allows("EPPC0211358875", GatewayState.RETIRED, GatewayVerb.REDELIVER)

    assert refusal is not None
    assert "„ausgemustert“" in refusal.text("de")
    assert "„an anderen Administrator abgegeben“ oder „außer Betrieb“" in refusal.text("de")
    assert state_allows("EPPC0211358875", GatewayState.REMOVED, GatewayVerb.REDELIVER) is None


@pytest.mark.requirement("P-3", "KL-3.3")
def test_two_contacts_stand_in_for_each_other() -> None:
    """With fewer than two tested contacts no order can be placed."""
    assert [code(contacts_enough(n)) for n in (0, 1, 2, 3)] == ["contacts_too_few", "contacts_too_few", None, None]


def test_require_raises_the_first_refusal() -> None:
    """A service insists; a form lists."""
    second, third = contacts_enough(1), emt_usable("E", None, NOW)

    assert unmet(None, second, None, third) == [second, third]
    require(None, None)
    with pytest.raises(Refusal) as caught:
        require(None, second, third)
    assert caught.value is second


def test_every_precondition_says_what_to_do() -> None:
    """No precondition is a dead end: all can be met by a change or by waiting."""
    kinds = [kind for kind in KINDS.values() if kind.code.startswith("precondition.")]

    assert len(kinds) > 10
    assert all(kind.retry in (Retry.AFTER_CHANGE, Retry.LATER) for kind in kinds)
