"""Masked names and ids: who had them shown, and the key of the short ids that replace them."""

import secrets

from sqlalchemy import select

from cxr_app.worklist.events import EventKind, new_event
from cxr_app.worklist.tables import SecretRow
from cxr_app.worklist.transactions import Transactions

MASKING_KEY = "masking"
KEY_BYTES = 32


class UnmaskingLog(Transactions):
    """The times at which readers had names and ids shown. Each method is one transaction."""

    def record(self, reader: str) -> None:
        """Record that a reader has names and ids shown."""
        with self._database.writing() as session:
            session.add(new_event(EventKind.UNMASKED, reader, self._clock()))

    def masking_key(self) -> bytes:
        """Return the key of the short ids that replace masked ones: the same for all servers."""
        statement = select(SecretRow.value).where(SecretRow.name == MASKING_KEY)
        with self._database.reading() as session:
            known = session.scalar(statement)
        if known is not None:
            return known
        made = {"name": MASKING_KEY, "value": secrets.token_bytes(KEY_BYTES)}
        with self._database.writing() as session:
            # Two servers may ask at once: both get the key that was written first.
            session.execute(self._database.insert(SecretRow).values(made).on_conflict_do_nothing())
            return session.scalars(statement).one()
