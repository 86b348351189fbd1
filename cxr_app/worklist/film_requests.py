"""Films that an archive was asked to send to the receiver. Each method is one transaction."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, select

from cxr_app.radiograph import Header
from cxr_app.worklist.mapping import as_entry
from cxr_app.worklist.prefetch_tables import FilmRequestRow
from cxr_app.worklist.tables import EntryRow
from cxr_app.worklist.transactions import Transactions

KEPT = timedelta(hours=1)
"""How long a request is kept; an archive answers in seconds, or once its tape is mounted."""


class FilmRequests(Transactions):
    """What was asked for, and for whose film; the receiver compares the patients."""

    def ask(self, entry_id: str, sop_instance_uids: Iterable[str]) -> None:
        """Record that films are asked for because they are earlier ones of a film's patient."""
        now = self._clock()
        with self._database.writing() as session:
            old = FilmRequestRow.requested_at < now - KEPT
            session.execute(delete(FilmRequestRow).where(old))
            number = session.scalar(select(EntryRow.number).where(EntryRow.id == entry_id))
            for uid in sop_instance_uids if number is not None else ():
                values = {"sop_instance_uid": uid, "entry_number": number, "requested_at": now}
                insert = self._database.insert(FilmRequestRow).values(values)
                session.execute(
                    insert.on_conflict_do_update(
                        index_elements=["sop_instance_uid", "entry_number"],
                        set_={"requested_at": now},
                    )
                )

    def wanted_for(self, sop_instance_uid: str) -> list[Header]:
        """Return the headers of the films for which a film was asked for; none if it was not."""
        statement = (
            select(EntryRow)
            .join(FilmRequestRow, FilmRequestRow.entry_number == EntryRow.number)
            .where(FilmRequestRow.sop_instance_uid == sop_instance_uid)
            .where(FilmRequestRow.requested_at >= self._clock() - KEPT)
        )
        with self._database.reading() as session:
            headers = (as_entry(row).header for row in session.scalars(statement))
            return [each for each in headers if each is not None]
