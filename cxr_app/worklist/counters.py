"""How many films stand where, kept by SQLite itself while it writes, so that no count walks them.

On PostgreSQL, where several write at once, all would wait for one row of such a table; there the
films are counted.
"""

from sqlalchemy import Boolean, ColumnElement, Integer, String, column, func, select, table
from sqlalchemy.orm import Session

from cxr_app.outcome import ScoringState
from cxr_app.worklist.entry import Query
from cxr_app.worklist.tables import FLAGGED_TIERS, TIERS, tier

TALLY = table(
    "worklist_tally",
    column("is_read", Boolean),
    column("tier", Integer),
    column("state", String),  # empty where an entry has none
    column("films", Integer),
)
REFUSALS = (ScoringState.REJECTED.value, ScoringState.FAILED.value)


def is_kept(session: Session) -> bool:
    """Tell whether this database keeps the tally."""
    return session.get_bind().dialect.name == "sqlite"


def tallied(session: Session, query: Query) -> int:
    """Say how many films a query without text is about."""
    clauses: list[ColumnElement[bool]] = []
    if query.state != "all":
        clauses.append(TALLY.c.is_read.is_(query.state == "read"))
    if query.state == "needs_a_person":
        clauses.append(TALLY.c.state.in_(REFUSALS))
    if query.flag != "any" or query.tier is not None:
        clauses += [TALLY.c.tier.in_(tiers_of(query)), TALLY.c.state == ScoringState.SCORED.value]
    return _films(session, *clauses)


def tallied_unscored(session: Session) -> int:
    """Say how many films wait for a score."""
    return _films(session, TALLY.c.state == "")


def tiers_of(query: Query) -> list[int]:
    """Give the tiers that the films of a query may stand in."""
    flags = {"any": (True, False), "flagged": (True,), "not_flagged": (False,)}[query.flag]
    if query.tier is not None:
        return [tier(query.tier, flagged=flagged) for flagged in flags]
    return [each for each in TIERS if (each in FLAGGED_TIERS) in flags]


def _films(session: Session, *clauses: ColumnElement[bool]) -> int:
    return session.scalar(select(func.sum(TALLY.c.films)).where(*clauses)) or 0
