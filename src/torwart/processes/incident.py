"""P41, Störungsmeldung: the client says what is wrong, an operator diagnoses and settles it in the ticket (M-2)."""

from collections.abc import Mapping
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.order import NO_VERDICT
from torwart.kernel.refusals.process import FIELD_MISSING
from torwart.kernel.words import Words
from torwart.processes import fields
from torwart.processes.definition import Choice, Field, FieldKind, Process, Section, Step
from torwart.processes.telling import Telling
from torwart.services import order as orders
from torwart.services import ticket as tickets

SECTIONS = (
    Section(
        "object",
        Words("Worum geht es?", "What is it about?"),
        Words("Nennen Sie das Gerät oder den Ort, wenn Sie sie kennen.", "Name device or place if you know them."),
    ),
    Section(
        "symptom",
        Words("Was ist gestört?", "What is wrong?"),
        Words("Je genauer, desto schneller finden wir die Ursache.", "The more precise, the sooner we find the cause."),
    ),
)

OBJECT = Field(
    "object",
    Words("Art des Objekts", "Kind of object"),
    Words("Was von der Störung betroffen ist.", "What is affected."),
    "gateway",
    kind=FieldKind.CHOICE,
    choices=(
        Choice("gateway", Words("Gateway (SMGW)", "gateway (SMGW)")),
        Choice("meter", Words("Zähler", "meter")),
        Choice("melo", Words("Messlokation (MeLo)", "metering location (MeLo)")),
        Choice("other", Words("etwas anderes", "something else")),
    ),
    section="object",
)
NAME = Field(
    "name",
    Words("Nummer des Objekts", "Number of the object"),
    Words(
        "SMGW-ID, Zählernummer oder MeLo; bei etwas anderem freier Text.",
        "Gateway id, meter number or MeLo; free text for something else.",
    ),
    "EPPC0211358875",
    fields.line,
    optional=True,
    section="object",
)
FIELDS = (
    OBJECT,
    NAME,
    Field(
        "symptom",
        Words("Störungsbild", "Symptom"),
        Words("Was am ehesten passt.", "What fits best."),
        "no_values",
        kind=FieldKind.CHOICE,
        choices=(
            Choice("no_values", Words("Messwerte fehlen", "readings are missing")),
            Choice("wrong_values", Words("Messwerte sind falsch", "readings are wrong")),
            Choice("unreachable", Words("Gateway nicht erreichbar", "gateway cannot be reached")),
            Choice("lights", Words("Leuchten am Gerät zeigen einen Fehler", "lights on the device show a fault")),
            Choice("han", Words("HAN-Zugang geht nicht", "HAN access does not work")),
            Choice("control", Words("Steuern (CLS) geht nicht", "control (CLS) does not work")),
            Choice("portal", Words("Portal oder Schnittstelle gestört", "portal or interface disturbed")),
            Choice("other", Words("etwas anderes", "something else")),
        ),
        section="symptom",
    ),
    Field(
        "description",
        Words("Beschreibung", "Description"),
        Words(
            "Was geschieht, was Sie erwartet haben und was Sie schon versucht haben.",
            "What happens, what you expected and what you have tried already.",
        ),
        "Seit gestern Abend kommen keine Werte, die TLS-Leuchte ist aus.",
        fields.paragraph,
        kind=FieldKind.PARAGRAPH,
        section="symptom",
    ),
    Field(
        "since",
        Words("Gestört seit", "Since"),
        Words("Wann Sie es zuerst bemerkt haben.", "When you first noticed it."),
        "2026-11-24T09:30+01:00",
        fields.instant,
        kind=FieldKind.INSTANT,
        section="symptom",
    ),
)

STEPS = (
    Step("accepted", Words("Störung aufgenommen", "Incident recorded"), stays=False),
    Step("diagnosis", Words("Diagnose durch unsere Operatoren", "Diagnosis by our operators")),
    Step("settled", Words("Störung behoben oder geklärt", "Incident mended or settled")),
)
_PARSERS = {"gateway": fields.gateway_id, "meter": fields.METERS.parse, "melo": fields.MELO.parse, "other": fields.line}


def tell(run: Telling) -> Mapping[str, Any]:
    """Nothing is done to a device: the run waits for what an operator finds out and says in the ticket."""
    run.enter("accepted", lambda: orders.about_device(run.number, run.order["object"], _name(run.order)))
    run.enter("diagnosis")
    ticket = orders.ticket_of(run.number)
    patience = run.world.patience.verdict_total
    verdict = run.wait_for(f"ticket:{ticket}", "verdict", lambda: tickets.verdict(ticket), seconds=patience)
    if verdict is None:
        raise NO_VERDICT(days=round(patience / 86400))
    run.enter("settled")
    return {"text": verdict["text"], "by": verdict["by"]}


def _together(values: Mapping[str, Any]) -> Mapping[str, Refusal]:
    """A named kind of object needs its number, in the form of that kind."""
    kind, name = values["object"], values["name"]
    if not name:
        missing = FIELD_MISSING(field="name", label_de=NAME.label.de, label_en=NAME.label.en)
        return {} if kind == "other" else {"name": missing}
    try:
        _PARSERS[kind](name)
    except Refusal as refusal:
        return {"name": refusal}
    return {}


def _name(values: Mapping[str, Any]) -> str:
    return str(_PARSERS[values["object"]](values["name"])) if values["name"] else ""


PROCESS = Process(
    code="P41",
    name="incident",
    words=Words("Störungsmeldung", "Incident"),
    fields=FIELDS,
    sections=SECTIONS,
    steps=STEPS,
    tell=tell,
    subject_field="",
    together=_together,
    unmet_for=lambda client, user, values, now: orders.device_unknown(client, values["object"], _name(values)),
    unattended=False,
    about=Words(
        "Meldet eine Störung. Ein Operator sucht die Ursache, spricht das Vorgehen im Vorgang mit Ihnen ab und sagt "
        "Ihnen, "
        "was getan wurde. Eilige Fälle melden Sie bitte zusätzlich telefonisch.",
        "Reports an incident. An operator looks for the cause, agrees with you in the ticket how to go on and tells "
        "you "
        "what was done. Please report urgent cases by phone as well.",
    ),
    needs=(
        Words(
            "Nummer des Geräts oder der Messlokation, wenn bekannt", "Number of device or metering location, if known"
        ),
        Words("Seit wann und was genau gestört ist", "Since when, and what exactly is wrong"),
    ),
    duration=Words(
        "Ausfüllen: etwa zwei Minuten. Wir antworten innerhalb von 24 Stunden Servicezeit.",
        "Filling in: about two minutes. We answer within 24 hours of service time.",
    ),
    capacity=4,
    result=lambda result: [
        (Words("Befund und Maßnahme", "Finding and measure"), str(result["text"])),
        (Words("Bearbeitet von", "Handled by"), str(result["by"])),
    ],
    after_ordering=Words(
        "Ein Operator sieht sich die Störung an. Rückfragen und das Ergebnis bekommen Sie zu diesem Vorgang per Mail.",
        "An operator looks at the incident. Questions and the result reach you by mail in this ticket.",
    ),
)
