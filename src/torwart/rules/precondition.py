"""What must be true before a process may begin: pure functions over plain values, the law beside the ``if``.

Each function answers ``None`` or the refusal it would raise, so that a form can show all that is missing at once
(``unmet``) and a service can insist (``require``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from torwart.kernel.gateway_state import GATEWAY, GatewayState, GatewayVerb
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals import precondition as refused
from torwart.rules.validity import Validity

EMT_USES = ("TLS", "SIG", "ENC")
MINIMUM_CONTACTS = 2
ENERGY = ("1-0:1.8.0", "1-0:2.8.0")
"""Registers evaluations are made of: energy taken from the grid and fed into it."""


@dataclass(frozen=True, slots=True)
class GatewayType:
    """What of a gateway decides about its use: maker's type and firmware version."""

    name: str
    firmware: str


@dataclass(frozen=True, slots=True)
class Combination:
    """An approved configuration (KL 4.3): gateway type + firmware × basic meter type, while its approval lasts."""

    gateway: GatewayType
    meter_type: str
    validity: Validity = field(default_factory=Validity)


@dataclass(frozen=True, slots=True)
class CcCertificate:
    """A certificate of the BSI by § 24(1) MsbG, as proven to us."""

    number: str
    gateway: GatewayType
    validity: Validity


@dataclass(frozen=True, slots=True)
class EmtCertificates:
    """The certificates of an EMT by use (``TLS``, ``SIG``, ``ENC``) with their validity; ``revoked``: uses revoked."""

    name: str
    validity: Mapping[str, Validity]
    revoked: frozenset[str] = field(default=frozenset())


def unmet(*checks: Refusal | None) -> list[Refusal]:
    """The refusals among the answers, in the order asked."""
    return [check for check in checks if check is not None]


def require(*checks: Refusal | None) -> None:
    """Raise the first refusal among the answers, if any."""
    for refusal in unmet(*checks):
        raise refusal


def delivery_note_imported(device: str, state: GatewayState | None) -> Refusal | None:
    """O-4: a device without an imported delivery note (``state`` is ``None``) cannot be commissioned.

    KL 4.2 a: „Die Reihenfolge der Schritte in der Prozessdurchführung ist einzuhalten, d.h. 1. Schritt:
    Bereitstellung und Import des(der) Lieferscheins(e), 2. Schritt: Inbetriebnahme der Messstelle“
    """
    return refused.DELIVERY_NOTE_MISSING(device=device) if state is None else None


def state_allows(device: str, state: GatewayState, verb: GatewayVerb) -> Refusal | None:
    """The gateway's state table allows ``verb`` now; the refusal names the states in which it would."""
    if GATEWAY.can(state, verb):
        return None
    needed = [GATEWAY.states[source] for source in GATEWAY.sources(verb)]
    return refused.WRONG_STATE(
        device=device,
        state_de=GATEWAY.states[state].de,
        state_en=GATEWAY.states[state].en,
        needed_de="“ oder „".join(words.de for words in needed),
        needed_en="” or “".join(words.en for words in needed),
    )


def in_operation(device: str, state: GatewayState) -> Refusal | None:
    """P11 and others that change what a gateway does: it must be in operation."""
    if state is GatewayState.OPERATIONAL:
        return None
    now, needed = GATEWAY.states[state], GATEWAY.states[GatewayState.OPERATIONAL]
    return refused.WRONG_STATE(
        device=device, state_de=now.de, state_en=now.en, needed_de=needed.de, needed_en=needed.en
    )


def taf_possible(meter: str, registers: Sequence[str], taf: int) -> Refusal | None:
    """P11: the meter has a register the tariff use case evaluates; TAF 2 divides what is taken from the grid."""
    if taf == 2 and ENERGY[0] not in registers:
        return refused.TAF_NOT_POSSIBLE(
            meter=meter, taf=taf, why_de=f"er hat kein Register {ENERGY[0]}", why_en=f"it has no register {ENERGY[0]}"
        )
    if not set(ENERGY) & set(registers):
        either = " / ".join(ENERGY)
        return refused.TAF_NOT_POSSIBLE(
            meter=meter, taf=taf, why_de=f"er hat kein Register {either}", why_en=f"it has no register {either}"
        )
    return None


