"""What is plainly no chest film: marked as read all at once, and back. Each is one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.segment import Clause, along
from cxr_app.worklist.tables import NO_CHEST_BAND, ORDER_INDEX, UNJUDGED_TIER, EntryRow
from cxr_app.worklist.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Files that a reader has marked as read at once.

    Parameters
    ----------
    moment
        Aware, UTC; with the reader's name it identifies them.
    """

    reader: str
    moment: datetime
    files: int


class Dismissals(Transactions):
    """The files in the list that are plainly no chest films: other modalities, other formats."""

    def waiting(self) -> int:
        """Return the number of such files that are unread."""
        statement = along(ORDER_INDEX, select(func.count()).select_from(EntryRow))
        with self._database.reading() as session:
            return session.scalar(statement.where(*_waiting())) or 0

    def dismiss(self, reader: str) -> Dismissal:
        """Mark them all as read; this is recorded."""
        now = self._clock()
        marked = update(EntryRow).where(*_waiting())
        marked = marked.values(is_read=True, read_at=now, read_by=reader)
        with self._database.writing() as session:
            files = len(session.scalars(marked.returning(EntryRow.number)).all())
            session.add(new_event(EventKind.DISMISSED, reader, now, detail=str(files)))
        return Dismissal(reader, now, files)

    def undo(self, dismissal: Dismissal) -> int:
        """Make them unread again, apart from those marked since; return their number."""
        theirs = (
            EntryRow.read_at == dismissal.moment,
            EntryRow.read_by == dismissal.reader,
            EntryRow.band == NO_CHEST_BAND,
        )
        restored = update(EntryRow).where(*theirs)
        restored = restored.values(is_read=False, read_at=None, read_by=None)
        with self._database.writing() as session:
            files = len(session.scalars(restored.returning(EntryRow.number)).all())
            kind, now = EventKind.DISMISSAL_UNDONE, self._clock()
            session.add(new_event(kind, dismissal.reader, now, detail=str(files)))
        return files


def _waiting() -> tuple[Clause, ...]:
    return (
        EntryRow.is_read.is_(False),
        EntryRow.tier == UNJUDGED_TIER,
        EntryRow.band == NO_CHEST_BAND,
    )
