"""Times of arrival that a wrong clock gave."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from cxr_app.worklist.tables import EntryRow

TOLERANCE = timedelta(minutes=5)
"""How far the clocks of several servers may be apart."""


def end_arrivals_in_the_future(session: Session, now: datetime) -> None:
    """Set the arrival of unread films that lies in the future to now.

    A clock that was ahead when they came would put them behind all others until it is true again.
    """
    late = update(EntryRow).where(~EntryRow.is_read, EntryRow.received_at > now + TOLERANCE)
    session.execute(late.values(received_at=now).execution_options(synchronize_session=False))
