"""Earlier films of the same patient."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from cxr_app.patient_identity import is_patient_id, same_patient
from cxr_app.radiograph import Header
from cxr_app.worklist.entry import Entry
from cxr_app.worklist.mapping import as_entry
from cxr_app.worklist.tables import EntryRow


def earlier_films(session: Session, entry: Entry, limit: int) -> list[Entry]:
    """Return films of the same patient that were taken before this one, newest first.

    Whether they are the same patient's, `patient_identity` decides. Of the same day are those with
    an earlier time; a film without a date is neither earlier nor later.
    """
    header = entry.header
    if header is None or not is_patient_id(header.patient_id) or not header.study_date:
        return []
    statement = select(EntryRow).where(
        EntryRow.is_read.in_((False, True)),  # the index begins with it
        EntryRow.patient_id == header.patient_id,
        EntryRow.id != entry.id,
    )
    statement = statement.order_by(EntryRow.study_date.desc(), EntryRow.study_time.desc())
    found = [as_entry(row) for row in session.scalars(statement)]
    return [
        film
        for film in found
        if film.header and same_patient(film.header, header) and is_earlier(film.header, header)
    ][:limit]


def is_earlier(film: Header, header: Header) -> bool:
    """Check whether a film was taken before another, as exactly as both times are known."""
    if not film.study_date or film.study_date != header.study_date:
        return "" < film.study_date < header.study_date
    digits = min(len(film.study_time), len(header.study_time))
    return film.study_time[:digits] < header.study_time[:digits]