def combination_approved(
    gateway: GatewayType, meter_type: str, approved: Iterable[Combination], at: datetime
) -> Refusal | None:
    """O-6: gateway type, firmware and basic meter type are an approved combination, in force at ``at``.

    KL 4.3: „Nur die hier angegebenen Kombinationen aus Basiszähler und SMGW können im GWA BPO System betrieben
    werden.“
    """
    named = [each for each in approved if each.gateway == gateway and each.meter_type == meter_type]
    if any(each.validity.covers(at) for each in named):
        return None
    combination = {"gateway_type": gateway.name, "firmware": gateway.firmware, "meter_type": meter_type}
    if not named:
        return refused.COMBINATION_NOT_APPROVED(**combination)
    latest = named[-1].validity
    return refused.COMBINATION_NOT_IN_FORCE(
        **combination, begin=latest.begin_text, end=latest.end_text, at=f"{at:%Y-%m-%d}"
    )


def cc_certificate_valid(gateway: GatewayType, certificates: Iterable[CcCertificate], at: datetime) -> Refusal | None:
    """O-6: a Common Criteria certificate for this type and firmware has been proven to us and is valid at ``at``."""
    proven = [each for each in certificates if each.gateway == gateway]
    # MsbG § 24(4): „Ohne ein oder mehrere gültige und gegenüber dem Smart-Meter-Gateway-Administrator nachgewiesene
    # Zertifikate nach Absatz 1 darf ein Smart-Meter-Gateway nicht als Bestandteil eines intelligenten Messsystems
    # verwendet werden.“
    if not proven:
        return refused.CC_CERTIFICATE_MISSING(gateway_type=gateway.name, firmware=gateway.firmware)
    # MsbG § 25(1) sentence 3: „Der Smart-Meter-Gateway-Administrator darf ausschließlich Smart-Meter-Gateways mit
    # gültigen Zertifikaten nach § 24 Absatz 1 verwenden.“
    if any(each.validity.covers(at) for each in proven):
        return None
    latest = proven[-1]
    return refused.CC_CERTIFICATE_PAST(
        certificate=latest.number,
        gateway_type=gateway.name,
        begin=latest.validity.begin_text,
        end=latest.validity.end_text,
        at=f"{at:%Y-%m-%d}",
    )


def emt_usable(name: str, emt: EmtCertificates | None, at: datetime, least: timedelta = timedelta(0)) -> Refusal | None:
    """P03, P14: the EMT is set up and each of its three certificates is valid at ``at`` and for ``least`` longer."""
    if emt is None:
        return refused.EMT_UNKNOWN(emt=name)
    for use in EMT_USES:
        validity = emt.validity.get(use)
        if validity is None:
            return refused.EMT_CERTIFICATE_MISSING(emt=name, use=use)
        if use in emt.revoked:
            return refused.EMT_CERTIFICATE_REVOKED(emt=name, use=use)
        if not validity.covers_all(at, at + least):
            return refused.EMT_CERTIFICATE_INVALID(
                emt=name,
                use=use,
                begin=validity.begin_text,
                end=validity.end_text,
                needed=f"{at + least:%Y-%m-%d}",
            )
    return None


def contacts_enough(tested: int) -> Refusal | None:
    """P-3: a client places orders once two active contacts with tested secure mail stand in for each other.

    KL 3.3: „benennt der Auftraggeber mindestens ZWEI Mitarbeiter seines Unternehmens, welche … (jeweils in
    Vertretung gegeneinander) als Ansprechpartner zur Verfügung stehen.“
    """
    return None if tested >= MINIMUM_CONTACTS else refused.CONTACTS_TOO_FEW(given=tested, needed=MINIMUM_CONTACTS)


def commissioning(
    *,
    device: str,
    state: GatewayState | None,
    gateway: GatewayType,
    meter_types: Sequence[str],
    approved: Sequence[Combination],
    certificates: Sequence[CcCertificate],
    emts: Mapping[str, EmtCertificates | None],
    at: datetime,
) -> list[Refusal]:
    """All that stands against commissioning ``device`` at ``at`` (P03): „eLS imported; combo approved; CC valid; EMT
    certs valid“, in the order a person would mend it. Without a delivery note nothing else can be told.
    """
    missing = delivery_note_imported(device, state)
    if missing or state is None:
        return unmet(missing)
    return unmet(
        state_allows(device, state, GatewayVerb.RESERVE),
        cc_certificate_valid(gateway, certificates, at),
        *(combination_approved(gateway, meter_type, approved, at) for meter_type in meter_types),
        *(emt_usable(name, emt, at) for name, emt in emts.items()),
    )
