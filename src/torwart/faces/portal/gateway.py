"""Devices: the fleet with its lights, and one device with its life line and all that belongs to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from torwart.faces._design import keyset
from torwart.faces._design.access import client_of, client_only, has_any
from torwart.faces._design.language import active, t
from torwart.faces.portal.draft import orderable
from torwart.kernel.gateway_state import GATEWAY, GatewayState
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.plots import life_line
from torwart.plots.life_line import LifeLine, Mark, Stretch
from torwart.plots.picture import Picture
from torwart.rules import device_light
from torwart.services import present
from torwart.store.queries import gateway as queries
from torwart.store.queries.gateway import Device
from torwart.wire.logbook import words_of

_TONES = {
    GatewayState.DELIVERED: "quiet",
    GatewayState.RESERVED: "warn",
    GatewayState.CONTACTED: "warn",
    GatewayState.PERSONALISED: "accent",
    GatewayState.CONNECTED: "accent",
    GatewayState.OPERATIONAL: "good",
    GatewayState.SUSPENDED: "warn",
    GatewayState.BLOCKED: "bad",
}
_LEVELS = {"WARNING": "warn", "ERROR": "bad", "FATAL": "bad"}
_CERTIFICATES = {"active": "accent", "revoked": "bad", "suspended": "warn"}
_VIEWS = (
    ("", t("Alle", "All")),
    ("stumm", t("Melden sich nicht", "Silent")),
    ("ablauf", t("Zertifikat läuft ab", "Certificate expiring")),
)


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """The client's gateways by device id."""
    query, now = request.GET, present.now()
    view = query.get("ansicht", "")
    state = GatewayState(query["zustand"]) if query.get("zustand") in list(GatewayState) else None
    text = query.get("suche", "").strip()[:40]
    rows = queries.filtered(
        client_of(request),
        text=text,
        state=state,
        silent_before=device_light.silent_before(now) if view == "stumm" else None,
        expiring_before=now + device_light.EXPIRING if view == "ablauf" else None,
    )
    context = {
        "page": keyset.page(rows, order=("device_id",), at=query.get("seite")),
        "views": [(word, name, name == view) for name, word in _VIEWS],
        "view": view,
        "text": text,
        "state": state.value if state else "",
        "states": [(each.value, words) for each, words in GATEWAY.states.items()],
        "filtered": bool(text or state or view),
    }
    return render(request, "portal/device/list.html", context)


@dataclass(frozen=True, slots=True)
class Compared:
    """A wanted profile and what was last read back of it: ``same``, ``differs`` or ``unread``."""

    profile: Any
    reading: Any
    verdict: str


@require_GET
@client_only
def page(request: HttpRequest, device_id: str) -> HttpResponse:
    """One device; another client's is not found."""
    now = present.now()
    found = queries.device(client_of(request), device_id)
    if found is None:
        raise Http404
    context = {
        "device": found,
        "gateway": found.gateway,
        "light": _light(found, now),
        "picture": picture(found, now),
        "profiles": [_compared(found, profile) for profile in found.profiles],
        "operational": [row for row in found.certificates if not row.seal],
        "seals": [row for row in found.certificates if row.seal],
        "orderable": [each for each in orderable() if each.subject_field] if has_any(request, Role.CONTACT) else [],
        "now": now,
    }
    return render(request, "portal/device/page.html", context)


def _light(device: Device, now: datetime) -> device_light.DeviceLight:
    gateway: Any = device.gateway
    return device_light.judge(
        GatewayState(gateway.state),
        last_contact=gateway.last_contact_at,
        certificates_until=gateway.certificates_until,
        now=now,
    )


def _compared(device: Device, profile: Any) -> Compared:
    reading = device.readings.get(profile.name)
    verdict = "unread" if reading is None else "same" if reading.digest == profile.digest else "differs"
    return Compared(profile, reading, verdict)


def _told(event: Any) -> Words:
    return words_of(event.event, event.text or event.level, event.parameters)


def picture(device: Device, now: datetime) -> Picture:
    """The life line: states from the audit trail, certificates by set, events and orders as marks."""
    lanes = [
        (Words("Zustand", "State"), _states(device)),
        (Words("Gütesiegel", "Seal"), _sets(device, seal=True, now=now)),
        (Words("Wirkzertifikate", "Operational"), _sets(device, seal=False, now=now)),
    ]
    marks = [
        Mark(
            words_of(event.event, event.text or event.level, event.parameters),
            event.at,
            _LEVELS.get(event.level, "quiet"),
        )
        for event in device.events
    ]
    data = LifeLine(
        device=device.gateway.device_id,
        now=now,
        lanes=[lane for lane in lanes if lane[1]],
        marks=marks,
    )
    return life_line.draw(data, language=active(), width=1080)


def _states(device: Device) -> list[Stretch]:
    moves = device.moves
    first = GatewayState(moves[0][2]) if moves else GatewayState(device.gateway.state)
    begins = [(device.gateway.created_at, first), *((at, GatewayState(to)) for at, _, _, to in moves)]
    ends: list[datetime | None] = [*(at for at, _ in begins[1:]), None]
    return [
        Stretch(GATEWAY.states[state], begin, end, _TONES.get(state, "quiet"))
        for (begin, state), end in zip(begins, ends, strict=True)
    ]


def _sets(device: Device, *, seal: bool, now: datetime) -> list[Stretch]:
    """One stretch a set of three: from when it was valid to when it ended or was given up."""
    rows = [row for row in device.certificates if row.seal is seal and row.use == "TLS"]
    return [
        Stretch(
            Words(f"bis {row.not_after:%d.%m.%Y}", f"until {row.not_after:%d.%m.%Y}"),
            row.not_before,
            min(row.not_after, now) if row.state == "active" else min(row.state_since, row.not_after),
            _CERTIFICATES.get(row.state, "quiet"),
        )
        for row in reversed(rows)
    ]
