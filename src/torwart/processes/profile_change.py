"""P11, Tarif-/Profiländerung: new evaluation profiles beside the old, the change at its time, the old ones gone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import (
    FIELD_INVALID,
    FIELD_MISSING,
    LAST_VALUES_OPEN,
    METER_NOT_SEEN,
    PROFILE_NOT_IN_FORCE,
)
from torwart.kernel.refusals.profile import STAGES_NOT_ASKED, SWITCH_TIME_GRID
from torwart.kernel.run_state import WaitingFor
from torwart.kernel.words import Words
from torwart.processes import fields, parts
from torwart.processes.conversation import Conversation
from torwart.processes.definition import Choice, Field, FieldKind, Process, Section, Step
from torwart.processes.telling import Telling
from torwart.rules import switch_time
from torwart.rules.lead_time import spoken
from torwart.services import profile as profiles
from torwart.services import profile_change as verbs
from torwart.services import run as runs
from torwart.wire.smgw.model import ContractState

AHEAD = timedelta(hours=6)
"""The new profiles are brought to the gateway so long before they begin: time enough to wake it more than once."""

SECTIONS = (
    Section(
        "place",
        Words("Messstelle", "Metering point"),
        Words("Wofür sich die Auswertung ändert.", "For what the evaluation changes."),
    ),
    Section(
        "tariff",
        Words("Tarif und Auswertung", "Tariff and evaluation"),
        Words(
            "Was das Gateway künftig auswertet; ersetzt werden alle bisherigen Auswertungen nach TAF 1, 2, 6 und 7.",
            "What the gateway evaluates from then on. It replaces all earlier evaluations by TAF 1, 2, 6 and 7.",
        ),
    ),
    Section(
        "recipients",
        Words("Empfänger und Beginn", "Recipients and begin"),
        Words("Wer die Messwerte erhält, und ab wann.", "Who receives the readings, and from when."),
    ),
    Section(
        "permission",
        Words("Berechtigung", "Permission"),
        Words(
            "Nach § 25 Absatz 3 MsbG teilen Sie uns mit, worauf die Auswertung und ihre Empfänger beruhen.",
            "By § 25(3) MsbG you tell us what the evaluation and its recipients are based on.",
        ),
    ),
)

FIELDS = (
    replace(
        fields.GATEWAY,
        help=Words(
            "Geräte-ID des Gateways in Betrieb. Sie kann fehlen, wenn Sie eine Messstelle nennen.",
            "Device id of the gateway in operation. It may be left out if you name a metering point.",
        ),
        optional=True,
        section="place",
    ),
    replace(fields.METERING_POINT, section="place"),
    replace(fields.TAFS, section="tariff"),
    Field(
        "switch_times",
        Words("Schaltzeiten (nur TAF 2)", "Switching times (TAF 2 only)"),
        Words(
            "Bei TAF 2 nötig: Tarifstufe, Tage, von–bis in Ortszeit. Ein einzelner Tag steht als Datum: "
            "2 2026-12-24 00:00-24:00.",
            "Needed with TAF 2: tariff stage, days, from–to in local time. A single day is a date: "
            "2 2026-12-24 00:00-24:00.",
        ),
        "1 Mo-Fr 06:00-22:00",
        switch_time.canonical,
        optional=True,
        many=True,
        section="tariff",
    ),
    Field(
        "default_stage",
        Words("Tarifstufe zu allen anderen Zeiten (nur TAF 2)", "Tariff stage at all other times (TAF 2 only)"),
        Words("Bei TAF 2 nötig: Stufe 1 bis 62.", "Needed with TAF 2: stage 1 to 62."),
        "2",
        fields.whole_number(1, switch_time.MOST_STAGE),
        optional=True,
        kind=FieldKind.NUMBER,
        section="tariff",
    ),
    Field(
        "registration_minutes",
        Words("Registrierperiode", "Registration period"),
        Words("Wie oft ein Zählerstand erfasst wird; ohne Angabe viertelstündlich.",
              "How often a reading is taken; each quarter of an hour unless you say so."),
        "15",
        optional=True,
        kind=FieldKind.CHOICE,
        choices=(
            Choice("5", Words("5 Minuten", "5 minutes")),
            Choice("15", Words("15 Minuten", "15 minutes")),
            Choice("30", Words("30 Minuten", "30 minutes")),
            Choice("60", Words("60 Minuten", "60 minutes")),
        ),
        section="tariff",
    ),
    Field(
        "send_hours",
        Words("Sendezyklus", "Sending cycle"),
        Words("Wie oft das Gateway sendet; ohne Angabe täglich. TAF 6 sendet nur auf Abruf.",
              "How often the gateway sends; daily unless you say so. TAF 6 sends on demand only."),
        "24",
        optional=True,
        kind=FieldKind.CHOICE,
        choices=(
            Choice("1", Words("stündlich", "hourly")),
            Choice("6", Words("alle 6 Stunden", "every 6 hours")),
            Choice("24", Words("täglich", "daily")),
        ),
        section="tariff",
    ),
    Field(
        "billing_period",
        Words("Abrechnungsperiode", "Billing period"),
        Words("Für TAF 1: wozu je ein Stand gebildet wird; ohne Angabe monatlich.",
              "For TAF 1: for what one reading each is made; monthly unless you say so."),
        "P1M",
        optional=True,
        kind=FieldKind.CHOICE,
        choices=(
            Choice("P1M", Words("monatlich", "monthly")),
            Choice("P3M", Words("vierteljährlich", "quarterly")),
            Choice("P1Y", Words("jährlich", "yearly")),
        ),
        section="tariff",
    ),
    replace(fields.EMTS, section="recipients"),
    Field(
        "valid_from",
        Words("Gültig ab", "Valid from"),
        Words(
            "Wann die neuen Profile beginnen; bis dahin gelten die alten. Bis sechs Stunden vorher können Sie den "
            "Auftrag folgenlos stornieren.",
            "When the new profiles begin; until then the old ones hold. Until six hours before you can cancel the "
            "order without a trace.",
        ),
        "2027-01-01T00:00+01:00",
        fields.instant,
        kind=FieldKind.INSTANT,
        section="recipients",
    ),
    Field(
        "permission_ground",
        Words("Grundlage", "Ground"),
        Words("Worauf die Verarbeitung nach § 50 Absatz 1 MsbG beruht.",
              "What the processing is based on by § 50(1) MsbG."),
        "contract",
        kind=FieldKind.CHOICE,
        choices=(
            Choice("consent", Words("Einwilligung des Anschlussnutzers", "consent of the connection user")),
            Choice("contract", Words("Vertrag mit dem Anschlussnutzer (Nr. 1)", "contract with the user (no. 1)")),
            Choice("before_contract", Words("Vorvertragliche Maßnahme auf dessen Veranlassung (Nr. 2)",
                                            "pre-contractual measure the user has asked for (no. 2)")),
            Choice("duty", Words("Rechtliche Verpflichtung (Nr. 3)", "legal obligation (no. 3)")),
            Choice("grid", Words("Hoheitliche Aufgabe des Netzbetreibers (Nr. 4)",
                                 "sovereign task of the grid operator (no. 4)")),
        ),
        section="permission",
    ),
    Field(
        "permission_by",
        Words("Wer die Berechtigung erteilt hat", "Who gave the permission"),
        Words("Anschlussnutzer oder Marktpartner, wie im Vertrag genannt.",
              "Connection user or market partner, as named in the contract."),
        "Stadtwerk Musterstadt, Stromlieferung",
        fields.line,
        section="permission",
    ),
    Field(
        "permission_reference",
        Words("Vertrag oder Datum", "Contract or date"),
        Words("Woran sich die Berechtigung nachlesen lässt.", "By what the permission can be looked up."),
        "Rahmenvertrag 2026-117 vom 01.10.2026",
        fields.line,
        optional=True,
        section="permission",
    ),
)  # fmt: skip

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("reached", Words("Gateway erreicht, Uhr und Zähler geprüft", "Gateway reached, clock and meters checked"),
         stays=False),
    Step("recipients", Words("Kommunikationsprofile neuer Empfänger", "Communication profiles of new recipients")),
    Step("written", Words("Neue Auswertungsprofile neben den alten geschrieben",
                          "New evaluation profiles written beside the old")),
    Step("read_back", Words("Zurückgelesen und verglichen", "Read back and compared")),
    Step("in_force", Words("Neue Profile gelten", "New profiles in force")),
    Step("first_value", Words("Erster Messwert bei neuen Empfängern", "First value at new recipients")),
    Step("removed", Words("Alte Profile entfernt", "Old profiles removed")),
    Step("proven", Words("Noch einmal zurückgelesen", "Read back once more")),
)  # fmt: skip


def tell(run: Telling) -> Mapping[str, Any]:
    """The gateway itself changes from the old profiles to the new at its instant; the story prepares and proves it."""
    run.enter("accepted")
    run.enter("reached")
    run.at_gateway("look", parts.look)
    parts.set_clock(run)
    held = run.at_gateway("contracts", parts.contracts)
    decided = run.write("plan", lambda: verbs.plan(run.gateway, run.order, list(held)))
    _meters_there(run, decided["meters"])

    run.enter("recipients")
    if decided["missing"]:
        run.at_gateway("write recipients", partial(_write_recipients, run, decided))
    run.enter("written")
    at = datetime.fromisoformat(run.at_gateway("write", partial(_write, run, decided)))
    run.enter("read_back")
    run.at_gateway("read back", partial(_read_back, run, decided, at))

    run.enter("in_force")
    run.write("waits for its time", lambda: _waits_until(run, at))
    run.sleep_until("change", at)
    _in_force(run, decided, at)
    first = ""
    if decided["new"]:
        run.enter("first_value")
        first = _first_values(run, decided, at)

    run.enter("removed")
    _last_values(run, decided, at)
    removed = run.at_gateway("remove", partial(_remove, run, decided, at), intent=True)
    run.enter("proven", lambda: parts.forget_profiles(run.gateway, [*removed, *decided["unheld"]]))
    standing = run.at_gateway("read back again", partial(_read_back_again, run, decided, at))
    return {"in_force_from": at.isoformat(), "first_value_at": first, "profiles": standing, "removed": removed}


def _change(run: Telling, decided: Mapping[str, Any], at: datetime) -> verbs.Change:
    """The profiles of the change, composed once a telling for each instant it may begin at."""
    name = f"change {at.isoformat()}"
    if name not in run.remembered:
        begins = at - run.ahead  # by the gateway's clock
        run.remembered[name] = verbs.compose(run.gateway, run.order, decided, begins, run.world.keys)
    change: verbs.Change = run.remembered[name]
    return change


def _meters_there(run: Telling, meters: list[str]) -> None:
    """What has no meter evaluates nothing: all of them must be paired."""
    seen: Mapping[str, Any] = run.at_gateway("meters", parts.meters_seen)
    missing = [meter for meter in meters if not seen.get(meter, {}).get("paired")]
    if missing:
        raise METER_NOT_SEEN(gateway=run.gateway, meter=", ".join(missing))


def _write_recipients(run: Telling, decided: Mapping[str, Any], talk: Conversation) -> None:
    """The ways to new recipients must stand there before the evaluations that use them."""
    ways = _change(run, decided, verbs.begin_of(run.order, run.now())).ways
    profiles.want(talk.device, run.run_id, ways)
    parts.write(talk, ways)
    parts.read_back(talk, {"ways": ways})


def _write(run: Telling, decided: Mapping[str, Any], talk: Conversation) -> str:
    """New profiles with their begin, then the old ones with the same instant as their end; that instant.

    It may be repeated: each container replaces itself, and a later attempt moves begin and end together.
    """
    at = verbs.begin_of(run.order, run.now() + timedelta(seconds=run.world.patience.change))
    change = _change(run, decided, at)
    written = [*change.new, *change.ended, *change.between]
    profiles.want(talk.device, run.run_id, written)
    parts.write(talk, written)
    return at.isoformat()


def _read_back(run: Telling, decided: Mapping[str, Any], at: datetime, talk: Conversation) -> None:
    change = _change(run, decided, at)
    parts.read_back(talk, {"new": change.new, "old": change.ended, "access": change.between})


def _waits_until(run: Telling, at: datetime) -> None:
    words = {"de": f"Das Gateway wechselt am {spoken(at)}", "en": f"The gateway changes on {spoken(at)}"}
    runs.waits_for(run.run_id, "in_force", WaitingFor.TIME, words)


def _in_force(run: Telling, decided: Mapping[str, Any], at: datetime) -> None:
    """The gateway says of every new contract that it runs."""
    new = [profile.id for profile in _change(run, decided, at).new]

    def idle(held: Mapping[str, Any]) -> list[str]:
        return [name for name in new if held.get(name, {}).get("state") != ContractState.RUNNING.value]

    missing = _until(run, "in force", idle)
    if missing:
        raise PROFILE_NOT_IN_FORCE(gateway=run.gateway, contracts=", ".join(missing))


def _last_values(run: Telling, decided: Mapping[str, Any], at: datetime) -> None:
    """No value is lost: an old profile goes only after it has delivered what it counted up to its end."""
    ended = {profile.id: profile.valid_until for profile in _change(run, decided, at).ended if profile.valid_until}

    def open_(held: Mapping[str, Any]) -> list[str]:
        return [name for name, end in ended.items() if name in held and not _delivered(held[name], end)]

    left = _until(run, "last values", open_)
    if left:
        raise LAST_VALUES_OPEN(gateway=run.gateway, contracts=", ".join(left))


def _delivered(contract: Mapping[str, Any], end: datetime) -> bool:
    if contract["state"] != ContractState.ARCHIVE.value or not contract["last_sent"]:
        return False
    return datetime.fromisoformat(contract["last_sent"]) >= end


def _until(run: Telling, name: str, left: Callable[[Mapping[str, Any]], list[str]]) -> list[str]:
    """Ask for the contracts' states until nothing is left to wait for, or patience ends; what is left then."""
    found: list[str] = []
    for number, pause in enumerate((0.0, *run.world.patience.contracts)):
        run.pause(f"{name} pause {number}", pause)
        found = left(run.at_gateway(f"{name} {number}", parts.contracts))
        if not found:
            break
    return found


