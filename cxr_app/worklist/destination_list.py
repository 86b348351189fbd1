"""Archives that an administrator has entered on the page. Each method is one transaction."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cxr_app.destination import Destination
from cxr_app.worklist.destination_tables import DestinationRow
from cxr_app.worklist.outgoing import REMOVED, OutgoingState
from cxr_app.worklist.outgoing_tables import ArchiveRow, OutgoingRow
from cxr_app.worklist.transactions import Transactions


class DestinationList(Transactions):
    """The archives that results are sent to beside those of the settings."""

    def all(self) -> list[Destination]:
        """Return them by name."""
        statement = select(DestinationRow.written).order_by(DestinationRow.name)
        with self._database.reading() as session:
            return [Destination.parse(written) for written in session.scalars(statement)]

    def add(self, written: str, reader: str) -> Destination:
        """Enter an archive, or change what one gets; results made from now on are sent to it.

        Parameters
        ----------
        written
            As `Destination.parse` reads it.
        reader
            Who enters it.

        Raises
        ------
        ValueError
            If it is written otherwise; the message says how to write it.
        """
        destination = Destination.parse(written)
        now = self._clock()
        values = {"written": written.strip(), "added_at": now, "added_by": reader}
        insert = self._database.insert(DestinationRow).values(name=destination.name, **values)
        with self._database.writing() as session:
            found = select(DestinationRow.name).where(DestinationRow.name == destination.name)
            if session.scalar(found) is None:
                archive = update(ArchiveRow).where(ArchiveRow.name == destination.name)
                session.execute(archive.values(since=now))
            session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
        return destination

    def remove(self, name: str) -> None:
        """Remove an archive; what waits for it is given up, and what was sent stays noted."""
        with self._database.writing() as session:
            session.execute(delete(DestinationRow).where(DestinationRow.name == name))
            _give_up(session, name)

    def withdraw(self, name: str) -> None:
        """Give up what a sender has added for an archive while it was removed."""
        with self._database.writing() as session:
            found = select(DestinationRow.name).where(DestinationRow.name == name)
            if session.scalar(found) is None:
                _give_up(session, name)


def _give_up(session: Session, name: str) -> None:
    waiting = update(OutgoingRow).where(
        OutgoingRow.destination == name, OutgoingRow.state == OutgoingState.WAITING
    )
    session.execute(waiting.values(state=OutgoingState.GIVEN_UP, problem=REMOVED))
