"""The fleet and the file of one gateway: how it is, what it is to hold, what was done with it, what can be started."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from torwart.faces._design import keyset
from torwart.faces._design.access import provider_only
from torwart.faces._design.language import active
from torwart.faces.console import transcript
from torwart.faces.console.page import May, gateway_or_404, plain, show
from torwart.faces.console.starting import startable
from torwart.faces.console.words import look
from torwart.kernel.gateway_state import GATEWAY, GatewayState
from torwart.kernel.words import Words
from torwart.plots import certificate_horizon, life_line
from torwart.plots.picture import Picture
from torwart.processes.definition import Process, catalogue
from torwart.rules.device_light import EXPIRING, DeviceLight, judge, silent_before
from torwart.rules.lifetime import HORIZONS, Horizon, horizon
from torwart.rules.validity import Validity
from torwart.services import present
from torwart.store.queries import case as cases
from torwart.store.queries import client as clients
from torwart.store.queries import fleet as queries
from torwart.store.queries.fleet import Concern
from torwart.wire.logbook import words_of

CONCERNS: dict[Concern, Words] = {
    Concern.SILENT: Words("meldet sich nicht", "silent"),
    Concern.EXPIRING: Words("Zertifikat läuft ab", "certificate expiring"),
    Concern.BLOCKED: Words("auf der Sperrliste", "on the blocklist"),
}
_OWNERS = {
    "gateway": Words("Gateways", "Gateways"),
    "emt": Words("Marktpartner (EMT)", "Market partners (EMT)"),
    "contact": Words("S/MIME der Ansprechpartner", "Contacts' S/MIME"),
    "own": Words("Eigene", "Our own"),
}


@dataclass(frozen=True, slots=True)
class Line:
    gateway: Any
    light: DeviceLight
    until: datetime | None


@provider_only
def fleet(request: HttpRequest) -> HttpResponse:
    """All gateways of all clients, narrowed by the form above the list."""
    now = present.now()
    wish = _Wish.of(request.GET)
    rows = queries.gateways(
        client=wish.client,
        state=wish.state,
        firmware=wish.firmware,
        text=wish.text,
        concern=wish.concern,
        silent_before=silent_before(now),
        expiring_before=now + EXPIRING,
    )
    page = keyset.page(rows, order=("-id",), at=request.GET.get("seite"))
    ends = queries.ends([row.pk for row in page.rows])
    return show(
        request,
        "gateways",
        wish=wish,
        page=page,
        lines=[_line(row, ends.get(row.pk), now) for row in page.rows],
        clients=clients.names(),
        states=GATEWAY.states.items(),
        firmwares=queries.firmwares(),
        concerns=CONCERNS.items(),
        narrowed=wish != _Wish(),
    )


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the filter asks for; what makes no sense is left out."""

    text: str = ""
    client: int | None = None
    state: GatewayState | None = None
    firmware: str = ""
    concern: Concern | None = None

    @classmethod
    def of(cls, data: Mapping[str, str]) -> "_Wish":
        client, state, concern = data.get("auftraggeber", ""), data.get("zustand", ""), data.get("auffaellig", "")
        return cls(
            plain(data.get("q", ""), 40),
            int(client) if client.isascii() and client.isdigit() and len(client) < 18 else None,
            GatewayState(state) if state in set(GatewayState) else None,
            plain(data.get("firmware", ""), 80),
            Concern(concern) if concern in set(Concern) else None,
        )


def _line(row: Any, until: datetime | None, now: datetime) -> Line:
    state = GatewayState(row.state)
    return Line(row, judge(state, last_contact=row.last_contact_at, certificates_until=until, now=now), until)


@provider_only
def certificates(request: HttpRequest) -> HttpResponse:
    """What runs out when, of everybody (P1)."""
    now = present.now()
    today = timezone.localdate(now)
    found = queries.horizon(today, certificate_horizon.WEEKS)
    kinds = [
        certificate_horizon.Kind(words, {week: count for owner, week, count in found if owner == name})
        for name, words in _OWNERS.items()
    ]
    past = queries.ended(now)
    drawn = certificate_horizon.draw(certificate_horizon.Horizon(today, past, kinds), language=active(), width=1150)
    return show(request, "certificates", picture=drawn, past=past)


# --- one gateway ------------------------------------------------------------------------------------------------------


@provider_only
def gateway(request: HttpRequest, device: str) -> HttpResponse:
    """How it is, and its whole file."""
    row = gateway_or_404(device)
    now = present.now()
    file = queries.file(row)
    in_use = [each for each in file.certificates if each.state == "active"]
    until = min((each.not_after for each in in_use), default=None)
    line = _line(row, until, now)
    return show(
        request,
        "gateway",
        gateway=row,
        line=line,
        file=file,
        certificates=[(each, _horizon(each, now)) for each in file.certificates],
        profiles=[(each, _standing(each, file.readings.get(each.name))) for each in file.profiles],
        life=_life(file, now),
        processes=[(each, _known(each.process)) for each in file.runs],
        starts=startable() if May.of(request).operate else [],
    )


def _known(code: str) -> Words:
    return next((each.words for each in catalogue().values() if each.code == code), Words(code, code))