def _first_values(run: Telling, decided: Mapping[str, Any], at: datetime) -> str:
    """Ask each new contract for a first delivery and wait until all new recipients have confirmed it."""
    new = _change(run, decided, at).new
    run.at_gateway("send now", partial(parts.send_now, [profile.id for profile in new]))
    words = {
        "de": "wartet auf die Bestätigung der neuen Empfänger",
        "en": "waiting for the new recipients' confirmation",
    }
    names = [profile.container_id for profile in new]
    waited = run.wait_for(
        f"confirmation:{run.gateway}",
        "first value",
        lambda: verbs.first_values(run.gateway, names, decided["new"]),
        seconds=run.world.patience.first_value_total,
        shown=lambda: runs.waits_for(run.run_id, "first_value", WaitingFor.DEVICE, words),
    )
    return parts.confirmed(run, waited)


def _remove(run: Telling, decided: Mapping[str, Any], at: datetime, talk: Conversation) -> list[str]:
    """The consumer sees the new contracts only; then the old ones go, and the ways nobody uses any more."""
    change = _change(run, decided, at)
    profiles.want(talk.device, run.run_id, change.after)
    parts.write(talk, change.after)
    return parts.delete(talk, change.gone)


def _read_back_again(run: Telling, decided: Mapping[str, Any], at: datetime, talk: Conversation) -> list[str]:
    change = _change(run, decided, at)
    found: list[str] = parts.read_back(talk, {"new": change.new, "access": change.after})
    return found


