"""Folding what ``store/sql/certificate_end.sql`` writes: many changes of a week's count become one number."""

from torwart.store import statement

_FOLD = """
WITH many AS (SELECT kind, week FROM store_certificateend GROUP BY kind, week HAVING count(*) > 1),
     gone AS (
       DELETE FROM store_certificateend AS each USING many WHERE each.kind = many.kind AND each.week = many.week
       RETURNING each.kind, each.week, each.number)
INSERT INTO store_certificateend (kind, week, number)
SELECT kind, week, sum(number) FROM gone GROUP BY kind, week HAVING sum(number) <> 0
"""


def fold() -> None:
    """Make one row of all those of a kind and week. Sums stay what they are, at any moment and for everybody: it is one
    statement, and of two that run at once each adds up only what it has taken away itself.
    """
    statement.changed(_FOLD, {})
