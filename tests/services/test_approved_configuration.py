"""What stands against a commissioning before it begins: approval, CC certificate, EMT (P03, O-6, MsbG § 24)."""

from datetime import UTC, datetime, timedelta

import pytest

from torwart.rules.precondition import GatewayType
from torwart.services import approved_configuration as configurations
from torwart.services import client as clients
from torwart.services import emt as emts
from torwart.sim.pki import TestPki
from torwart.store.models import AuditEntry, Gateway, Meter

NOW = datetime.now(UTC)
KIND = GatewayType("SMGW G3", "1.0")
ORDER = {"meters": ["1EMH0000000001"], "emts": ["Lieferant"]}


@pytest.fixture
def gateway(db: None) -> str:
    """A delivered gateway with its meter, of a client without approvals and EMTs."""
    owner = clients.create("Stadtwerk", actor="test")
    Gateway.objects.create(
        device_id="EPPC0200000001", client_id=owner, state="delivered", model=KIND.name, firmware=KIND.firmware
    )
    Meter.objects.create(device_id="1EMH0000000001", client_id=owner, state="delivered", details={"model": "mME"})
    return "EPPC0200000001"


def codes(gateway: str, at: datetime = NOW) -> list[str]:
    return [refusal.code for refusal in configurations.unmet(gateway, ORDER, at)]


@pytest.mark.requirement("P03", "O-6")
def test_everything_that_is_missing_is_told_at_once(gateway: str) -> None:
    """Without certificate, approval and EMT all three are named, in the order to mend them."""
    assert codes(gateway) == [
        "precondition.cc_certificate_missing",
        "precondition.combination_not_approved",
        "precondition.emt_unknown",
    ]


@pytest.mark.requirement("P03", "O-6")
def test_nothing_stands_against_an_approved_certified_gateway_with_its_emt(gateway: str, pki: TestPki) -> None:
    """With all three in force the list is empty, and each was audited."""
    configurations.certify("BSI-1", KIND, actor="operator:a", end=NOW + timedelta(days=1))
    configurations.approve(KIND, "mME", actor="operator:a")
    owner = Gateway.objects.get().client_id
    emts.register(owner, "Lieferant", "127.0.0.1:1", pki.emt.certificates, actor="operator:a")

    assert codes(gateway) == []
    assert {"cc_certificate.kept", "configuration.approved", "emt.registered"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


@pytest.mark.requirement("P03", "O-6")
def test_a_certificate_that_is_past_counts_no_more(gateway: str) -> None:
    """MsbG § 24(4): after its end a type is refused, although it had been certified."""
    configurations.certify("BSI-1", KIND, actor="operator:a", end=NOW - timedelta(days=1))

    assert codes(gateway)[0] == "precondition.cc_certificate_past"


@pytest.mark.requirement("P03", "O-6")
def test_an_approval_that_is_past_counts_no_more(gateway: str) -> None:
    """KL 4.3: only combinations listed now can be ordered."""
    configurations.certify("BSI-1", KIND, actor="operator:a")
    configurations.approve(KIND, "mME", actor="operator:a", end=NOW - timedelta(days=1))

    assert codes(gateway)[0] == "precondition.combination_not_in_force"