def _horizon(row: Any, now: datetime) -> tuple[str, Words] | None:
    """How near the end a certificate in use is: kind of mark and words."""
    if row.state != "active":
        return None
    near = horizon(Validity(row.not_before, row.not_after), now)
    kinds = {Horizon.EXPIRED: "danger", Horizon.URGENT: "danger", Horizon.DUE: "warning", Horizon.PLANNED: "info"}
    return kinds.get(near, "success"), HORIZONS[near]


_SAME = Words("wie gewünscht", "as wanted")
_OTHER = Words("weicht ab", "differs")
_UNREAD = Words("noch nicht zurückgelesen", "not read back yet")
_ABSENT = Words("fehlt am Gateway", "missing on the gateway")


def _standing(profile: Any, reading: Any) -> tuple[str, Words, Any]:
    """What we want against what was last read back: kind of mark, words, the reading."""
    if reading is None:
        return "neutral", _UNREAD, None
    if reading.digest == profile.digest:
        return "success", _SAME, reading
    return ("danger", _ABSENT, reading) if not reading.digest else ("danger", _OTHER, reading)


_SEAL, _OPERATIONAL = Words("Gütesiegel", "Seal"), Words("Wirkzertifikate", "Operational")
_TONES = {"success": "good", "danger": "bad", "warning": "warn", "info": "accent"}
_STATE_LANE, _CERTIFICATE_LANE, _PROCESS_LANE = (
    Words("Zustand", "State"),
    Words("Zertifikate", "Certificates"),
    Words("Prozesse", "Processes"),
)


def _life(file: Any, now: datetime) -> Picture:
    """The life line (P8): states, seal and operational certificates, processes; events as marks."""
    states = [(file.gateway.created_at, file.moves[0][1] if file.moves else file.gateway.state)]
    states += [(at, after) for at, _, after in file.moves]
    ends: list[datetime | None] = [at for at, _ in states[1:]]
    lane = [
        life_line.Stretch(look("gateway", state).words, begin, end, _TONES.get(look("gateway", state).kind, "quiet"))
        for (begin, state), end in zip(states, [*ends, None], strict=True)
    ]
    certificates = [
        life_line.Stretch(
            Words(
                f"{each.use} {'Gütesiegel' if each.seal else 'Wirk'}", f"{each.use} {'seal' if each.seal else 'op.'}"
            ),
            each.not_before,
            min(each.not_after, now) if each.state == "active" else min(each.state_since, each.not_after),
            "accent" if each.state == "active" else "quiet",
        )
        for each in reversed(file.certificates)
        if each.use == "TLS" and each.not_before < now
    ]
    runs = [
        life_line.Stretch(
            _known(each.process), each.received_at, each.ended_at, _TONES.get(look("run", each.state).kind, "quiet")
        )
        for each in reversed(file.runs)
    ]
    lanes = [(_STATE_LANE, lane), (_CERTIFICATE_LANE, certificates), (_PROCESS_LANE, runs)]
    marks = [
        life_line.Mark(
            words_of(each.event, each.text, each.parameters),
            each.at,
            "bad" if each.level in ("ERROR", "FATAL") else "quiet",
        )
        for each in file.events
    ]
    data = life_line.LifeLine(file.gateway.device_id, now, [lane for lane in lanes if lane[1]], marks)
    return life_line.draw(data, language=active(), width=1150)


@provider_only
def profile(request: HttpRequest, device: str, name: str) -> HttpResponse:
    """One profile, wanted and read back, line against line. Neither holds a secret: none was ever kept in it."""
    row = gateway_or_404(device)
    wanted, reading = queries.profile(row.pk, plain(name))
    if wanted is None:
        raise Http404
    lines = transcript.differences(bytes(wanted.content), bytes(reading.content) if reading else b"")
    return show(
        request,
        "profile",
        gateway=row,
        wanted=wanted,
        reading=reading,
        lines=lines,
        standing=_standing(wanted, reading),
    )


@provider_only
def messages(request: HttpRequest, device: str) -> HttpResponse:
    """What we and this gateway said to each other lately."""
    row = gateway_or_404(device)
    rows = cases.exchanges(gateway=row.pk)
    return show(request, "gateway_messages", gateway=row, exchanges=rows, ladder=transcript.ladder(rows))


@provider_only
def run(request: HttpRequest, run_id: Any) -> HttpResponse:
    """One run: its steps, result and messages."""
    found = queries.run(str(run_id))
    if found is None:
        raise Http404
    row, steps = found
    known = next((each for each in catalogue().values() if each.code == row.process), None)
    rows = cases.exchanges(run=row.pk)
    result = known.result(row.result) if known and known.result and row.result else []
    return show(
        request,
        "run",
        run=row,
        words=known.words if known else Words(row.process, row.process),
        steps=[(each, _step_words(known, each.name)) for each in steps],
        result=result,
        exchanges=rows,
        ladder=transcript.ladder(rows),
    )


def _step_words(known: Process | None, name: str) -> Words:
    return (
        next((step.words for step in known.steps if step.name == name), Words(name, name))
        if known
        else Words(name, name)
    )
