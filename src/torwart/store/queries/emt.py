"""EMTs of a client as people look at them; whoever reads takes the client first (P-1)."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from torwart.store.models import Certificate, Emt


@dataclass(frozen=True, slots=True)
class EmtLine:
    """One EMT. ``certificates``: (use, running number, end, state), newest first; ``ends``: when the first of the
    newest ones ends.
    """

    name: str
    code: str
    endpoint: str
    state: str
    certificates: tuple[tuple[str, int, datetime, str], ...]

    @property
    def ends(self) -> datetime | None:
        newest: dict[str, datetime] = {}
        for use, _, end, state in self.certificates:
            if state == "active":
                newest.setdefault(use, end)
        return min(newest.values(), default=None)


def of_client(client: int) -> list[EmtLine]:
    """All of the client's, by name; two queries."""
    newest = Certificate.objects.defer("der").order_by("-sequence", "use")
    rows = Emt.objects.filter(client=client).order_by("name").prefetch_related(Prefetch("certificates", newest))
    return [
        EmtLine(
            row.name,
            row.code,
            row.endpoint,
            row.state,
            tuple((each.use, each.sequence, each.not_after, each.state) for each in row.certificates.all()),
        )
        for row in rows
    ]
