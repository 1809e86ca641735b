"""P39: a contact is named, changed or taken out; a certificate is done only when the test has passed (S-MAIL-3)."""

from collections.abc import Iterator

import pytest
from clientele import SetClock
from cryptography.hazmat.primitives.serialization import Encoding
from mail_stage import MailStage
from order_desk import Desk, desk

from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.kernel.refusals import Refusal
from torwart.processes import ordering
from torwart.processes.definition import process
from torwart.processes.ordering import Orderer
from torwart.store.models import AuditEntry, Contact, MailOut, Order, User

pytestmark = [pytest.mark.requirement("P39")]
NEW = {"action": "add", "first_name": "Paula", "name": "Neu", "phone": "+49 261 9", "email": "Paula@Stadtwerke.example"}


@pytest.fixture
def shop(own_database: str) -> Desk:
    made = desk()
    made.register(process("contact_change"))
    return made


def order(shop: Desk, **fields: str) -> str:
    return shop.played("contact_change", **fields)


def unmet(shop: Desk, **fields: str) -> list[str]:
    found = ordering.examine("contact_change", fields, client=shop.people.client.pk, now=shop.clock.time)
    return [refusal.code for refusal in (*found.errors.values(), *found.unmet)]


def test_a_new_contact_is_named(shop: Desk) -> None:
    """In the address book afterwards, in the audit trail under the run, the result says who."""
    number = order(shop, **NEW)

    assert shop.states(number) == ("done", "resolved", "succeeded")
    row = Contact.objects.get(email="paula@stadtwerke.example")
    assert (row.full_name, row.client, row.mail_state) == ("Paula Neu", shop.people.client, "unknown")
    entry = AuditEntry.objects.get(action="contact.added")
    assert entry.actor == f"run:{shop.order(number).run.run_id}"
    assert "Paula Neu (paula@stadtwerke.example)" in shop.mails("order.done")[0].text


def test_details_are_changed_and_others_stay(shop: Desk) -> None:
    """Only what was filled in changes."""
    order(shop, action="change", contact="ERIKA@stadtwerke.example", phone="+49 30 5")
    row = Contact.objects.get(pk=shop.people.first.pk)
    assert (row.phone, row.first_name, row.email) == ("+49 30 5", "Erika", "erika@stadtwerke.example")


@pytest.mark.requirement("P-3")
def test_two_contacts_must_stay(shop: Desk) -> None:
    """With two the third can go, not the second: refused when ordering, with the reason."""
    assert unmet(shop, action="deactivate", contact="max@stadtwerke.example") == ["contact.too_few"]
    order(shop, **NEW)
    number = order(shop, action="deactivate", contact="max@stadtwerke.example")
    assert shop.states(number)[0] == "done"
    assert not Contact.objects.get(pk=shop.people.second.pk).active
    assert unmet(shop, action="deactivate", contact="erika@stadtwerke.example") == ["contact.too_few"]


@pytest.mark.requirement("P-3")
def test_what_changed_meanwhile_fails_truthfully(shop: Desk) -> None:
    """Another order took the third contact out first: this one fails with the reason, two stay."""
    order(shop, **NEW)
    number = shop.place("contact_change", action="deactivate", contact="max@stadtwerke.example")
    Contact.objects.filter(first_name="Paula").update(active=False)
    shop.on(seconds=61)

    assert shop.states(number) == ("failed", "resolved", "failed")
    assert Contact.objects.filter(active=True).count() == 2
    assert "weniger als zwei" in " ".join(shop.mails("order.failed")[0].text.split())


@pytest.mark.requirement("O-5", "P-1")
def test_what_a_change_needs_is_named_field_by_field(shop: Desk) -> None:
    """Adding needs the person, changing whom and what, a certificate both; a foreign contact is unknown."""
    found = ordering.examine("contact_change", {"action": "add"}, client=shop.people.client.pk, now=shop.clock.time)
    assert set(found.errors) == {"first_name", "name", "phone", "email"}
    assert unmet(shop, action="change") == ["process.field_missing"]
    assert unmet(shop, action="change", contact="max@stadtwerke.example") == ["process.field_missing"]
    assert unmet(shop, action="certificate", contact="max@stadtwerke.example") == ["process.field_missing"]
    assert unmet(shop, action="change", contact="max@nachbar.example", name="X") == ["contact.unknown"]
    assert unmet(shop, **{**NEW, "email": "erika@stadtwerke.example"}) == ["contact.address_taken"]
    assert unmet(shop, **{**NEW, "email": "kein"}) == ["process.field_invalid"]


