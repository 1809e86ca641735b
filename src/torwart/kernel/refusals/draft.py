"""Refusals of drafts: forms that somebody has begun."""

from torwart.kernel.refusals import Retry, Side, kind

DRAFT_TOO_MANY = kind(
    "draft.too_many",
    de="Sie haben schon {most} Entwürfe. Senden oder löschen Sie einen davon, bevor Sie einen neuen beginnen.",
    en="You already have {most} drafts. Send or delete one of them before you begin another.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
