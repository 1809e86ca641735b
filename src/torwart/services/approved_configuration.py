"""Approved configurations and CC certificates: kept by operators, asked before a commissioning (O-6, MsbG § 24(4))."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.refusals import Refusal
from torwart.rules import precondition
from torwart.rules.precondition import CcCertificate, Combination, GatewayType
from torwart.rules.validity import Validity
from torwart.services import approval as approvals
from torwart.services import audit
from torwart.services import emt as emts
from torwart.services import gateway as gateways
from torwart.store import models

ACTION = "configuration.change"
"""What a second person approves: a change of what may be ordered and operated, by all clients."""


def approve(
    gateway: GatewayType, meter_type: str, *, actor: str, begin: datetime | None = None, end: datetime | None = None
) -> None:
    """Approve a combination, or change how long its approval lasts."""
    with transaction.atomic():
        models.ApprovedConfiguration.objects.update_or_create(
            gateway_type=gateway.name,
            firmware=gateway.firmware,
            meter_type=meter_type,
            defaults={"valid_from": begin, "valid_until": end},
        )
        _audited(actor, "configuration.approved", f"{gateway.name} {gateway.firmware} × {meter_type}", begin, end)


def certify(
    number: str, gateway: GatewayType, *, actor: str, begin: datetime | None = None, end: datetime | None = None
) -> None:
    """Keep a CC certificate, or its new end."""
    with transaction.atomic():
        models.CcCertificate.objects.update_or_create(
            number=number,
            defaults={
                "gateway_type": gateway.name,
                "firmware": gateway.firmware,
                "valid_from": begin,
                "valid_until": end,
            },
        )
        _audited(actor, "cc_certificate.kept", number, begin, end)


def _audited(actor: str, action: str, subject: str, begin: datetime | None, end: datetime | None) -> None:
    validity = Validity(begin, end)
    payload = {"from": validity.begin_text, "until": validity.end_text}
    audit.append(actor=actor, action=action, subject=f"configuration:{subject}", payload=payload)


def ask_approval(
    gateway: GatewayType,
    meter_type: str,
    *,
    begin: datetime | None,
    end: datetime | None,
    reason: str,
    user: int,
    now: datetime,
) -> int:
    """Ask that a combination be approved, or that its approval last otherwise; id of the approval to decide on."""
    payload = {"what": "approve", "meter_type": meter_type, **_asked(gateway, begin, end)}
    subject = f"configuration:{gateway.name} {gateway.firmware} × {meter_type}"
    return approvals.request(ACTION, subject, payload, reason, user=user, client=None, now=now)


def ask_certificate(
    number: str,
    gateway: GatewayType,
    *,
    begin: datetime | None,
    end: datetime | None,
    reason: str,
    user: int,
    now: datetime,
) -> int:
    """Ask that a CC certificate be kept, or its new end; id of the approval to decide on."""
    payload = {"what": "certify", "number": number, **_asked(gateway, begin, end)}
    return approvals.request(ACTION, f"configuration:{number}", payload, reason, user=user, client=None, now=now)


def decide(approval: int, *, user: int, approve: bool, remark: str, now: datetime) -> None:
    """Decide on what was asked for; a yes changes the list in the same transaction."""
    with transaction.atomic():
        approvals.decide(approval, user=user, approve=approve, remark=remark, now=now)
        if approve:
            _carry_out(models.Approval.objects.get(pk=approval))


def _asked(gateway: GatewayType, begin: datetime | None, end: datetime | None) -> dict[str, str | None]:
    return {
        "gateway_type": gateway.name,
        "firmware": gateway.firmware,
        "begin": begin.isoformat() if begin else None,
        "end": end.isoformat() if end else None,
    }


def _carry_out(approval: models.Approval) -> None:
    asked = approval.payload
    gateway = GatewayType(asked["gateway_type"], asked["firmware"])
    begin, end = (datetime.fromisoformat(asked[name]) if asked[name] else None for name in ("begin", "end"))
    actor = f"approval:{approval.pk}"
    if asked["what"] == "approve":
        approve(gateway, asked["meter_type"], actor=actor, begin=begin, end=end)
    else:
        certify(asked["number"], gateway, actor=actor, begin=begin, end=end)


def gateway_types() -> list[str]:
    """The gateway types of which a combination has been approved, by name."""
    rows = models.ApprovedConfiguration.objects.order_by("gateway_type").values_list("gateway_type", flat=True)
    return list(rows.distinct())


def unmet(device_id: str, order: Mapping[str, Any], at: datetime) -> list[Refusal]:
    """All that stands against commissioning this gateway with these meters for these EMTs now (P03), in the order a
    person would mend it. A gateway that an earlier commissioning left half-way may go on.
    """
    device = gateways.get(device_id)
    meters = gateways.meters(order["meters"], client=device.client_id)
    kind = GatewayType(device.model, device.firmware)
    return precondition.commissioning(
        device=device_id,
        state=GatewayState.DELIVERED if device.state in gateways.HALF_WAY else GatewayState(device.state),
        gateway=kind,
        meter_types=[str(meter.details.get("model", "")) for meter in meters],
        approved=_approved(kind),
        certificates=_certificates(kind),
        emts={name: emts.standing(device.client_id, name) for name in order["emts"]},
        at=at,
    )


def known(kind: GatewayType, meter_type: str) -> bool:
    """Whether anything has been decided about this combination."""
    return any(each.meter_type == meter_type for each in _approved(kind))


def _approved(kind: GatewayType) -> Sequence[Combination]:
    rows = models.ApprovedConfiguration.objects.filter(gateway_type=kind.name, firmware=kind.firmware)
    return [Combination(kind, row.meter_type, Validity(row.valid_from, row.valid_until)) for row in rows]


def _certificates(kind: GatewayType) -> Sequence[CcCertificate]:
    rows = models.CcCertificate.objects.filter(gateway_type=kind.name, firmware=kind.firmware)
    return [CcCertificate(row.number, kind, Validity(row.valid_from, row.valid_until)) for row in rows]
