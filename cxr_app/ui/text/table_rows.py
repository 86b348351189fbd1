"""Rows and columns of the film tables on the Worklist and Upload pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cxr_app import display_text
from cxr_app.outcome import Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.ui.components.film_table import TableColumn
from cxr_app.ui.text import formatting, pose_text
from cxr_app.worklist import Entry, Note

WAITING = TableColumn(
    "waiting",
    "Waiting",
    6,
    "waits_since",
    kind="number",
    help="Time since the film was taken, by its header; without a date there, since it arrived",
)
PATIENT = TableColumn("patient_id", "Patient", 5.2, "patient_id")
ACCESSION = TableColumn("accession_number", "Accession", 5.4, "accession_number")
STUDY_DATE = TableColumn("study_date", "Study date", 5.5, "study_date", first="descending")
FILE = TableColumn("source", "File", 5.4, "source")

URGENT = TableColumn("urgent", "Urgent", 5.5, help="Marked as urgent by a reader, and why")
HANDED = (
    TableColumn("assigned", "For", 5.5, help="The reader whom the film is assigned to"),
    TableColumn("note", "Note", 6, help="Open notes to the next reader"),
)
KEY_IMAGE = TableColumn("key", "Key", 2.6, help="★: a reader marked the film as a key image")

WORKLIST = (
    URGENT,
    TableColumn("tier", "Tier", 5.5, "priority", help="Priority for reading"),
    TableColumn(
        "pneumonia",
        "Pneumonia",
        6.9,
        "pneumonia_probability",
        first="descending",
        kind="share",
        help="Probability of pneumonia; the line marks the operating point",
    ),
    TableColumn(
        "cause",
        "Cause",
        4.7,
        "bacterial_probability",
        first="descending",
        help="Likelier cause, for flagged films",
    ),
    WAITING,
    TableColumn("state", "State", 6.3, "state"),
    TableColumn("reader", "Reader", 7, "read_by", help="Who has the film open, or who read it"),
    PATIENT,
    TableColumn("patient_name", "Name", 6.2, "patient_name"),
    TableColumn("patient_age", "Age", 3.4, "patient_age", kind="number"),
    TableColumn("patient_sex", "Sex", 2.7, "patient_sex"),
    ACCESSION,
    STUDY_DATE,
    TableColumn("view_position", "View", 3, "view_position"),
    KEY_IMAGE,
    *HANDED,
    TableColumn("remark", "Remark", 3.5, "reason"),
    FILE,
)

NEEDS_A_PERSON = (
    URGENT,
    WAITING,
    TableColumn("remark", "Reason", 34, "reason"),
    KEY_IMAGE,
    *HANDED,
    PATIENT,
    ACCESSION,
    STUDY_DATE,
    FILE,
)

STUDY = TableColumn("study", "Study", 5.6, help="The films of the study, by view")

UPLOADS = (
    TableColumn("source", "File", 12),
    TableColumn("patient_name", "Patient", 8),
    TableColumn("patient_id", "Patient ID", 6),
    TableColumn("state", "State", 7),
    TableColumn("tier", "Tier", 6),
    TableColumn("pneumonia", "Pneumonia", 9, kind="share"),
    TableColumn("cause", "Cause", 5),
    TableColumn("remark", "Remark", 28),
)


def columns(state: str, *, by_study: bool) -> tuple[TableColumn, ...]:
    """Return the columns of the list in a state of the films; by study, their films come too."""
    usual = NEEDS_A_PERSON if state == "needs_a_person" else WORKLIST
    return (*usual[:-2], STUDY, *usual[-2:]) if by_study else usual


def row(
    entry: Entry,
    now: datetime,
    newer: Entry | None = None,
    in_use: str = "",
    notes: Sequence[Note] = (),
) -> dict[str, Any]:
    """Return an entry as a row of text cells.

    Parameters
    ----------
    newer
        The newest later film of the patient; None if there is none.
    in_use
        Version of the model in use; empty while it is unknown.
    notes
        On the film, to its next reader.
    """
    header = entry.header or Header()
    return {
        "id": entry.id,
        "tone": _tone(entry),
        "urgent": f"▲ {entry.urgency.reason}" if entry.urgency else "",
        "assigned": entry.assignment.reader if entry.assignment else "",
        "note": " ".join(f"{n.reader}: {n.text}" for n in notes if n.settled_at is None),
        "tier": formatting.tier(entry.state, entry.priority),
        "pneumonia": _probability(entry),
        "cause": _cause(entry),
        "waiting": formatting.duration((entry.read_at or now) - entry.waits_since),
        "state": state(entry),
        "reader": reader(entry),
        "patient_id": header.patient_id,
        "patient_name": formatting.person_name(header.patient_name),
        "patient_age": formatting.age(header.patient_age),
        "patient_sex": header.patient_sex,
        "accession_number": header.accession_number,
        "study_date": formatting.date(header.study_date),
        "view_position": header.view_position,
        "remark": _remark(entry, newer, in_use),
        "source": formatting.file_name(entry.source),
    }


def study(views: Sequence[str]) -> str:
    """Return the number of films in a study and their views; empty for a single film."""
    if len(views) < 2:
        return ""
    known = ", ".join(filter(None, views))
    return f"{len(views)}: {known}" if known else formatting.films(len(views))


def state(entry: Entry) -> str:
    """Return the state of an entry."""
    if entry.state is None:
        return "being scored"
    if entry.read_at is not None:
        return "read"
    return "unread" if entry.state is ScoringState.SCORED else "needs a person"


def reader(entry: Entry) -> str:
    """Return who has the film open now, otherwise who has read it."""
    return f"open: {entry.claim.reader}" if entry.claim else entry.read_by


def upload_state(entry: Entry) -> str:
    """Return the state of an entry on the Upload page."""
    if entry.state is None:
        return "being scored"
    return "scored" if entry.state is ScoringState.SCORED else "needs a person"


def done(entries: Sequence[Entry]) -> int:
    """Count the entries that have been processed, including those not scored."""
    return sum(entry.state is not None for entry in entries)


def refused(entries: Sequence[Entry]) -> int:
    """Count the processed entries without a score."""
    return done(entries) - sum(entry.state is ScoringState.SCORED for entry in entries)


def _deleted(entry: Entry) -> str:
    """Return a note if the film is no longer kept."""
    if entry.film_deleted_at is None:
        return ""
    return f"Film deleted on {display_text.day(entry.film_deleted_at)} under the retention policy."


def _remark(entry: Entry, newer: Entry | None, in_use: str) -> str:
    word = pose_text.in_a_list(entry.attestation) if entry.attestation else ""
    model = _other_model(entry, in_use)
    notes = (_deleted(entry), _superseded(newer), word, entry.reason, *entry.remarks, model)
    return " ".join(filter(None, notes))


def _other_model(entry: Entry, in_use: str) -> str:
    """Return a note if a model gave the score that is no longer in use."""
    if entry.model_version in ("", in_use) or not in_use:
        return ""
    return f"Scored by {entry.model_version}, not the model in use."


def _superseded(newer: Entry | None) -> str:
    """Return a note if the patient has a newer film."""
    if newer is None or newer.header is None:
        return ""
    return f"The patient has a newer film of {formatting.date(newer.header.study_date)}."


def _tone(entry: Entry) -> str:
    if entry.read_at is not None or entry.state is None:
        return "quiet"
    if entry.state is not ScoringState.SCORED:
        return "person"
    return "strong" if entry.priority is Priority.HIGH else ""


def _probability(entry: Entry) -> dict[str, Any] | None:
    if entry.pneumonia_probability is None:
        return None
    return {
        "value": entry.pneumonia_probability,
        "words": display_text.percent(entry.pneumonia_probability),
        "mark": entry.threshold,
    }


def _cause(entry: Entry) -> str:
    if not entry.flagged or entry.bacterial_probability is None or entry.viral_probability is None:
        return ""
    return formatting.cause(entry.bacterial_probability, entry.viral_probability)