@pytest.fixture
def stage() -> Iterator[MailStage]:
    stage = MailStage.open()
    yield stage
    stage.box.stop()


def _with_mail(stage: MailStage) -> tuple[Desk, str, str]:
    """A client with tested mail, and Paula who is new: desk, her address, her certificates as PEM."""
    client = stage.tested("Stadtwerke", "erika@stadtwerke.example", "max@stadtwerke.example")
    user = User.objects.create(email="e@stadtwerke.example", name="M", client_id=client, roles=["contact"])
    clock = SetClock(stage.now)
    engine = AbsurdEngine(clock=clock, tuning=Tuning(poll=0.01, tries=1))
    stage.engine = engine
    shop = Desk(clock, engine, None)  # type: ignore[arg-type]  # the people are made here
    shop.register(process("contact_change"))
    address = "paula@stadtwerke.example"
    identity = stage.ca.identity(address)
    stage.box.renew(identity)
    pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in identity.certificates)
    who = Orderer(client, user.pk, "Erika", "user:e")
    fields = {**NEW, "certificate": pem}
    number = ordering.place(engine, "contact_change", fields, orderer=who, now=clock.time)
    shop.on(seconds=61)
    stage.now = clock.time
    stage.run()
    return shop, number, address


@pytest.mark.requirement("S-MAIL-3")
def test_a_certificate_is_done_when_the_test_has_passed(own_database: str, stage: MailStage) -> None:
    """The test mail goes out by itself; the order waits for days and ends with the right answer, at once."""
    shop, number, address = _with_mail(stage)
    assert shop.states(number) == ("in_progress", "open", "waiting")
    assert shop.order(number).run.waiting_for == "client"
    shop.on(days=3)
    stage.now = shop.clock.time
    stage.pass_test(address)
    shop.work()

    assert shop.states(number) == ("done", "resolved", "succeeded")
    assert Contact.objects.get(email=address).mail_state == "tested"
    assert "Gesicherte Mail getestet" in " ".join(
        MailOut.objects.filter(kind="order.done", language="de").first().text.split()  # type: ignore[union-attr]
    )


@pytest.mark.requirement("S-MAIL-3")
def test_a_test_nobody_answers_fails_the_order(own_database: str, stage: MailStage) -> None:
    """After thirty days it ends as failed and says so; the contact stays, untested."""
    shop, number, address = _with_mail(stage)
    for _ in range(31):
        shop.on(days=1)

    assert shop.states(number) == ("failed", "resolved", "failed")
    assert Order.objects.get(number=number).result["refusal"]["code"] == "order.not_tested_in_time"
    assert Contact.objects.get(email=address).mail_state != "tested"


def test_a_wrong_certificate_fails_with_its_reason(own_database: str, stage: MailStage) -> None:
    """One that names somebody else is refused by name."""
    shop, _, _ = _with_mail(stage)
    client = Contact.objects.filter(email="erika@stadtwerke.example").values_list("client_id", flat=True).get()
    pem = "".join(
        each.public_bytes(Encoding.PEM).decode() for each in stage.ca.identity("fremd@x.example").certificates
    )
    who = Orderer(client, None, "Erika", "user:e")
    fields = {"action": "certificate", "contact": "max@stadtwerke.example", "certificate": pem}
    number = ordering.place(shop.engine, "contact_change", fields, orderer=who, now=shop.clock.time)
    shop.on(seconds=61)

    assert shop.states(number)[0] == "failed"
    assert Order.objects.get(number=number).result["refusal"]["code"] == "contact.certificate_address"


def test_the_pasted_text_must_be_a_certificate() -> None:
    """What is no PEM is refused at its field."""
    with pytest.raises(Refusal):
        process("contact_change").field("certificate").check("hallo")
