"""The mail room for the provider: what came, what goes, each mail with its headers and what S/MIME said."""

from collections.abc import Sequence

from django.db.models import QuerySet

from torwart.store.models import MailIn, MailOut

UNSETTLED = ("quarantined", "refused", "stored")
"""What came and has not simply been handled."""
UNSENT = ("failed", "queued")


def incoming(states: Sequence[str] = ()) -> QuerySet[MailIn]:
    """Received mails with contact and ticket beside them, without their bytes; newest first is ``-id``."""
    rows = MailIn.objects.defer("raw").select_related("contact__client", "ticket")
    return rows.filter(state__in=states) if states else rows


def outgoing(states: Sequence[str] = ()) -> QuerySet[MailOut]:
    """Sent mails with contact, client and ticket, without their files; newest first is ``-id``."""
    rows = MailOut.objects.defer("html", "files", "text").select_related("contact", "client", "ticket")
    return rows.filter(state__in=states) if states else rows


def counts() -> dict[str, int]:
    """How many mails wait in quarantine and how many could not be sent; counting stops at 100."""
    return {
        "quarantined": MailIn.objects.filter(state="quarantined").order_by()[:100].count(),
        "failed": MailOut.objects.filter(state="failed").order_by()[:100].count(),
    }


def received(pk: int) -> MailIn | None:
    """One received mail with its bytes."""
    return MailIn.objects.select_related("contact__client", "ticket").filter(pk=pk).first()


def sent(pk: int) -> MailOut | None:
    return MailOut.objects.select_related("contact", "client", "ticket").filter(pk=pk).first()
