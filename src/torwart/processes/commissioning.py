"""P03, Einbau/Inbetriebnahme Messstelle: from the imported delivery note to the first value at the EMT."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from torwart.kernel.run_state import WaitingFor
from torwart.kernel.words import Words
from torwart.processes import fields, parts
from torwart.processes.conversation import Conversation
from torwart.processes.definition import Choice, Field, FieldKind, Process, Section, Step
from torwart.processes.telling import Telling
from torwart.rules.lead_time import spoken
from torwart.services import approved_configuration
from torwart.services import commissioning as verbs
from torwart.services import profile as profiles
from torwart.services import run as runs

SECTIONS = (
    Section(
        "place",
        Words("Messstelle", "Metering point"),
        Words(
            "Wo gemessen wird: Messlokation, Marktlokationen und Einbauort.",
            "Where the metering takes place: metering location, market locations and place of installation.",
        ),
    ),
    Section(
        "devices",
        Words("Gerät und Zähler", "Gateway and meters"),
        Words(
            "Was eingebaut wird. Die Lieferscheine von Gateway und Zählern müssen importiert sein.",
            "What is installed. The delivery notes of gateway and meters must have been imported.",
        ),
    ),
    Section(
        "profiles",
        Words("Profile und EMT", "Profiles and EMT"),
        Words(
            "Was das Gateway auswertet und wer die Werte erhält.",
            "What the gateway evaluates, and who receives the values.",
        ),
    ),
    Section(
        "installation",
        Words("Einbau vor Ort", "Installation on site"),
        Words("Wann eingebaut wird und wen wir dabei erreichen.", "When it is installed, and whom we can reach then."),
    ),
)

FIELDS = (
    replace(fields.MELO, section="place"),
    replace(fields.MALOS, section="place"),
    Field(
        "address",
        Words("Einbauort", "Place of installation"),
        Words("Geben Sie Straße, Hausnummer, Postleitzahl und Ort ein.", "Enter street, number, postal code and town."),
        "Musterweg 1, 56068 Koblenz",
        fields.line,
        section="place",
    ),
    replace(fields.GATEWAY, section="devices"),
    replace(fields.METERS, section="devices"),
    Field(
        "wan_type",
        Words("WAN-Anbindung", "WAN connection"),
        Words("Wie das Gateway das Netz erreicht.", "How the gateway reaches the network."),
        "LTE",
        kind=FieldKind.CHOICE,
        choices=(
            Choice("LTE", Words("LTE (öffentliches Mobilfunknetz)", "LTE (public mobile network)")),
            Choice("450MHz", Words("450 MHz", "450 MHz")),
            Choice("Ethernet", Words("Ethernet", "Ethernet")),
            Choice("PLC", Words("Powerline (PLC)", "power line (PLC)")),
            Choice("DSL", Words("DSL", "DSL")),
        ),
        section="devices",
    ),
    replace(fields.WAN_ADDRESS, section="devices"),
    replace(fields.TAFS, section="profiles"),
    replace(fields.EMTS, section="profiles"),
    Field(
        "han",
        Words("HAN-Zugang für den Letztverbraucher", "HAN access for the consumer"),
        Words(
            "Ob der Letztverbraucher seine Werte vor Ort am Gateway abrufen kann.",
            "Whether the consumer can read their own values on site from the gateway.",
        ),
        "no",
        kind=FieldKind.CHOICE,
        choices=fields.YES_NO,
        section="profiles",
    ),
    Field(
        "install_at",
        Words("Einbauzeitpunkt", "Time of installation"),
        Words(
            "Wann das Gerät vor Ort eingebaut und eingeschaltet wird. Bis dahin warten wir; meldet es sich früher, "
            "geht es früher los.",
            "When the device is installed and switched on on site. Until then we wait; if it calls earlier, we begin "
            "earlier.",
        ),
        "2026-11-24T09:30+01:00",
        fields.instant,
        kind=FieldKind.INSTANT,
        section="installation",
    ),
    Field(
        "technician",
        Words("Monteur", "Technician"),
        Words("Wer das Gerät einbaut und vor Ort ist.", "Who installs the device and is on site."),
        "Erika Muster",
        fields.line,
        section="installation",
    ),
    Field(
        "technician_phone",
        Words("Telefon des Monteurs", "Technician's phone"),
        Words("Für Rückfragen während des Einbaus.", "For questions during the installation."),
        "+49 261 123456",
        fields.phone,
        section="installation",
    ),
)

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("reserved", Words("Geräte reserviert", "Devices reserved"), stays=False),
    Step("first_contact", Words("Erster Kontakt mit Gütesiegel", "First contact with seal certificate")),
    Step("clock", Words("Uhr geprüft", "Clock checked")),
    Step("keys", Words("Schlüssel erzeugt und beantragt", "Keys made and requested")),
    Step("certificates", Words("Wirkzertifikate von der Sub-CA", "Operational certificates from the Sub-CA")),
    Step("exchange", Words("Zertifikate eingespielt und gewechselt", "Certificates installed and switched")),
    Step("wan", Words("WAN-Profile", "WAN profiles")),
    Step("meters", Words("Zählerprofile und Anbindung", "Meter profiles and pairing")),
    Step("han", Words("HAN-Zugang", "HAN access")),
    Step("emt", Words("Kommunikationsprofile der EMT", "Communication profiles of the EMTs")),
    Step("evaluation", Words("Auswertungsprofile (TAF)", "Evaluation profiles (TAF)")),
    Step("read_back", Words("Alles zurückgelesen und verglichen", "Everything read back and compared")),
    Step("first_value", Words("Erster Messwert beim EMT", "First value at the EMT")),
    Step("in_operation", Words("In Betrieb", "In operation")),
)


def tell(run: Telling) -> Mapping[str, Any]:
    """The story of P03, every step of the catalogue visible as such."""
    order, gateway = run.order, run.gateway
    run.enter("accepted")
    run.enter("reserved", lambda: verbs.reserve(run.run_id, gateway, order))
    run.call("admit", run.world.link.policy_changed)

    run.enter("first_contact")
    _await_installation(run)
    seen = run.at_gateway("look", parts.look)
    run.remembered["there"] = run.write("there", lambda: run.world.clock.now().replace(microsecond=0).isoformat())
    run.enter("clock", lambda: verbs.contacted(run.run_id, gateway, seen))
    parts.set_clock(run)

    if run.write("has operational certificates", lambda: verbs.has_operational(gateway)):
        run.at_gateway("retire seal", parts.retire_seal)  # where an earlier commissioning has not come so far
    else:
        _personalise(run)

    run.enter("wan", lambda: verbs.personalised(run.run_id, gateway))
    run.call("seal no more", run.world.link.policy_changed)
    _write(run, "wan", "wan")
    run.enter("meters")
    _write(run, "meters", "meter")
    parts.pair_meters(run, order["meters"])
    run.enter("han")
    _write(run, "han", "han")
    run.enter("emt")
    _write(run, "emt", "emt")
    run.enter("evaluation")
    _write(run, "evaluation", "evaluation")

    run.enter("read_back")
    actual = run.at_gateway("read back", lambda talk: parts.read_back(talk, _wanted(run, talk)))
    run.enter("first_value", lambda: verbs.proven(run.run_id, gateway))
    first = _first_value(run)
    run.enter("in_operation", lambda: verbs.operate(run.run_id, gateway, order["meters"]))
    return {"first_value_at": first, "profiles": len(actual)}


def _await_installation(run: Telling) -> None:
    """Until the fitter is expected a gateway that does not call is not silent: it is neither woken nor complained of.

    It may call earlier. What patience there is with it begins at the planned time, or with the order if that is later.
    """
    planned = datetime.fromisoformat(run.order["install_at"])
    since = datetime.fromisoformat(run.write("expected since", lambda: run.now().isoformat()))
    if planned <= since or run.at_headend("there already", lambda link: link.connected(run.gateway) is not None):
        return
    words = {
        "de": f"wartet auf den Einbau am {spoken(planned)}",
        "en": f"waiting for its installation {spoken(planned)}",
    }
    run.write("expects", lambda: runs.waits_for(run.run_id, "first_contact", WaitingFor.DEVICE, words))
    called = partial(runs.connected_at, run.gateway, since.isoformat())
    run.wait_until(f"gateway:{run.gateway}", "installation", called, until=planned)
    run.write("expects no more", lambda: runs.resumes(run.run_id, "first_contact"))


def _personalise(run: Telling) -> None:
    """From seal certificates to operational ones; the seal certificates are destroyed at the end."""
    run.enter("keys")
    package = parts.certificate_request(run, renewal=False)
    run.enter("certificates", lambda: parts.keep_request(run, "initial", package))
    issued = parts.issued_certificates(run, "initial")
    run.enter("exchange", lambda: parts.keep_certificates(run, issued))
    parts.exchange_certificates(run, issued)
    run.at_gateway("retire seal", parts.retire_seal, intent=True)


def _wanted(run: Telling, talk: Conversation) -> dict[str, list[Any]]:
    """All wanted profiles by group, composed from order and master data and kept as wanted, once a telling."""
    if "wanted" not in run.remembered:
        composed = {
            "wan": profiles.wan(talk.device, run.world.network, run.world.keys),
            **profiles.ordered(run.order, talk.device, run.world.keys, _metered_from(run)),
        }
        profiles.want(talk.device, run.run_id, [profile for group in composed.values() for profile in group])
        run.remembered["wanted"] = composed
    wanted: dict[str, list[Any]] = run.remembered["wanted"]
    return wanted


def _metered_from(run: Telling) -> datetime:
    """Evaluations begin with the installation: as planned, or when the gateway was there if that was earlier. By the
    gateway's time.
    """
    planned = datetime.fromisoformat(run.order["install_at"]) - run.ahead
    return min(planned, datetime.fromisoformat(run.remembered["there"]))


def _write(run: Telling, name: str, group: str) -> None:
    """Write a group of wanted profiles; writing is repeatable, each container replaces itself."""

    run.at_gateway(f"write {name}", lambda talk: parts.write(talk, _wanted(run, talk)[group]))


def _first_value(run: Telling) -> str:
    """Ask for a first delivery and wait until an EMT has confirmed it."""

    def send(talk: Conversation) -> None:
        parts.send_now([profile.id for profile in _wanted(run, talk)["evaluation"]], talk)

    run.at_gateway("send now", send)
    words = {"de": "wartet auf die Bestätigung des EMT", "en": "waiting for the EMT's confirmation"}
    waited = run.wait_for(
        f"confirmation:{run.gateway}",
        "first value",
        lambda: verbs.first_values(run.order["meters"]),
        seconds=run.world.patience.first_value_total,
        shown=lambda: runs.waits_for(run.run_id, "first_value", WaitingFor.DEVICE, words),
    )
    return parts.confirmed(run, waited)


PROCESS = Process(
    code="P03",
    name="commissioning",
    words=Words("Inbetriebnahme Messstelle (iMSys)", "Commissioning of a metering point"),
    fields=FIELDS,
    sections=SECTIONS,
    steps=STEPS,
    tell=tell,
    unmet=approved_configuration.unmet,
    failed=verbs.release,
    not_cancellable_from="in_operation",
    about=Words(
        "Nimmt ein eingebautes Gateway mit seinen Zählern in Betrieb: erster Kontakt, Wirkzertifikate, Profile, "
        "Anbindung der Zähler, erster Messwert beim Empfänger.",
        "Puts an installed gateway with its meters into operation: first contact, operational certificates, profiles, "
        "pairing of the meters, first reading at the recipient.",
    ),
    needs=(
        Words("SMGW-ID und Zählernummern (Typenschild)", "Gateway id and meter numbers (on their plates)"),
        Words("Messlokation und Marktlokationen", "Metering location and market locations"),
        Words("Importierter Lieferschein der Geräte", "The devices' delivery note, imported"),
        Words("Name und Telefon des Monteurs", "Name and phone of the technician"),
    ),
    duration=Words(
        "Ausfüllen: etwa 5 Minuten. Nach dem Einschalten vor Ort dauert die Inbetriebnahme meist wenige Minuten.",
        "Filling in: about 5 minutes. After power-on on site commissioning mostly takes a few minutes.",
    ),
    result=lambda result: [
        (Words("Erster Messwert beim EMT", "First value at the EMT"), str(result.get("first_value_at", ""))),
        (Words("Geschriebene und zurückgelesene Profile", "Profiles written and read back"), str(result["profiles"])),
    ],
)
