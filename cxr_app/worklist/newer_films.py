"""The newest film of the same patient, for films that it may have superseded."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from cxr_app.patient_identity import is_patient_id, same_patient
from cxr_app.radiograph import Header
from cxr_app.worklist.earlier_films import is_earlier
from cxr_app.worklist.entry import Entry
from cxr_app.worklist.handover_columns import URGENT_SHIFT
from cxr_app.worklist.mapping import as_entry
from cxr_app.worklist.tables import NO_CHEST_BAND, EntryRow


def newer_films(session: Session, entries: Sequence[Entry]) -> dict[str, Entry]:
    """Return the newest later film of each film's patient, by the id of the older film's entry.

    A film of the same study does not count, nor does what is plainly no chest film. Films without a
    newer one are left out.
    """
    known = {entry.id: entry.header for entry in entries if entry.header is not None}
    ids = {header.patient_id for header in known.values() if is_patient_id(header.patient_id)}
    statement = select(EntryRow).where(
        EntryRow.is_read.in_((False, True)),  # the index begins with it
        EntryRow.patient_id.in_(ids),
        EntryRow.band.not_in((NO_CHEST_BAND, NO_CHEST_BAND - URGENT_SHIFT)),
    )
    statement = statement.order_by(EntryRow.study_date.desc(), EntryRow.study_time.desc())
    films: dict[str, list[Entry]] = defaultdict(list)
    for row in session.scalars(statement) if ids else ():
        films[row.patient_id or ""].append(as_entry(row))
    found = {
        entry_id: _newer(header, films[header.patient_id])
        for entry_id, header in known.items()
        if header.patient_id in films
    }
    return {entry_id: film for entry_id, film in found.items() if film is not None}


def _newer(header: Header, newest_first: Sequence[Entry]) -> Entry | None:
    return next((film for film in newest_first if _supersedes(film.header, header)), None)


def _supersedes(film: Header | None, header: Header) -> bool:
    if film is None or (
        film.study_instance_uid and film.study_instance_uid == header.study_instance_uid
    ):
        return False
    return is_earlier(header, film) and same_patient(film, header)
