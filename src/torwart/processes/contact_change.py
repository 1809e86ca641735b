"""P39, Ansprechpartner ändern: name, change or take out a contact; store a certificate and prove it (P-3, S-MAIL-3)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.order import NOT_TESTED_IN_TIME
from torwart.kernel.refusals.process import FIELD_INVALID, FIELD_MISSING
from torwart.kernel.run_state import WaitingFor
from torwart.kernel.words import Words
from torwart.processes import fields
from torwart.processes.definition import Choice, Field, FieldKind, Process, Section, Step
from torwart.processes.telling import Telling
from torwart.rules.lead_time import spoken
from torwart.services import contact_order as verbs
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.wire.mail.address import is_address

ADD, CHANGE, DEACTIVATE, CERTIFICATE = "add", "change", "deactivate", "certificate"

SECTIONS = (
    Section("what", Words("Was soll sich ändern?", "What is to change?")),
    Section(
        "person",
        Words("Person", "Person"),
        Words(
            "Beim Ändern füllen Sie nur aus, was neu ist.",
            "When changing, fill in only what is new.",
        ),
    ),
    Section(
        "certificate",
        Words("Zertifikat für gesicherte Mail", "Certificate for secure mail"),
        Words(
            "Nach dem Hinterlegen senden wir eine Testmail. Erst nach der richtigen Antwort gehen Daten auf diesem "
            "Weg.",
            "After storing it we send a test mail. Only after the right answer data goes this way.",
        ),
    ),
)


def _email(text: str) -> str:
    plain = text.strip().lower()
    if not is_address(plain):
        raise FIELD_INVALID(given=text[:60], expected="name@firma.de")
    return plain


def _certificate(text: str) -> str:
    """PEM as pasted or uploaded; what it says is checked when it is stored."""
    plain = text.strip()
    if "-----BEGIN CERTIFICATE-----" not in plain or len(plain) > 50_000:
        raise FIELD_INVALID(given=plain[:40], expected="-----BEGIN CERTIFICATE----- …")
    return plain


ACTION = Field(
    "action",
    Words("Änderung", "Change"),
    Words("Was mit dem Ansprechpartner geschehen soll.", "What is to be done about the contact."),
    ADD,
    kind=FieldKind.CHOICE,
    choices=(
        Choice(ADD, Words("neuen Ansprechpartner benennen", "name a new contact")),
        Choice(CHANGE, Words("Angaben ändern", "change details")),
        Choice(DEACTIVATE, Words("Ansprechpartner herausnehmen", "take a contact out")),
        Choice(CERTIFICATE, Words("S/MIME-Zertifikat hinterlegen", "store an S/MIME certificate")),
    ),
    section="what",
)
CONTACT = Field(
    "contact",
    Words("Ansprechpartner", "Contact"),
    Words("Mailadresse der Person, um die es geht; nicht nötig bei einer neuen.", "Mail address of the person."),
    "erika.muster@stadtwerk.example",
    _email,
    optional=True,
    offers=lambda client: [Choice(email, Words(name, name)) for email, name in verbs.people(client)],
    section="what",
)
PERSON = (
    Field(
        "first_name",
        Words("Vorname", "First name"),
        Words("Der neue Vorname.", "The new first name."),
        "Erika",
        fields.line,
        optional=True,
        section="person",
    ),
    Field(
        "name",
        Words("Nachname", "Name"),
        Words("Der neue Nachname.", "The new last name."),
        "Muster",
        fields.line,
        optional=True,
        section="person",
    ),
    Field(
        "phone",
        Words("Telefon", "Phone"),
        Words("Unter dieser Nummer erreichen wir die Person.", "We reach the person under this number."),
        "+49 261 123456",
        fields.phone,
        optional=True,
        section="person",
    ),
    Field(
        "email",
        Words("E-Mail", "E-mail"),
        Words(
            "Eine neue Adresse braucht ein Zertifikat, das sie nennt.", "A new one needs a certificate that names it."
        ),
        "erika.muster@stadtwerk.example",
        _email,
        optional=True,
        section="person",
    ),
)
FIELDS = (
    ACTION,
    CONTACT,
    *PERSON,
    Field(
        "certificate",
        Words("Zertifikat (PEM)", "Certificate (PEM)"),
        Words(
            "Text von „-----BEGIN CERTIFICATE-----“ bis „-----END CERTIFICATE-----“.",
            "The text from “-----BEGIN CERTIFICATE-----” to “-----END CERTIFICATE-----”.",
        ),
        "-----BEGIN CERTIFICATE-----",
        _certificate,
        optional=True,
        kind=FieldKind.PARAGRAPH,
        section="certificate",
    ),
)

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("changed", Words("Angaben übernommen", "Details taken over")),
    Step("stored", Words("Zertifikat hinterlegt, Testmail gesendet", "Certificate stored, test mail sent")),
    Step("tested", Words("Gesicherte Mail getestet", "Secure mail tested")),
)
_WAITS = {"de": "wartet auf die richtige Antwort auf die Testmail", "en": "waits for the right answer to the test mail"}
_LOOK_EVERY = timedelta(hours=6)
"""The mail room nudges the run; this is for changes that came another way."""


def tell(run: Telling) -> Mapping[str, Any]:
    """The change first; with a certificate the order is done once the test in both directions has passed."""
    run.enter("accepted")
    client, order = orders.client_of(run.number), run.order
    actor = f"run:{run.run_id}"
    run.enter("changed")
    contact: dict[str, Any] = run.write("change", lambda: verbs.apply(client, order, actor=actor, now=run.now()))
    if not order["certificate"]:
        return {"contact": contact["name"], "action": order["action"], "tested": ""}
    run.enter("stored")
    stored: list[str] = run.write(
        "store", lambda: verbs.store(client, contact["id"], order["certificate"], actor=actor, now=run.now())
    )
    run.enter("tested")
    tested = _tested(run, contact, stored)
    return {"contact": contact["name"], "action": order["action"], "tested": tested}


def _tested(run: Telling, contact: Mapping[str, Any], fingerprints: list[str]) -> str:
    """When the certificates passed their test; the run waits for it for days and fails truthfully after that."""
    began = run.write("waiting", lambda: _show_waiting(run))
    since = datetime.fromisoformat(began)
    end = since + timedelta(seconds=run.world.patience.client_total)
    turn = 0
    while run.now() < end or turn == 0:
        look = partial(verbs.tested_at, contact["id"], fingerprints)
        until = min(run.now() + _LOOK_EVERY, end)
        found = run.wait_until(f"contact:{contact['id']}", f"tested {turn}", look, until=until)
        if found is not None:
            run.write("answered", partial(runs.resumes, run.run_id, "tested"))
            return str(found)
        turn += 1
    raise NOT_TESTED_IN_TIME(name=contact["name"], days=round(run.world.patience.client_total / 86400))


def _show_waiting(run: Telling) -> str:
    runs.waits_for(run.run_id, "tested", WaitingFor.CLIENT, _WAITS)
    return run.now().isoformat()


def _together(values: Mapping[str, Any]) -> Mapping[str, Refusal]:
    """What the chosen change needs."""
    needed = {
        ADD: [field.name for field in PERSON],
        CHANGE: ["contact"],
        DEACTIVATE: ["contact"],
        CERTIFICATE: ["contact", "certificate"],
    }[values["action"]]
    errors = {name: _missing(name) for name in needed if not values[name]}
    if values["action"] == CHANGE and not any(values[field.name] for field in PERSON) and "contact" not in errors:
        errors["name"] = _missing("name")
    return errors


def _missing(name: str) -> Refusal:
    label = PROCESS.field(name).label
    return FIELD_MISSING(field=name, label_de=label.de, label_en=label.en)


PROCESS = Process(
    code="P39",
    name="contact_change",
    words=Words(
        "Ansprechpartner ändern, S/MIME-Zertifikat hinterlegen", "Change a contact, store an S/MIME certificate"
    ),
    fields=FIELDS,
    sections=SECTIONS,
    steps=STEPS,
    tell=tell,
    subject_field="",
    together=_together,
    unmet_for=lambda client, user, values, now: verbs.unmet(client, values, now),
    about=Words(
        "Benennt, ändert oder entfernt einen Ansprechpartner oder hinterlegt ein Zertifikat für gesicherte Mail. "
        "Mindestens zwei Ansprechpartner müssen bleiben.",
        "Names, changes or removes a contact, or stores a certificate for secure mail. At least two contacts must "
        "stay.",
    ),
    needs=(
        Words("Name, Telefon und E-Mail der Person", "Name, phone and e-mail of the person"),
        Words(
            "Ihr S/MIME-Zertifikat als PEM, wenn es hinterlegt werden soll", "Their S/MIME certificate as PEM, if any"
        ),
    ),
    duration=Words(
        "Ausfüllen: etwa zwei Minuten. Mit Zertifikat ist der Auftrag erledigt, sobald die Testmail beantwortet ist.",
        "Filling in: about two minutes. With a certificate the order is done once the test mail has been answered.",
    ),
    capacity=60,
    result=lambda result: [
        (Words("Ansprechpartner", "Contact"), str(result["contact"])),
        *(
            [
                (
                    Words("Gesicherte Mail getestet", "Secure mail tested"),
                    spoken(datetime.fromisoformat(result["tested"])),
                )
            ]
            if result["tested"]
            else []
        ),
    ],
    not_cancellable_from="changed",
)
