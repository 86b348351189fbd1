"""Numbers of films by state, maintained by triggers, so that counting reads no films.

PostgreSQL allows several writers at once, which would all wait for one row of such a table: there
each adds rows of its own, with what its films change, and one in many adds all rows up.
"""

from sqlalchemy import Boolean, ColumnElement, Integer, String, column, func, select, table
from sqlalchemy.orm import Session

from cxr_app.outcome import ScoringState
from cxr_app.worklist.entry import Query
from cxr_app.worklist.tables import FLAGGED_TIERS, TIERS, tier

COUNTERS = table(
    "worklist_tally",
    column("is_read", Boolean),
    column("tier", Integer),
    column("state", String),  # empty if an entry has none
    column("films", Integer),
)
REFUSALS = (ScoringState.REJECTED.value, ScoringState.FAILED.value)


def count(session: Session, query: Query) -> int:
    """Return the number of films that match a query without text."""
    clauses: list[ColumnElement[bool]] = []
    if query.state != "all":
        clauses.append(COUNTERS.c.is_read.is_(query.state == "read"))
    if query.state == "needs_a_person":
        clauses.append(COUNTERS.c.state.in_(REFUSALS))
    if query.flag != "any" or query.tier is not None:
        clauses += [
            COUNTERS.c.tier.in_(tiers_of(query)),
            COUNTERS.c.state == ScoringState.SCORED.value,
        ]
    return _films(session, *clauses)


def all_counts(session: Session) -> list[tuple[bool, int, str, int]]:
    """Return every number: whether read, tier, state (empty if not scored yet), films."""
    columns = (COUNTERS.c.is_read, COUNTERS.c.tier, COUNTERS.c.state)
    rows = session.execute(select(*columns, func.sum(COUNTERS.c.films)).group_by(*columns))
    return [(read, tier_number, state, int(films)) for read, tier_number, state, films in rows]


def count_unscored(session: Session) -> int:
    """Return the number of films that wait for a score."""
    return _films(session, COUNTERS.c.state == "")


def tiers_of(query: Query) -> list[int]:
    """Return the tiers that the films of a query may be in."""
    flags = {"any": (True, False), "flagged": (True,), "not_flagged": (False,)}[query.flag]
    if query.tier is not None:
        return [tier(query.tier, flagged=flagged) for flagged in flags]
    return [each for each in TIERS if (each in FLAGGED_TIERS) in flags]


def _films(session: Session, *clauses: ColumnElement[bool]) -> int:
    return int(session.scalar(select(func.sum(COUNTERS.c.films)).where(*clauses)) or 0)
