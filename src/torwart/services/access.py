"""The access log: one line for every access to the protected area (P-4)."""

from datetime import datetime

from torwart.store.models import Access, User

_LONGEST = 500


def log(
    *,
    user: int | None,
    client: int | None,
    email: str,
    what: str,
    path: str,
    address: str,
    at: datetime,
    status: int = 200,
    agent: str = "",
) -> None:
    """Write one line: one insert. ``what``: a word of ``store.Access``; ``path`` without the query.

    Texts that come from outside are cut to 500 characters and lose NUL, which PostgreSQL cannot hold.
    """
    Access.objects.create(
        at=at,
        user_id=user,
        client_id=client,
        email=_plain(email),
        address=_plain(address),
        what=what,
        path=_plain(path),
        status=status,
        agent=_plain(agent),
    )


def sign_in_failed(*, email: str, address: str, at: datetime, agent: str = "", what: str = "sign_in_failed") -> None:
    """Somebody failed to sign in as ``email``. The line belongs to that person's client, if there is such a person;
    the search happens in either case, so that its time tells nothing.
    """
    user = User.objects.filter(email__iexact=_plain(email)).only("id", "client_id").first()
    log(
        user=user.pk if user else None,
        client=user.client_id if user else None,
        email=email,
        what=what,
        path="",
        address=address,
        at=at,
        status=403,
        agent=agent,
    )


def _plain(text: str) -> str:
    return text.replace("\0", "")[:_LONGEST]
