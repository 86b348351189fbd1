"""Readers' own views of the list, by name. Each method is one transaction."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from cxr_app.errors import HandoverError
from cxr_app.worklist.room_tables import SavedViewRow
from cxr_app.worklist.transactions import Transactions

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view of the list under a name.

    Parameters
    ----------
    parameters
        Filters and order, as the address has them.
    columns
        Order, hidden ones and widths, as the table has them; empty for the table's own.
    """

    name: str
    parameters: dict[str, str]
    columns: dict[str, Any]


class SavedViews(Transactions):
    """Each reader's views."""

    def save(self, reader: str, view: SavedView) -> None:
        """Keep a view, in the place of one with the same name.

        Raises
        ------
        HandoverError
            If it has no name.
        """
        name = " ".join(view.name.split())[:LONGEST_NAME]
        if not name:
            raise HandoverError("Type a name for the view, then save it.")
        values = {
            "saved_at": self._clock(),
            "parameters": {"view": view.parameters, "columns": view.columns},
        }
        statement = self._database.insert(SavedViewRow).values(reader=reader, name=name, **values)
        statement = statement.on_conflict_do_update(index_elements=["reader", "name"], set_=values)
        with self._database.writing() as session:
            session.execute(statement)

    def of_reader(self, reader: str) -> list[SavedView]:
        """Return a reader's views by name."""
        own = select(SavedViewRow).where(SavedViewRow.reader == reader)
        with self._database.reading() as session:
            rows = session.scalars(own.order_by(SavedViewRow.name)).all()
            return [
                SavedView(row.name, row.parameters["view"], row.parameters["columns"])
                for row in rows
            ]

    def remove(self, reader: str, name: str) -> None:
        """Remove a reader's view; nothing happens if there is none of this name."""
        own = (SavedViewRow.reader == reader, SavedViewRow.name == name)
        with self._database.writing() as session:
            session.execute(delete(SavedViewRow).where(*own))
