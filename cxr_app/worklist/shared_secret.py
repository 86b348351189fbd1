"""Secrets that all servers of a worklist share: made when they are first needed."""

import secrets

from sqlalchemy import select

from cxr_app.worklist.database import Database
from cxr_app.worklist.tables import SecretRow

KEY_BYTES = 32


def shared_secret(database: Database, name: str, length: int = KEY_BYTES) -> bytes:
    """Return the secret with this name: the same for all servers, for ever."""
    statement = select(SecretRow.value).where(SecretRow.name == name)
    with database.reading() as session:
        known = session.scalar(statement)
    if known is not None:
        return known
    made = {"name": name, "value": secrets.token_bytes(length)}
    with database.writing() as session:
        # Two servers may ask at once: both get the secret that was written first.
        session.execute(database.insert(SecretRow).values(made).on_conflict_do_nothing())
        return session.scalars(statement).one()
