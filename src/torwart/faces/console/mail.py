"""The mail room: what came in, quarantined first, what could not go out, and every mail as it really was."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import actor_of, needs, provider_only
from torwart.faces._design.language import said
from torwart.faces._design.saving import saved
from torwart.faces.console.asking import ReasonForm, asking, for_roles, given
from torwart.faces.console.page import act, show
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.services import mail_in, outbox
from torwart.store.queries import mail_room as queries

_HEAD_LIMIT = 60_000
_TABS: tuple[tuple[str, Words, bool, tuple[str, ...]], ...] = (
    ("", Words("Zu klären", "To be settled"), True, queries.UNSETTLED),
    ("eingang", Words("Eingang", "Received"), True, ()),
    ("offen", Words("Nicht zugestellt", "Not delivered"), False, queries.UNSENT),
    ("ausgang", Words("Ausgang", "Sent"), False, ()),
)


@provider_only
def overview(request: HttpRequest, tab: str = "") -> HttpResponse:
    """One of four lists; the first is what somebody has to look at."""
    chosen = next((each for each in _TABS if each[0] == tab), None)
    if chosen is None:
        raise Http404
    name, words, received, states = chosen
    rows: Any = queries.incoming(states) if received else queries.outgoing(states)
    page = keyset.page(rows, order=("-id",), at=request.GET.get("seite"))
    counts = queries.counts()
    marks = {"": counts["quarantined"], "offen": counts["failed"]}
    tabs = [
        {
            "href": reverse("console:mail_tab", args=[each[0]]) if each[0] else reverse("console:mail"),
            "label": said(each[1]),
            "count": "99+" if marks.get(each[0], 0) >= 100 else marks.get(each[0]) or "",
            "current": each[0] == name,
        }
        for each in _TABS
    ]
    return show(request, "mail", page=page, rows=page.rows, received=received, tabs=tabs, title=words)


@provider_only
def received(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail with its headers as they came and what S/MIME said of it."""
    row = _found(queries.received(pk))
    head, _, _ = bytes(row.raw)[:_HEAD_LIMIT].replace(b"\r\n", b"\n").partition(b"\n\n")
    aside = row.state in mail_in.ASIDE
    return show(request, "mail_in", row=row, head=head.decode("utf-8", "replace"), aside=aside)


@provider_only
def raw(request: HttpRequest, pk: int) -> HttpResponse:
    """The bytes as they came, to be saved and judged by other programs."""
    row = _found(queries.received(pk))
    return saved(bytes(row.raw), f"mail-{row.pk}.eml")


@for_roles(Role.OPERATOR)
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a mail read again that was put aside, refused or passed over."""
    row = _found(queries.received(pk))
    return asking(
        request,
        ReasonForm(given(request)),
        lambda now, d: mail_in.release(pk, d["reason"], actor=actor_of(request), now=now),
        title=Words("Mail noch einmal lesen lassen", "Have the mail read again"),
        back=reverse("console:mail_in", args=[pk]),
        done=Words("Die Mail wird gleich noch einmal gelesen.", "The mail will be read again in a moment."),
        lead=Words(
            "Sie wird behandelt, als käme sie jetzt: mit den Zertifikaten und Ansprechpartnern von heute. Sie kann "
            "einen Vorgang eröffnen oder einen Lieferschein importieren, und der Absender bekommt noch einmal eine "
            "Antwort.",
            "It is treated as if it came now: with today's certificates and contacts. It may open a ticket or import a "
            "delivery note, and the sender gets an answer once more.",
        ),
        over=" · ".join(each for each in (row.subject, row.from_address or row.envelope_from) if each),
    )


@provider_only
def sent(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail of ours: to whom, when, how often tried; its text."""
    row = _found(queries.sent(pk))
    # A link or word in it opens an account or proves a contact: whoever works here must not see it.
    secret = row.kind in outbox.SECRET_KINDS
    return show(request, "mail_out", row=row, text="" if secret else row.text, secret=secret)


@needs(Role.OPERATOR)
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a mail that failed once more."""
    _found(queries.sent(pk))
    back = reverse("console:mail_out", args=[pk])
    done = said(Words("Die Mail wird noch einmal gesendet.", "The mail is sent once more."))
    return act(request, lambda now: outbox.retry(pk, actor=actor_of(request), now=now), back, done=done)


def _found(row: Any) -> Any:
    if row is None:
        raise Http404
    return row
