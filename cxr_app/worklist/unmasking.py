"""Masked names and ids: who had them shown, and the key of the short ids that replace them."""

from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.shared_secret import shared_secret
from cxr_app.worklist.transactions import Transactions

MASKING_KEY = "masking"


class UnmaskingLog(Transactions):
    """The times at which readers had names and ids shown. Each method is one transaction."""

    def record(self, reader: str) -> None:
        """Record that a reader has names and ids shown."""
        with self._database.writing() as session:
            session.add(new_event(EventKind.UNMASKED, reader, self._clock()))

    def masking_key(self) -> bytes:
        """Return the key of the short ids that replace masked ones: the same for all servers."""
        return shared_secret(self._database, MASKING_KEY)
