"""Scenario files: what they mean, and what of them is refused before anything is ordered."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from torwart.kernel.refusals import Refusal
from torwart.sim.emt.scenario import Expect, Scenario, Then, Webhooks

pytestmark = pytest.mark.requirement("O-7")

FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
EXAMPLES = sorted((Path(__file__).parents[3] / "docs/api").glob("scenario-*.toml"))


def orders(*lines: str, known: tuple[str, ...] = ("EPPC0200000001", "EPPC0200000002", "EPPC0300000001")) -> list[str]:
    """Process and gateway of each order of an entry with these lines."""
    text = "\n".join(("[[order]]", 'process = "wake-up"', *lines))
    return [each.gateway for each in Scenario.read(text).errands(known, FRIDAY)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_can_be_used(path: Path) -> None:
    """What the documentation shows is read as it stands."""
    scenario = Scenario.read(path.read_text(encoding="utf-8"))

    assert scenario.errands(["EPPC0200000001", "EPPC0200000003"], FRIDAY)


def test_patterns_mean_the_gateways_known_and_names_any() -> None:
    """A pattern stands for what is in operation, a name also for what is not; nobody is asked twice."""
    assert orders('gateways = "EPPC02*"') == ["EPPC0200000001", "EPPC0200000002"]
    assert orders('gateways = ["EPPC0[34]*", "EPPC0300000001", "EPPC0999999999"]') == [
        "EPPC0300000001",
        "EPPC0999999999",
    ]
    assert orders('gateways = "EPPC02*"', "count = 5") == [f"EPPC020000000{n}" for n in (1, 2, 1, 2, 1)]
    assert orders("count = 2") == ["", ""]


def test_what_an_entry_puts_into_operation_is_known_to_later_ones() -> None:
    """A day that begins with commissioning goes on with those gateways, not with those that have to fail."""
    text = """
[[order]]
process = "commissioning"
gateways = ["EPPC0200000001"]
[[order]]
process = "commissioning"
gateways = ["EPPC0200000002"]
expect = "failed"
[[order]]
process = "wake-up"
gateways = "EPPC02*"
"""
    found = Scenario.read(text).errands([], FRIDAY)

    assert [(each.plan.process, each.gateway[-1]) for each in found] == [
        ("commissioning", "1"),
        ("commissioning", "2"),
        ("wake-up", "1"),
    ]


def test_fields_are_filled_in() -> None:
    """Gateway, number and time stand where they are asked for; a gateway named there is not named again."""
    text = """
[[order]]
process = "incident"
gateways = ["EPPC0200000001"]
fields = { name = "{gateway}", since = "{now}", description = "no. {number}" }
[[order]]
process = "wake-up"
gateways = ["EPPC0200000001"]
in_days = 1
then = "cancel"
expect = "cancelled"
"""
    incident, planned = Scenario.read(text).errands([], FRIDAY)

    assert dict(incident.body) == {"name": "EPPC0200000001", "since": FRIDAY.isoformat(), "description": "no. 1"}
    assert planned.body["gateway"] == "EPPC0200000001"
    assert planned.body["requested_at"].isoformat() == "2026-11-23T10:00:00+01:00", "Saturday becomes Monday"
    assert (planned.plan.then, planned.plan.expect) == (Then.CANCEL, Expect.CANCELLED)


def test_webhooks_are_turned_away_for_a_while() -> None:
    """The calls in between get the status, those before and after are taken."""
    webhooks = Scenario.read('[faults]\nwebhooks = { after = 1, count = 2, status = 503 }\n[[order]]\nprocess = "x"')

    assert [webhooks.faults.webhooks.answer(number) for number in range(4)] == [204, 503, 503, 204]
    assert Webhooks().answer(0) == 204


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "[[order]]"),
        ("[[order", "end of document"),
        ("[[order]]", "process"),
        ('[[order]]\nprocess = "x"\ngatewys = "y"', "gatewys"),
        ('[[order]]\nprocess = "x"\ncount = "two"', "'two'"),
        ('[[order]]\nprocess = "x"\ncount = true', "True"),
        ('[[order]]\nprocess = "x"\nexpect = "perhaps"', "perhaps"),
        ('parallel = 0\n[[order]]\nprocess = "x"', "parallel"),
        ('[faults]\ncut = "often"\n[[order]]\nprocess = "x"', "often"),
        ('[faults]\nwebhooks = { until = 3 }\n[[order]]\nprocess = "x"', "until"),
        ('[[order]]\nprocess = "x"\ngateways = "EPPC07*"', "EPPC07*"),
        ('[[order]]\nprocess = "x"\ncount = 10001', "10001"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(text: str, named: str) -> None:
    """A slip of the pen is told before anything is ordered, not found out at the end of a day."""
    with pytest.raises(Refusal) as refused:
        Scenario.read(text).errands([], FRIDAY)

    assert refused.value.code == "sim.scenario"
    assert named in str(refused.value)
