"""Films that are read by a second reader. Each method is one transaction."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from cxr_app.errors import HandoverError
from cxr_app.second_reading_rule import SecondReadingRule
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.review_rows import reviews_of
from cxr_app.worklist.room_tables import SecondReadingRow
from cxr_app.worklist.second_reading import (
    SecondReading,
    SecondReadingReason,
    SecondReadingState,
    standing_of,
)
from cxr_app.worklist.shared_secret import shared_secret
from cxr_app.worklist.tables import EntryRow
from cxr_app.worklist.transactions import Transactions

DRAWING_KEY = "second_reading"


class SecondReadingLog(Transactions):
    """The second readings of films."""

    def begin(self, entry_id: str, rule: SecondReadingRule) -> None:
        """Begin a second reading if the rule of the site wants one; called before a verdict.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        if not (rule.flagged or rule.share):
            return
        key = shared_secret(self._database, DRAWING_KEY)
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            is_wanted = rule.wants(entry.sha256, flagged=entry.flagged, key=key)
            if is_wanted and session.get(SecondReadingRow, entry.number) is None:
                session.add(_new_row(entry.number, self._clock(), SecondReadingReason.RULE))

    def ask(self, entry_id: str, reader: str) -> None:
        """Ask for a second reading of a film.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        HandoverError
            If there is one already, or the film is no longer kept.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            if entry.film_deleted_at is not None:
                raise HandoverError("The film is no longer kept, so nobody can read it again.")
            if session.get(SecondReadingRow, entry.number) is not None:
                raise HandoverError("This film has a second reading already.")
            session.add(_new_row(entry.number, now, SecondReadingReason.ASKED, reader))
            session.flush()
            note_review(session, entry.number)
            session.add(new_event(EventKind.SECOND_READING_ASKED, reader, now, entry.number))

    def withdraw(self, entry_id: str, reader: str) -> None:
        """Take back that a second reading was asked for, by who asked, before there was one.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        HandoverError
            If there is nothing of this reader to take back.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            row = session.get(SecondReadingRow, entry.number)
            is_open = row is not None and row.state in (
                SecondReadingState.UNREAD,
                SecondReadingState.WAITING,
            )
            if row is None or not is_open or row.asked_by != reader:
                raise HandoverError("There is no second reading that you can take back.")
            session.delete(row)
            session.add(new_event(EventKind.SECOND_READING_WITHDRAWN, reader, now, entry.number))

    def of_films(self, entry_ids: Iterable[str]) -> dict[str, SecondReading]:
        """Return the second readings of films by the entry's id; films without are left out."""
        statement = select(EntryRow.id, SecondReadingRow).join(
            SecondReadingRow, SecondReadingRow.entry_number == EntryRow.number
        )
        with self._database.reading() as session:
            found = session.execute(statement.where(EntryRow.id.in_(list(entry_ids)))).all()
        return {entry_id: _as_value(row) for entry_id, row in found}

    def counts(self) -> dict[SecondReadingState, int]:
        """Count the films that are read twice by how far that is."""
        statement = select(SecondReadingRow.state, func.count()).group_by(SecondReadingRow.state)
        with self._database.reading() as session:
            rows = session.execute(statement).all()
        return {row[0]: row[1] for row in rows}


def settles(session: Session, entry_number: int, reader: str) -> bool:
    """Check whether a verdict that a reader gives now settles what others differ in."""
    if session.get(SecondReadingRow, entry_number) is None:
        return False
    return standing_of(reviews_of(session, entry_number)).settles(reader)


def note_review(session: Session, entry_number: int) -> None:
    """Bring a film's second reading, if it has one, up to date after a review."""
    row = session.get(SecondReadingRow, entry_number)
    if row is None:
        return
    standing = standing_of(reviews_of(session, row.entry_number))
    row.state, row.decided_by = standing.state, standing.decided_by
    row.first_reader = next(iter(standing.readers), None)


def of_state(state: SecondReadingState, not_first: str = "") -> Select[int]:
    """Select the entry numbers of the films in a state.

    Parameters
    ----------
    not_first
        Leave out the films that this reader has read first.
    """
    found = select(SecondReadingRow.entry_number).where(SecondReadingRow.state == state)
    return found.where(SecondReadingRow.first_reader != not_first) if not_first else found


def _new_row(
    entry_number: int, now: datetime, reason: SecondReadingReason, asked_by: str = ""
) -> SecondReadingRow:
    return SecondReadingRow(
        entry_number=entry_number,
        state=SecondReadingState.UNREAD,
        reason=reason,
        asked_by=asked_by or None,
        begun_at=now,
        decided_by=0,
    )


def _as_value(row: SecondReadingRow) -> SecondReading:
    return SecondReading(
        row.state, row.reason, row.first_reader or "", row.asked_by or "", row.begun_at
    )