def _together(values: Mapping[str, Any]) -> Mapping[str, Refusal]:
    """Gateway or metering point; stages with TAF 2 and only there, on the grid of registrations."""
    wrong: dict[str, Refusal] = {}
    if not values["gateway"] and not values["metering_point"]:
        wrong["gateway"] = _missing("gateway")
    if len(set(values["emts"])) > MOST_RECIPIENTS:
        wrong["emts"] = FIELD_INVALID(given=str(len(values["emts"])), expected=f"1 – {MOST_RECIPIENTS}")
    staged = [name for name in ("switch_times", "default_stage") if values[name]]
    if "2" not in values["tafs"]:
        return wrong | {name: STAGES_NOT_ASKED() for name in staged}
    wrong |= {name: _missing(name) for name in ("switch_times", "default_stage") if name not in staged}
    if len(staged) == 2:
        wrong |= _times_wrong(values)
    return wrong


MOST_RECIPIENTS = 16
"""Communication profiles an evaluation may name (wire/profiles/evaluation.py)."""


def _missing(name: str) -> Refusal:
    label = next(field.label for field in FIELDS if field.name == name)
    return FIELD_MISSING(field=name, label_de=label.de, label_en=label.en)


def _times_wrong(values: Mapping[str, Any]) -> Mapping[str, Refusal]:
    times = [switch_time.parse(line) for line in values["switch_times"]]
    minutes = int(values["registration_minutes"] or 15)
    off = switch_time.off_grid(times, minutes)
    if off is not None:
        return {"switch_times": SWITCH_TIME_GRID(line=str(off), minutes=minutes)}
    try:
        switch_time.week(times, int(values["default_stage"]))
        switch_time.special_days(times, int(values["default_stage"]))
    except Refusal as refusal:
        return {"switch_times": refusal}
    return {}


