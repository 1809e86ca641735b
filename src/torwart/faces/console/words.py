"""States in words and looks: which kind of mark (colour and icon) each state of the kernel's tables gets."""

from dataclasses import dataclass
from typing import Any

from torwart.kernel.client_state import CLIENT, ClientState
from torwart.kernel.contact_state import CONTACT_MAIL, MailState
from torwart.kernel.gateway_state import GATEWAY, GatewayState
from torwart.kernel.order_state import ORDER, OrderState
from torwart.kernel.refusals import Side
from torwart.kernel.run_state import RUN, RunState
from torwart.kernel.state import StateTable
from torwart.kernel.ticket_state import TICKET, TicketState
from torwart.kernel.words import Words


@dataclass(frozen=True, slots=True)
class Look:
    """``kind``: success, info, warning, danger, paused or neutral; ``icon``: of the sprite, ``""`` for the kind's."""

    words: Words
    kind: str = "neutral"
    icon: str = ""


_KINDS: dict[object, tuple[str, str]] = {
    TicketState.OPEN: ("info", "circle-dot"),
    TicketState.WAITING_CLIENT: ("paused", "clock-pause"),
    TicketState.WAITING_DEVICE: ("warning", "antenna"),
    TicketState.WAITING_TIME: ("neutral", "calendar"),
    TicketState.RESOLVED: ("success", "circle-check"),
    TicketState.CLOSED: ("neutral", "lock"),
    OrderState.SUBMITTED: ("info", "send"),
    OrderState.ACCEPTED: ("info", "check"),
    OrderState.PROPOSED: ("paused", "calendar"),
    OrderState.IN_PROGRESS: ("info", "progress"),
    OrderState.DONE: ("success", "circle-check"),
    OrderState.FAILED: ("danger", "alert-circle"),
    OrderState.CANCELLED: ("neutral", "ban"),
    OrderState.WITHDRAWN: ("neutral", "ban"),
    OrderState.REFUSED: ("danger", "circle-x"),
    RunState.RECEIVED: ("neutral", "inbox"),
    RunState.ACCEPTED: ("info", "check"),
    RunState.REFUSED: ("danger", "circle-x"),
    RunState.WAITING: ("warning", "hourglass"),
    RunState.RUNNING: ("info", "progress"),
    RunState.SUCCEEDED: ("success", "circle-check"),
    RunState.FAILED: ("danger", "alert-circle"),
    RunState.CANCELLED: ("neutral", "ban"),
    GatewayState.OPERATIONAL: ("success", "circle-check"),
    GatewayState.CONNECTED: ("info", "wifi"),
    GatewayState.PERSONALISED: ("info", "certificate"),
    GatewayState.CONTACTED: ("info", "plug"),
    GatewayState.RESERVED: ("info", "flag"),
    GatewayState.SUSPENDED: ("warning", "player-pause"),
    GatewayState.BLOCKED: ("danger", "ban"),
    ClientState.ONBOARDING: ("warning", "list-check"),
    ClientState.ACTIVE: ("success", "circle-check"),
    ClientState.SUSPENDED: ("paused", "player-pause"),
    ClientState.ENDED: ("neutral", "ban"),
    MailState.UNKNOWN: ("neutral", "mail"),
    MailState.STORED: ("neutral", "file-certificate"),
    MailState.TEST_SENT: ("info", "send"),
    MailState.TESTED: ("success", "shield-check"),
    MailState.EXPIRING: ("warning", "hourglass"),
    MailState.EXPIRED: ("danger", "alert-circle"),
    MailState.FAILED: ("danger", "circle-x"),
}
_TABLES: dict[str, StateTable[Any, Any]] = {
    "ticket": TICKET,
    "order": ORDER,
    "run": RUN,
    "gateway": GATEWAY,
    "client": CLIENT,
    "contact": CONTACT_MAIL,
}
SIDES: dict[str, Words] = {
    Side.OURS: Words("bei uns", "ours"),
    Side.GATEWAY: Words("beim Gateway", "the gateway's"),
    Side.CLIENT: Words("beim Auftraggeber", "the client's"),
    Side.CA: Words("bei der Zertifizierungsstelle", "the CA's"),
    Side.NETWORK: Words("im Netz", "the network's"),
    Side.EMT: Words("beim EMT", "the EMT's"),
}
_APPROVALS = {
    "pending": Look(Words("wartet auf Entscheidung", "waiting for a decision"), "warning", "hourglass"),
    "approved": Look(Words("freigegeben", "approved"), "success", "circle-check"),
    "rejected": Look(Words("abgelehnt", "rejected"), "danger", "circle-x"),
    "withdrawn": Look(Words("zurückgezogen", "withdrawn"), "neutral", "ban"),
}
_MAILS = {
    "stored": Look(Words("eingegangen, noch nicht gelesen", "received, not read yet"), "info", "inbox"),
    "done": Look(Words("bearbeitet", "handled"), "success", "circle-check"),
    "ignored": Look(Words("nicht beantwortet", "not answered"), "neutral", "minus"),
    "refused": Look(Words("abgewiesen, mit Grund beantwortet", "refused, answered with the reason"), "warning", "ban"),
    "quarantined": Look(Words("in Quarantäne", "quarantined"), "danger", "alert-triangle"),
    "queued": Look(Words("in der Warteschlange", "queued"), "info", "clock"),
    "sent": Look(Words("zugestellt", "delivered"), "success", "circle-check"),
    "failed": Look(Words("nicht zustellbar", "undeliverable"), "danger", "alert-circle"),
}
_CERTIFICATES = {
    "issued": Look(Words("ausgestellt", "issued"), "neutral", "certificate"),
    "installed": Look(Words("installiert", "installed"), "info", "certificate"),
    "active": Look(Words("aktiv", "active"), "success", "circle-check"),
    "retired": Look(Words("abgelöst", "retired"), "neutral", "history"),
    "revoked": Look(Words("gesperrt", "revoked"), "danger", "ban"),
    "suspended": Look(Words("ausgesetzt", "suspended"), "warning", "player-pause"),
}
_PROFILES = {
    "wanted": Look(Words("gewünscht, noch nicht bewiesen", "wanted, not proven yet"), "warning", "hourglass"),
    "active": Look(Words("aktiv", "active"), "success", "circle-check"),
}
_OTHERS = {"approval": _APPROVALS, "mail": _MAILS, "certificate": _CERTIFICATES, "profile": _PROFILES}


def look(subject: str, state: str) -> Look:
    """How a state of ``subject`` (ticket, order, run, gateway, client, contact, approval, mail …) is shown."""
    if subject in _OTHERS:
        return _OTHERS[subject].get(state, Look(Words(state, state)))
    table = _TABLES[subject]
    known = next((each for each in table.states if each.value == state), None)
    if known is None:
        return Look(Words(state, state))
    return Look(table.states[known], *_KINDS.get(known, ("neutral", "circle-dot")))


def why_not(table: StateTable[Any, Any], state: str, verb: str) -> Words | None:
    """Why ``verb`` is missing in ``state``; ``None`` if the table allows it."""
    now = next(each for each in table.states if each.value == state)
    wanted = next(each for each in table.verbs if each.value == verb)
    if table.can(now, wanted):
        return None
    possible = [table.states[each] for each in table.sources(wanted)]
    return Words(
        f"„{table.verbs[wanted].de}“ geht nur im Zustand: {', '.join(words.de for words in possible)}.",
        f"“{table.verbs[wanted].en}” is possible in: {', '.join(words.en for words in possible)}.",
    )
