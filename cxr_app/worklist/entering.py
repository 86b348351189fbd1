"""Many films that are entered together with their outcomes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cxr_app.outcome import Outcome
from cxr_app.worklist.arrivals import end_arrivals_in_the_future, new_entry
from cxr_app.worklist.locking import locked_entries
from cxr_app.worklist.mapping import add_outcome, rows_with_outcome, values_of
from cxr_app.worklist.tables import EntryRow, ScoreRow


def enter_films(
    session: Session,
    insert: Callable[..., Any],
    films: Mapping[str, tuple[Outcome, str, Path]],
    moment: datetime,
) -> None:
    """Insert new films and their outcomes; add the outcomes of films that are there.

    Parameters
    ----------
    insert
        As `Database` has it.
    films
        The outcome, the source and the path of each film, by SHA-256.
    """
    if not films:
        return
    # All callers use the same order, else two of them would deadlock.
    new = {
        sha256: rows_with_outcome(new_entry(sha256, source, path, moment), outcome, moment)
        for sha256, (outcome, source, path) in sorted(films.items())
    }
    entries = insert(EntryRow.__table__).on_conflict_do_nothing(index_elements=["sha256"])
    end_arrivals_in_the_future(session, moment)
    session.execute(entries, [values_of(entry) for entry, _ in new.values()])
    known = _assign_numbers(session, new)
    scores = [values_of(score) for sha256, (_, score) in new.items() if sha256 not in known]
    if scores:
        session.execute(insert(ScoreRow.__table__), scores)
    for entry in locked_entries(session, EntryRow.sha256.in_(known)):
        add_outcome(session, entry, films[entry.sha256][0], moment)


def _assign_numbers(session: Session, new: Mapping[str, tuple[EntryRow, ScoreRow]]) -> set[str]:
    """Set the scores' entry numbers; return the films that were there before.

    Parameters
    ----------
    new
        By SHA-256, the rows that were to be inserted.
    """
    known = set()
    found = select(EntryRow.sha256, EntryRow.id, EntryRow.number).where(EntryRow.sha256.in_(new))
    for sha256, entry_id, number in session.execute(found):
        entry, score = new[sha256]
        if entry.id == entry_id:
            score.entry_number = number
        else:
            known.add(sha256)
    return known