def _result(result: Mapping[str, Any]) -> list[tuple[Words, str]]:
    rows = [
        (Words("Neue Profile gelten seit", "New profiles in force since"),
         spoken(datetime.fromisoformat(result["in_force_from"]))),
        (Words("Geschriebene und zurückgelesene Profile", "Profiles written and read back"),
         str(len(result["profiles"]))),
        (Words("Entfernte Profile", "Profiles removed"), str(len(result["removed"]))),
    ]  # fmt: skip
    if result["first_value_at"]:
        first = spoken(datetime.fromisoformat(result["first_value_at"]))
        rows.append((Words("Erster Messwert bei neuen Empfängern", "First value at new recipients"), first))
    return rows


PROCESS = Process(
    code="P11",
    name="profile_change",
    words=Words("Tarif-/Profiländerung (TAF)", "Tariff/profile change (TAF)"),
    fields=FIELDS,
    sections=SECTIONS,
    steps=STEPS,
    tell=tell,
    unmet=verbs.unmet,
    together=_together,
    locate=verbs.gateway_of,
    time_field="valid_from",
    ahead=AHEAD,
    remains=verbs.remains,
    not_cancellable_from="recipients",
    about=Words(
        "Ändert, was ein Gateway in Betrieb auswertet und wem es Messwerte sendet. Die neuen Profile stehen "
        "rechtzeitig neben den alten; das Gateway wechselt selbst zum gewünschten Zeitpunkt, danach werden "
        "die alten entfernt.",
        "Changes what a gateway in operation evaluates and to whom it sends readings. The new profiles stand beside "
        "the old ones in time; the gateway changes by itself at the requested instant, then the old ones are removed.",
    ),
    needs=(
        Words("Messlokation, Marktlokation oder SMGW-ID", "Metering location, market location or gateway id"),
        Words("TAF mit Schaltzeiten und Zyklen aus dem Vertrag", "TAF with switching times and cycles by contract"),
        Words("Empfänger mit gültigen Zertifikaten (noch mindestens 30 Tage)",
              "Recipients with valid certificates (30 more days at least)"),
        Words("Grundlage der Berechtigung nach § 25 Absatz 3 MsbG", "Ground of the permission by § 25(3) MsbG"),
    ),
    duration=Words(
        "Ausfüllen: etwa 5 Minuten. Die Profile sind meist wenige Minuten vor dem gewünschten Beginn bereit.",
        "Filling in: about 5 minutes. The profiles mostly are ready well before the requested begin.",
    ),
    result=_result,
)  # fmt: skip
