"""When films were last swept, so that a wrong clock is noticed. Each method is one transaction."""

from datetime import datetime

from sqlalchemy import func, select

from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.retention_tables import SweepRow
from cxr_app.worklist.tables import EntryRow
from cxr_app.worklist.transactions import Transactions

THE_ONLY_ROW = 1


class SweepLog(Transactions):
    """The time of the last retention sweep, shared by all servers of a worklist."""

    def last(self) -> datetime | None:
        """Return when films were last swept, before the first sweep when one was last read."""
        with self._database.reading() as session:
            swept = session.scalar(select(SweepRow.swept_at))
            return swept or session.scalar(select(func.max(EntryRow.read_at)))

    def record(self, confirmed_by: str = "") -> None:
        """Record that films are swept now; `confirmed_by` is who has checked the clock."""
        now = self._clock()
        values = {"number": THE_ONLY_ROW, "swept_at": now}
        statement = self._database.insert(SweepRow).values(values)
        statement = statement.on_conflict_do_update(
            index_elements=["number"], set_={"swept_at": now}
        )
        with self._database.writing() as session:
            session.execute(statement)
            if confirmed_by:
                session.add(new_event(EventKind.CLOCK_CONFIRMED, confirmed_by, now))
