"""The films of the last weeks in columns, for the figures that show drift."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, Select, case, select, type_coerce
from sqlalchemy.orm import Session

from cxr_app.evaluation.drift_films import NO_VERDICT, Coded, Codes, DriftFilms, SenderFact
from cxr_app.evaluation.metrics import Booleans, Floats
from cxr_app.outcome import ScoringState
from cxr_app.patient_age import AGE_GROUPS
from cxr_app.worklist.review import Verdict
from cxr_app.worklist.review_rows import last_verdicts
from cxr_app.worklist.tables import EntryRow, ReviewRow
from cxr_app.worklist.transactions import Transactions

WEEK_MICROSECONDS = 7 * 24 * 60 * 60 * 1_000_000
DAYS_BEFORE_MONDAY = 3
"""Days from a Monday to the epoch, which was a Thursday."""
DAYS_A_YEAR = 365.25
Numbers = NDArray[np.int64]
REFUSED = (ScoringState.REJECTED, ScoringState.FAILED)


class DriftQuery(Transactions):
    """What films have arrived, from where, and what became of them."""

    def films(self, weeks: int) -> DriftFilms:
        """Return the films that have arrived in the last weeks, the current one included."""
        oldest = self._clock() - timedelta(weeks=weeks)
        with self._database.reading() as session:
            entries = _entries(session, oldest)
            verdicts = _verdicts(session)
        return _columns(entries, verdicts)


def _entries(session: Session, oldest: datetime) -> list[Sequence[Any]]:
    """Return the columns of all films: many rows, so nothing that Python has to convert."""
    statement = select(
        EntryRow.number,
        type_coerce(EntryRow.received_at, BigInteger),
        case((EntryRow.state.in_(REFUSED), 1), else_=0),
        EntryRow.pneumonia_probability,
        case((EntryRow.flagged.is_(True), 1), else_=0),
        EntryRow.model_version,
        EntryRow.station_name,
        EntryRow.manufacturer,
        EntryRow.institution_name,
        EntryRow.view_position,
        EntryRow.patient_age_days,
    ).where(EntryRow.received_at >= oldest)
    return _transposed(session, statement, 11)


def _verdicts(session: Session) -> list[Sequence[Any]]:
    """Return columns: a film's number, whether its last reader agrees with the flag, the flag."""
    statement = (
        select(
            ReviewRow.entry_number,
            case((ReviewRow.verdict == Verdict.AGREE, 1), else_=0),
            case((ReviewRow.flagged.is_(True), 1), else_=0),
            ReviewRow.model_version,
        )
        .where(ReviewRow.number.in_(last_verdicts()), ReviewRow.flagged.is_not(None))
        .where(ReviewRow.verdict.in_((Verdict.AGREE, Verdict.DISAGREE)))
        .order_by(ReviewRow.entry_number)
    )
    return _transposed(session, statement, 4)


def _transposed(
    session: Session, statement: Select[*tuple[Any, ...]], width: int
) -> list[Sequence[Any]]:
    """Return the columns of a result, read past the ORM, which takes as long as the database."""
    rows = session.connection().execute(statement).fetchall()
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _columns(entries: Sequence[Sequence[Any]], verdicts: Sequence[Sequence[Any]]) -> DriftFilms:
    numbers, arrivals, refused, probability, flagged, models, *facts = entries
    *places, ages = facts
    reviewed, agreeing, flags, models_then = verdicts
    place, is_seen = _places(np.array(numbers, np.int64), np.array(reviewed, np.int64))
    flags_then = _looked_up(np.array(flags, np.bool_), place)
    saw_it = flags_then == _looked_up(np.array(agreeing, np.bool_), place)
    then = _coded((*models_then, ""))
    senders = dict(zip(SenderFact, (_coded(values) for values in places), strict=False))
    return DriftFilms(
        week=_weeks(np.array(arrivals, np.int64)),
        refused=np.array(refused, np.bool_),
        probability=np.array(probability, np.float64),  # None becomes NaN
        flagged=np.array(flagged, np.bool_),
        model=_coded(models),
        pneumonia=np.where(is_seen, saw_it, NO_VERDICT),
        flagged_then=flags_then & is_seen,
        model_then=Coded(then.names, then.codes[np.where(is_seen, place, -1)]),
        senders=senders | {SenderFact.AGE: _ages(np.array(ages, np.float64))},
    )


def _places(numbers: Numbers, reviewed: Numbers) -> tuple[Numbers, Booleans]:
    """Return where each film is among the reviewed ones, in ascending order, and whether it is."""
    places = np.minimum(np.searchsorted(reviewed, numbers), max(len(reviewed) - 1, 0))
    if not len(reviewed):
        return places, np.zeros(len(numbers), np.bool_)
    return places, reviewed[places] == numbers


def _looked_up(values: Booleans, places: Numbers) -> Booleans:
    found: Booleans = values[places] if len(values) else np.zeros(len(places), np.bool_)
    return found


def _weeks(arrivals: Numbers) -> Codes:
    offset = DAYS_BEFORE_MONDAY * (WEEK_MICROSECONDS // 7)
    weeks: Codes = (arrivals + offset) // WEEK_MICROSECONDS
    return weeks


def _ages(days: Floats) -> Coded:
    """Return the group of each age; empty for NaN."""
    names = [name for _, name in AGE_GROUPS]
    bounds = np.array([bound for bound, _ in AGE_GROUPS[:-1]])
    groups = np.searchsorted(bounds, days / DAYS_A_YEAR, side="right")
    return Coded((*names, ""), np.where(np.isnan(days), len(names), groups))


def _coded(values: Sequence[str | None]) -> Coded:
    """Return the values as numbers by their first appearance; None is empty."""
    numbers: defaultdict[str | None, int] = defaultdict(count().__next__)
    codes = np.fromiter(map(numbers.__getitem__, values), np.int_, len(values))
    return Coded(tuple(each or "" for each in numbers), codes)
