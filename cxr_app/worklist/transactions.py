"""What the parts of the worklist share: its database, and its clock."""

from collections.abc import Callable
from datetime import datetime

from cxr_app.worklist.database import Database


class Transactions:
    """A part of the worklist, in which each method is one transaction.

    Parameters
    ----------
    database
        Open and up to date.
    clock
        Returns the current time, aware.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
