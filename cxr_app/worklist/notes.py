"""Notes on films to their next reader. Each method is one transaction."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select

from cxr_app.errors import HandoverError
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.handover import LONGEST_NOTE, Note
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.room_tables import NoteRow
from cxr_app.worklist.tables import EntryRow
from cxr_app.worklist.transactions import Transactions


class NoteLog(Transactions):
    """What one reader leaves for the next; a note is open until someone has dealt with it."""

    def write(self, entry_id: str, reader: str, text: str) -> None:
        """Leave a note on a film.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        HandoverError
            If there is no text.
        """
        said = text.strip()[:LONGEST_NOTE]
        if not said:
            raise HandoverError("Type the note first, then leave it.")
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            session.add(
                NoteRow(entry_number=entry.number, reader=reader, written_at=now, text=said)
            )

    def settle(self, number: int, reader: str) -> None:
        """Record that a note has been dealt with; the first who says so counts."""
        now = self._clock()
        with self._database.writing() as session:
            row = session.get(NoteRow, number, with_for_update=True)
            if row is None or row.settled_at is not None:
                return
            row.settled_by, row.settled_at = reader, now
            session.add(new_event(EventKind.NOTE_SETTLED, reader, now, row.entry_number))

    def of_films(self, entry_ids: Iterable[str]) -> dict[str, list[Note]]:
        """Return the notes on films by the entry's id, oldest first; films without are left out."""
        statement = select(EntryRow.id, NoteRow).join(
            NoteRow, NoteRow.entry_number == EntryRow.number
        )
        statement = statement.where(EntryRow.id.in_(list(entry_ids))).order_by(NoteRow.number)
        found: dict[str, list[Note]] = defaultdict(list)
        with self._database.reading() as session:
            for entry_id, row in session.execute(statement):
                found[entry_id].append(_as_note(row))
        return dict(found)


def _as_note(row: NoteRow) -> Note:
    return Note(
        row.number, row.reader, row.written_at, row.text, row.settled_by or "", row.settled_at
    )
