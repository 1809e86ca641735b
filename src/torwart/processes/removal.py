"""P10, Ausbau/Außerbetriebnahme: profiles and consumer data gone, certificates revoked, the device out of operation."""

from collections.abc import Mapping
from typing import Any

from torwart.kernel.words import Words
from torwart.processes import fields, parts
from torwart.processes.definition import Choice, Field, FieldKind, Process, Step
from torwart.processes.telling import Telling
from torwart.services import commissioning as verbs

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("data", Words("Verbraucherdaten gelöscht", "Consumer data deleted")),
    Step("profiles", Words("Profile gelöscht und geprüft", "Profiles deleted and checked")),
    Step("revocation", Words("Wirkzertifikate gesperrt", "Operational certificates revoked")),
    Step("out", Words("Außer Betrieb", "Out of operation")),
)

REASONS = {"return": "cessationOfOperation", "stock": "cessationOfOperation", "scrap": "cessationOfOperation"}
"""Whereabouts → reason code of the revocation (RFC 5280 §5.3.1); anything else is a compromise."""


def tell(run: Telling) -> Mapping[str, Any]:
    """A gateway that is lost or stolen is not spoken to: its certificates are revoked at once and it is blocked."""
    whereabouts = run.order["whereabouts"]
    run.enter("accepted", lambda: verbs.removable(run.gateway))
    deleted: list[str] = []
    if whereabouts not in verbs.LOST:
        run.enter("data")
        run.at_gateway("wipe", parts.wipe_consumer_data, intent=True)
        run.enter("profiles")
        deleted = run.at_gateway("delete", parts.delete_profiles, intent=True)
    run.enter("revocation", lambda: parts.forget_profiles(run.gateway, deleted))
    serials = parts.revoke(run, REASONS.get(whereabouts, "keyCompromise"))
    run.enter("out", lambda: verbs.removed(run.run_id, run.gateway, whereabouts))
    run.call("shut out", run.world.link.policy_changed)
    run.at_headend("hang up", lambda link: link.close(run.gateway))
    return {"profiles_deleted": len(deleted), "revoked": len(serials), "whereabouts": whereabouts}


PROCESS = Process(
    code="P10",
    name="removal",
    words=Words("Ausbau / Außerbetriebnahme", "Removal"),
    fields=(
        fields.GATEWAY,
        Field(
            "whereabouts",
            Words("Verbleib", "Whereabouts"),
            Words("Was mit dem Gerät geschieht.", "What becomes of the device."),
            "return",
            kind=FieldKind.CHOICE,
            choices=(
                Choice("return", Words("geht an den Hersteller zurück", "goes back to its maker")),
                Choice("stock", Words("kommt ins Lager", "goes into stock")),
                Choice("scrap", Words("wird verschrottet", "is scrapped")),
                Choice("lost", Words("ist verloren", "is lost")),
                Choice("stolen", Words("ist gestohlen", "is stolen")),
            ),
        ),
        Field(
            "removed_at",
            Words("Ausbauzeitpunkt", "Time of removal"),
            Words("Wann das Gerät ausgebaut wurde oder wird.", "When the device was or will be removed."),
            "2026-11-24T09:30+01:00",
            fields.instant,
            kind=FieldKind.INSTANT,
        ),
        Field(
            "final_readings",
            Words("Endstände", "Final readings"),
            Words("Je Zähler Nummer und Stand.", "Number and reading of each meter."),
            "1EMH0012345678=1234.5",
            fields.line,
            optional=True,
            many=True,
        ),
    ),
    steps=STEPS,
    tell=tell,
    not_cancellable_from="revocation",
    about=Words(
        "Nimmt ein Gateway außer Betrieb: Profile und Verbraucherdaten werden gelöscht, die Wirkzertifikate gesperrt. "
        "Das lässt sich nicht rückgängig machen.",
        "Takes a gateway out of operation: profiles and consumer data are deleted, the operational certificates "
        "revoked. This cannot be undone.",
    ),
    needs=(
        Words("SMGW-ID", "Gateway id"),
        Words("Endstände der Zähler", "Final readings of the meters"),
        Words("Verbleib des Geräts", "Whereabouts of the device"),
    ),
    duration=Words("Meist wenige Minuten, sobald das Gateway erreichbar ist.", "Mostly minutes, once it is reachable."),
    result=lambda result: [
        (Words("Gelöschte und geprüfte Profile", "Profiles deleted and checked"), str(result["profiles_deleted"])),
        (Words("Gesperrte Zertifikate", "Certificates revoked"), str(result["revoked"])),
    ],
)
