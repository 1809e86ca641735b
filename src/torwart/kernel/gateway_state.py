"""The life of a gateway as its administrator sees it (spec/01 O-4 and G-3, spec/02, spec/04 §1.13).

Theory of operation
- What is *decided or proven* is a state: a delivery note is imported, an order reserves the device, its first contact
  is checked, its certificates are exchanged. What is merely *observed* is none: that a gateway is silent, in a secure
  state or has a wrong clock can be true in any state and is read from its last contact and status.
- A blocked gateway is let in by nobody. When the block is lifted it starts again as delivered: trust comes back by
  the whole commissioning, whose steps look first and keep what is already right.
- A gateway that comes back (refurbished by its maker, or from another administrator) needs a new delivery note.
"""

from enum import StrEnum

from torwart.kernel.state import StateTable
from torwart.kernel.words import Words


class GatewayState(StrEnum):
    DELIVERED = "delivered"
    RESERVED = "reserved"
    CONTACTED = "contacted"
    PERSONALISED = "personalised"
    CONNECTED = "connected"
    OPERATIONAL = "operational"
    SUSPENDED = "suspended"
    BLOCKED = "blocked"
    HANDED_OVER = "handed_over"
    REMOVED = "removed"
    RETIRED = "retired"


class GatewayVerb(StrEnum):
    RESERVE = "reserve"
    RELEASE = "release"
    CONTACT = "contact"
    PERSONALISE = "personalise"
    CONNECT = "connect"
    OPERATE = "operate"
    DETACH = "detach"
    TAKE_OVER = "take_over"
    HAND_OVER = "hand_over"
    SUSPEND = "suspend"
    RESUME = "resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    REMOVE = "remove"
    REDELIVER = "redeliver"
    RETIRE = "retire"


_S, _V = GatewayState, GatewayVerb

GATEWAY: StateTable[GatewayState, GatewayVerb] = StateTable(
    subject=Words("Smart-Meter-Gateway", "smart meter gateway"),
    initial=_S.DELIVERED,
    states={
        _S.DELIVERED: Words("geliefert", "delivered"),
        _S.RESERVED: Words("für Inbetriebnahme reserviert", "reserved for commissioning"),
        _S.CONTACTED: Words("erster Kontakt geprüft", "first contact checked"),
        _S.PERSONALISED: Words("personalisiert (Wirkzertifikate)", "personalised (operational certificates)"),
        _S.CONNECTED: Words("WAN ok", "WAN ok"),
        _S.OPERATIONAL: Words("in Betrieb", "in operation"),
        _S.SUSPENDED: Words("ausgesetzt", "suspended"),
        _S.BLOCKED: Words("gesperrt", "blocked"),
        _S.HANDED_OVER: Words("an anderen Administrator abgegeben", "handed over to another administrator"),
        _S.REMOVED: Words("außer Betrieb", "out of operation"),
        _S.RETIRED: Words("ausgemustert", "retired"),
    },
    verbs={
        _V.RESERVE: Words("reservieren", "reserve"),
        _V.RELEASE: Words("Reservierung lösen", "release"),
        _V.CONTACT: Words("ersten Kontakt feststellen", "record first contact"),
        _V.PERSONALISE: Words("personalisieren", "personalise"),
        _V.CONNECT: Words("WAN-Profile bestätigen", "confirm WAN profiles"),
        _V.OPERATE: Words("in Betrieb nehmen", "put into operation"),
        _V.DETACH: Words("letzten Zähler lösen", "detach last meter"),
        _V.TAKE_OVER: Words("übernehmen", "take over"),
        _V.HAND_OVER: Words("abgeben", "hand over"),
        _V.SUSPEND: Words("aussetzen", "suspend"),
        _V.RESUME: Words("wieder einsetzen", "resume"),
        _V.BLOCK: Words("sperren", "block"),
        _V.UNBLOCK: Words("entsperren", "unblock"),
        _V.REMOVE: Words("außer Betrieb nehmen", "take out of operation"),
        _V.REDELIVER: Words("erneut liefern", "deliver again"),
        _V.RETIRE: Words("ausmustern", "retire"),
    },
    moves=(
        # P03, P04: the way in
        (_V.RESERVE, (_S.DELIVERED,), _S.RESERVED),
        (_V.RELEASE, (_S.RESERVED, _S.CONTACTED), _S.DELIVERED),
        (_V.CONTACT, (_S.RESERVED,), _S.CONTACTED),
        (_V.PERSONALISE, (_S.CONTACTED,), _S.PERSONALISED),
        (_V.CONNECT, (_S.PERSONALISED,), _S.CONNECTED),
        (_V.OPERATE, (_S.CONNECTED,), _S.OPERATIONAL),
        (_V.DETACH, (_S.OPERATIONAL,), _S.CONNECTED),
        # P33, P34: change of administrator
        (_V.TAKE_OVER, (_S.DELIVERED,), _S.OPERATIONAL),
        (_V.HAND_OVER, (_S.CONNECTED, _S.OPERATIONAL), _S.HANDED_OVER),
        # P17, P19: restraint
        (_V.SUSPEND, (_S.OPERATIONAL,), _S.SUSPENDED),
        (_V.RESUME, (_S.SUSPENDED,), _S.OPERATIONAL),
        (
            _V.BLOCK,
            (
                _S.DELIVERED,
                _S.RESERVED,
                _S.CONTACTED,
                _S.PERSONALISED,
                _S.CONNECTED,
                _S.OPERATIONAL,
                _S.SUSPENDED,
                _S.REMOVED,
            ),
            _S.BLOCKED,
        ),
        (_V.UNBLOCK, (_S.BLOCKED,), _S.DELIVERED),
        # P08, P10: the way out
        (
            _V.REMOVE,
            (_S.CONTACTED, _S.PERSONALISED, _S.CONNECTED, _S.OPERATIONAL, _S.SUSPENDED),
            _S.REMOVED,
        ),
        (_V.REDELIVER, (_S.REMOVED, _S.HANDED_OVER), _S.DELIVERED),
        (_V.RETIRE, (_S.DELIVERED, _S.REMOVED, _S.BLOCKED), _S.RETIRED),
    ),
)

COMMISSIONING = frozenset({_S.RESERVED, _S.CONTACTED})
"""States in which the head-end lets a gateway in with its seal certificate."""

ADMINISTERED = frozenset({_S.PERSONALISED, _S.CONNECTED, _S.OPERATIONAL})
"""States in which the gateway holds operational certificates of ours and takes commands."""
