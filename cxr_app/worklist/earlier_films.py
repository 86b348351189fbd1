"""Earlier films of the same patient."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cxr_app.worklist.entry import Entry
from cxr_app.worklist.mapping import as_entry
from cxr_app.worklist.tables import EntryRow


def earlier_films(session: Session, entry: Entry, limit: int) -> list[Entry]:
    """Return other films of the same patient up to this one's date, newest first.

    The same patient has the same (0010,0020) *Patient ID* and no other birth date: two sites may
    use one id twice.
    """
    header = entry.header
    if header is None or not header.patient_id:
        return []
    statement = select(EntryRow).where(
        EntryRow.is_read.in_((False, True)),  # the index begins with it
        EntryRow.patient_id == header.patient_id,
        EntryRow.id != entry.id,
    )
    statement = statement.order_by(EntryRow.study_date.desc(), EntryRow.study_time.desc())
    found = [as_entry(row) for row in session.scalars(statement)]
    return [film for film in found if _is_earlier(film, entry)][:limit]


def _is_earlier(film: Entry, entry: Entry) -> bool:
    """Return whether a film with the same id is the same patient's and not of a later day."""
    if film.header is None or entry.header is None:
        return False
    births = {film.header.patient_birth_date, entry.header.patient_birth_date} - {""}
    return len(births) < 2 and film.header.study_date <= (entry.header.study_date or "9")
