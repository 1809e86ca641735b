"""Orders: what stands behind a new one, and reading them as people follow them (O-8).

Readers for the portal take the client first and see nothing of others (P-1).
"""

from dataclasses import dataclass

from django.db import connection

from torwart.kernel.order_state import OPEN

_STANDING = """
SELECT c.name, c.state,
       (SELECT count(*) FROM store_contact AS k
         WHERE k.client_id = c.id AND k.active AND k.mail_state IN ('tested', 'expiring')),
       (SELECT u.is_active AND u.client_id = c.id AND 'contact' = ANY(u.roles)
          FROM store_user AS u WHERE u.id = %(user)s),
       (SELECT coalesce(array_agg(p.code ORDER BY p.code), '{}') FROM store_marketparticipant AS p
         WHERE p.client_id = c.id)::text[]
  FROM store_client AS c WHERE c.id = %(client)s
"""
_SUBJECT = """
SELECT g.id, g.client_id,
       (SELECT o.number FROM store_order AS o
         WHERE o.gateway_id = g.id AND o.process = %(process)s AND o.state = ANY(%(open)s) LIMIT 1)
  FROM store_gateway AS g WHERE g.device_id = %(gateway)s AND (%(client)s::bigint IS NULL OR g.client_id = %(client)s)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a client may order now. ``allowed``: the named user is an active contact (``None``: there is none)."""

    name: str
    state: str
    tested: int
    allowed: bool | None
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A gateway the client has; ``open``: number of its open order of the process asked about, or ``""``."""

    key: int
    client: int
    open: str


def standing(client: int, user: int | None) -> Standing | None:
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"client": client, "user": user})
        row = cursor.fetchone()
    return Standing(row[0], row[1], row[2], row[3], tuple(row[4])) if row else None


def subject(gateway: str, client: int | None, process: str) -> Subject | None:
    """The gateway to order ``process`` for; another client's is ``None`` like one that does not exist, at one cost."""
    states = [state.value for state in OPEN]
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECT, {"gateway": gateway, "client": client, "process": process, "open": states})
        row = cursor.fetchone()
    return Subject(row[0], row[1], row[2] or "") if row else None
