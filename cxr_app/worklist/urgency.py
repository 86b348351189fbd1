"""Films marked as urgent by hand. Each method is one transaction, and each change is recorded."""

from sqlalchemy import select

from cxr_app.errors import HandoverError
from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.handover import LONGEST_REASON, Urgency, UrgentFilms
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.mapping import set_urgency
from cxr_app.worklist.segment import along
from cxr_app.worklist.tables import ORDER_INDEX, TIERS, EntryRow
from cxr_app.worklist.transactions import Transactions


class UrgencyLog(Transactions):
    """Readers' words that a film is urgent: such films are read before all others."""

    def mark(self, entry_id: str, reader: str, reason: str) -> None:
        """Mark an unread film as urgent.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        HandoverError
            If no reason is given, or the film is read already.
        """
        said = " ".join(reason.split())[:LONGEST_REASON]
        if not said:
            raise HandoverError("Say in a word why the film is urgent, then mark it.")
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            if entry.is_read:
                raise HandoverError("This film is read. Mark it as unread before it can be urgent.")
            set_urgency(entry, Urgency(reader, now, said))
            session.add(new_event(EventKind.URGENT, reader, now, entry.number, said))

    def take_back(self, entry_id: str, reader: str) -> None:
        """Give the film back its usual place; nothing happens if it is not urgent.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            if entry.urgent_at is None:
                return
            detail = entry.urgent_by
            set_urgency(entry, None)
            kind = EventKind.URGENCY_TAKEN_BACK
            session.add(new_event(kind, reader, now, entry.number, detail))

    def waiting(self) -> UrgentFilms:
        """Return how many urgent films are unread, and when and by whom the newest was marked."""
        statement = along(ORDER_INDEX, select(EntryRow)).where(
            EntryRow.is_read.is_(False), EntryRow.tier.in_(TIERS), EntryRow.band < 0
        )
        with self._database.reading() as session:
            rows = session.scalars(statement)
            found = [(row.urgent_at, row.urgent_by or "") for row in rows if row.urgent_at]
        if not found:
            return UrgentFilms()
        newest_at, newest_by = max(found)
        return UrgentFilms(len(found), newest_at, newest_by)
