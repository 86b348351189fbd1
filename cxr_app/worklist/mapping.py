"""Conversion between values and rows: outcomes into rows, rows into entries and scores."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import BindParameter, ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from cxr_app.acquisition_time import acquisition_of
from cxr_app.lung_fields import LungFields, lungs_of
from cxr_app.outcome import Outcome
from cxr_app.patient_age import age_in_days
from cxr_app.pose import Pose
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.priority import band
from cxr_app.radiograph import Header
from cxr_app.view_words import is_other_view
from cxr_app.worklist.attested_scores import AttestedScoreRow
from cxr_app.worklist.entry import HEADER_NAMES, Attestation, Claim, Entry, Score
from cxr_app.worklist.handover import Assignment, Urgency
from cxr_app.worklist.handover_columns import URGENT_SHIFT
from cxr_app.worklist.search_text import search_text
from cxr_app.worklist.study_key import study_key
from cxr_app.worklist.tables import (
    MAX_FACT_LENGTH,
    NO_CHEST_BAND,
    UNJUDGED_TIER,
    EntryRow,
    Judgement,
    ScoreRow,
    ScoringResult,
    tier,
)

JUDGEMENT_NAMES = tuple(Judgement.__annotations__)
IDENTIFYING = (
    *("patient_id", "patient_name", "patient_birth_date", "accession_number"),
    *("study_instance_uid", "series_instance_uid", "sop_instance_uid"),
    "study_description",  # free text
)
"""Header values that identify the patient."""

# Built once: to build a statement takes longer than to run it.
_ID: BindParameter[str] = bindparam("entry_id")
ENTRY_BY_ID = select(EntryRow).where(EntryRow.id == _ID)
_SHOWN = select(ScoreRow).where(
    ScoreRow.entry_number == bindparam("entry_number"),
    ScoreRow.model_version == bindparam("model_version"),
)


def add_outcome(session: Session, entry: EntryRow, outcome: Outcome, scored_at: datetime) -> None:
    """Add an outcome to the history, and show it in the entry if it is the newest.

    What was found without a reader's word that stands now, or on one that was taken back since, is
    history alone.
    """
    if _is_repeated(entry, outcome):
        return
    score = _history_row(session, entry, outcome, scored_at)
    if outcome.pose != _pose(entry):
        return
    _describe(entry, outcome)
    if entry.scored_at is None or scored_at >= entry.scored_at:
        _show(entry, score, may_be_chest=outcome.may_be_chest)


def rows_with_outcome(
    arrival: Mapping[str, Any], outcome: Outcome, scored_at: datetime
) -> tuple[EntryRow, ScoreRow]:
    """Return the rows of a new film with its outcome, not yet in a session."""
    entry, score = EntryRow(**arrival), ScoreRow()
    _fill(score, outcome, scored_at)
    _describe(entry, outcome)
    _show(entry, score, may_be_chest=outcome.may_be_chest)
    return entry, score


def values_of(row: EntryRow | ScoreRow) -> dict[str, Any]:
    """Return the column values of a row that is in no session, for a bulk insert."""
    names = (column.key for column in type(row).__table__.columns if column.key != "number")
    return {name: getattr(row, name) for name in names}


def as_entry(
    row: EntryRow, claim: Claim | None = None, evidence: Mapping[str, Any] | None = None
) -> Entry:
    """Return the entry of a row; `evidence` is the result of `evidence_of`."""
    return Entry(
        id=row.id,
        sha256=row.sha256,
        source=row.source or "",
        path=row.path,
        received_at=row.received_at,
        acquired_at=row.acquired_at,
        state=row.state,
        priority=row.priority,
        scored_at=row.scored_at,
        read_at=row.read_at,
        read_by=row.read_by or "",
        claim=claim,
        header=_header(row),
        file_format=row.file_format or "",
        rows=row.rows or 0,
        columns=row.columns or 0,
        remarks=tuple(dict.fromkeys((*row.arrival_remarks, *row.remarks))),
        film_deleted_at=row.film_deleted_at,
        attestation=attestation_of(row),
        urgency=_urgency(row),
        assignment=_assignment(row),
        needs_no_score=row.needs_no_score,
        **_judgement(row),
        **(evidence or {}),
    )


def forget_patient(entry: EntryRow) -> None:
    """Remove what identifies the patient from an entry; a file's name may, too."""
    entry.source = None
    for name in IDENTIFYING:
        setattr(entry, name, None)
    entry.study_key = None
    entry.search_text = _search_text(entry)


def receive_again(entry: EntryRow, source: str, path: Path, received_at: datetime) -> None:
    """Make an entry whose film was deleted wait for a score and a reader; its history is kept."""
    entry.source, entry.path, entry.received_at = source, path, received_at
    entry.waits_since, entry.acquired_at = received_at, None
    entry.film_deleted_at = None
    entry.is_read, entry.read_at, entry.read_by = False, None, None
    attest(entry, None)
    set_urgency(entry, None)
    entry.assigned_to = entry.assigned_by = entry.assigned_at = None
    entry.tier, entry.band, entry.descending_probability = UNJUDGED_TIER, 0, 0.0
    entry.search_text = _search_text(entry)


def set_urgency(entry: EntryRow, urgency: Urgency | None) -> None:
    """Set who says that a film is urgent, or that nobody does; its place follows."""
    shift = URGENT_SHIFT * ((urgency is not None) - (entry.urgent_at is not None))
    entry.band -= shift
    entry.urgent_by = urgency.reader if urgency else None
    entry.urgent_at = urgency.marked_at if urgency else None
    entry.urgent_reason = urgency.reason if urgency else None


def attest(entry: EntryRow, attestation: Attestation | None) -> None:
    """Set on whose word a film is scored, or that it is on nobody's; it waits for a score.

    It keeps its place in the list until it has one.
    """
    pose = attestation.pose if attestation else None
    entry.attested_by = attestation.reader if attestation else None
    entry.attested_at = attestation.attested_at if attestation else None
    entry.quarter_turns = pose.quarter_turns if pose else None
    entry.mirrored = pose.mirrored if pose else None
    entry.state = entry.priority = entry.scored_at = None
    entry.needs_no_score = False
    for name in JUDGEMENT_NAMES:
        setattr(entry, name, None)


def as_score(row: ScoringResult) -> Score:
    """Return one result of the history."""
    return Score(
        state=row.state,
        priority=row.priority,
        scored_at=row.scored_at,
        pose=_pose_of_result(row),
        **_evidence(row),
        **_judgement(row),
    )


def evidence_of(session: Session, entry: EntryRow) -> dict[str, Any]:
    """Return the map of the probability that an entry shows, its scale and the lungs."""
    pose = _pose(entry)
    shown = {"entry_number": entry.number, "model_version": entry.model_version}
    score: ScoringResult | None
    if pose is None and entry.model_version is not None:
        score = session.scalar(_SHOWN, shown)
    else:
        table, same = _results(entry, pose)
        found: Any = select(table).where(*same, table.model_version == entry.model_version)
        score = session.scalar(found)  # of either table
    return {} if score is None else _evidence(score)


def _is_repeated(entry: EntryRow, outcome: Outcome) -> bool:
    if outcome.pose != _pose(entry):
        return False
    if outcome.prediction is None:
        return entry.state is outcome.state and entry.reason == outcome.reason
    return entry.model_version == outcome.prediction.model_version


def _history_row(
    session: Session, entry: EntryRow, outcome: Outcome, scored_at: datetime
) -> ScoringResult:
    """Return the row of the same result, with its new time, or a new row."""
    table, conditions = _results(entry, outcome.pose)
    same = select(table).where(*conditions)
    if outcome.prediction is None:
        same = same.where(
            table.state == outcome.state,
            table.reason == outcome.reason,
            table.scored_at == scored_at,
        )
    else:
        same = same.where(table.model_version == outcome.prediction.model_version)
    # A new entry has no history; an entry whose film came back has a format.
    is_new = entry.scored_at is None and entry.file_format is None
    score: ScoreRow | AttestedScoreRow | None = None
    if not is_new:
        score = session.scalars(same).first()  # type: ignore[assignment]  # of either table
    if score is None:
        score = _new_result(entry, outcome.pose)
        _fill(score, outcome, scored_at)
        session.add(score)
    score.scored_at = max(score.scored_at, scored_at)
    return score


def _results(
    entry: EntryRow, pose: Pose | None
) -> tuple[type[ScoreRow] | type[AttestedScoreRow], list[ColumnElement[bool]]]:
    """Return the table of a film's results in a pose, and the conditions for its rows."""
    if pose is None:
        return ScoreRow, [ScoreRow.entry_number == entry.number]
    return AttestedScoreRow, [
        AttestedScoreRow.entry_number == entry.number,
        AttestedScoreRow.quarter_turns == pose.quarter_turns,
        AttestedScoreRow.mirrored == pose.mirrored,
    ]


def _new_result(entry: EntryRow, pose: Pose | None) -> ScoreRow | AttestedScoreRow:
    if pose is None:
        return ScoreRow(entry_number=entry.number)
    return AttestedScoreRow(
        entry_number=entry.number, quarter_turns=pose.quarter_turns, mirrored=pose.mirrored
    )


def _fill(score: ScoringResult, outcome: Outcome, scored_at: datetime) -> None:
    """Set what scoring found in a new row."""
    score.state, score.priority = outcome.state, outcome.priority
    score.reason, score.scored_at = outcome.reason or None, scored_at
    prediction, point = outcome.prediction, outcome.operating_point
    if prediction is not None and point is not None:
        score.model_version = prediction.model_version
        score.pneumonia_probability = prediction.pneumonia_probability
        score.bacterial_probability = prediction.bacterial_probability
        score.viral_probability = prediction.viral_probability
        score.flagged = outcome.flagged
        score.operating_point_name = point.name
        score.threshold = point.threshold
        score.activation_map_rows, score.activation_map_columns = prediction.activation_map.shape
        score.activation_map = np.ascontiguousarray(prediction.activation_map, "<f4").tobytes()
        if prediction.heat_scale is not None:
            score.heat_begin = prediction.heat_scale.begin
            score.heat_full = prediction.heat_scale.full
        if prediction.lungs is not None:
            score.lung_mask_rows, score.lung_mask_columns = prediction.lungs.mask.shape
            score.lung_mask = np.packbits(prediction.lungs.mask).tobytes()
            score.lungs_found = prediction.lungs.found


def _describe(entry: EntryRow, outcome: Outcome) -> None:
    """Update what is known of the film; values that the outcome lacks are kept."""
    # Scoring that began before the film was deleted must not restore its patient.
    if outcome.header is not None and entry.film_deleted_at is None:
        entry.has_header = True
        for name in HEADER_NAMES:
            setattr(entry, name, getattr(outcome.header, name)[:MAX_FACT_LENGTH] or None)
        entry.patient_age_days = _days(outcome.header.patient_age)
        entry.study_key = study_key(_header(entry))  # as it is stored: shortened
        entry.search_text = _search_text(entry)
    entry.file_format = outcome.file_format or entry.file_format
    entry.rows = outcome.rows or entry.rows
    entry.columns = outcome.columns or entry.columns
    entry.remarks = (*outcome.remarks, *_acquired(entry, outcome.header))


def _acquired(entry: EntryRow, header: Header | None) -> tuple[str, ...]:
    """Set since when a film waits; return a remark if its header's date cannot be."""
    if header is None:
        return ()
    acquisition = acquisition_of(header, entry.received_at)
    entry.acquired_at = acquisition.moment
    entry.waits_since = min(acquisition.moment or entry.received_at, entry.received_at)
    return (acquisition.remark,) if acquisition.remark else ()


def _show(entry: EntryRow, score: ScoringResult, *, may_be_chest: bool) -> None:
    """Make a result of the history the one that the entry shows and is ordered by."""
    for name in JUDGEMENT_NAMES:
        setattr(entry, name, getattr(score, name))
    entry.state = score.state
    entry.needs_no_score = is_other_view(score.reason or "")
    entry.priority = score.priority
    entry.scored_at = score.scored_at
    entry.tier = tier(score.priority, flagged=bool(score.flagged))
    usual = band(score.pneumonia_probability) if may_be_chest else NO_CHEST_BAND
    entry.band = usual if entry.urgent_at is None else usual - URGENT_SHIFT
    entry.descending_probability = -(score.pneumonia_probability or 0.0)


def _search_text(entry: EntryRow) -> str:
    facts = (
        entry.patient_id,
        entry.patient_name,
        entry.accession_number,
        entry.study_description,
    )
    return search_text(entry.id, entry.source or "", *(fact or "" for fact in facts))


def _days(patient_age: str) -> int | None:
    """Return (0010,1010) *Patient's Age* in days, so that 11 months come before 2 years."""
    days = age_in_days(patient_age)
    return None if days is None else round(days)


def _pose_of_result(row: ScoringResult) -> Pose | None:
    return _pose(row) if isinstance(row, AttestedScoreRow) else None


def _pose(row: EntryRow | AttestedScoreRow) -> Pose | None:
    if row.quarter_turns is None:
        return None
    return Pose(row.quarter_turns, bool(row.mirrored))


def attestation_of(row: EntryRow) -> Attestation | None:
    """Return on whose word a film is scored; None if on nobody's."""
    pose = _pose(row)
    if pose is None or row.attested_at is None:
        return None
    return Attestation(row.attested_by or "", row.attested_at, pose)


def _urgency(row: EntryRow) -> Urgency | None:
    if row.urgent_at is None:
        return None
    return Urgency(row.urgent_by or "", row.urgent_at, row.urgent_reason or "")


def _assignment(row: EntryRow) -> Assignment | None:
    if row.assigned_to is None or row.assigned_at is None:
        return None
    return Assignment(row.assigned_to, row.assigned_by or "", row.assigned_at)


def _header(row: EntryRow) -> Header | None:
    if not row.has_header:
        return None
    return Header(**{name: getattr(row, name) or "" for name in HEADER_NAMES})


def _judgement(row: Judgement) -> dict[str, Any]:
    return {
        "reason": row.reason or "",
        "model_version": row.model_version or "",
        "pneumonia_probability": row.pneumonia_probability,
        "bacterial_probability": row.bacterial_probability,
        "viral_probability": row.viral_probability,
        "flagged": row.flagged,
        "operating_point_name": row.operating_point_name or "",
        "threshold": row.threshold,
    }


def _evidence(score: ScoringResult) -> dict[str, Any]:
    scale = None
    if score.heat_begin is not None and score.heat_full is not None:
        scale = HeatScale(score.heat_begin, score.heat_full)
    return {"activation_map": _activation_map(score), "heat_scale": scale, "lungs": _lungs(score)}


def _activation_map(score: ScoringResult) -> ActivationMap | None:
    if score.activation_map is None:
        return None
    shape = (score.activation_map_rows or 0, score.activation_map_columns or 0)
    grid: ActivationMap = np.frombuffer(score.activation_map, "<f4").reshape(shape)
    return grid.astype(np.float32)


def _lungs(score: ScoringResult) -> LungFields | None:
    if score.lung_mask is None:
        return None
    shape = (score.lung_mask_rows or 0, score.lung_mask_columns or 0)
    bits = np.unpackbits(np.frombuffer(score.lung_mask, np.uint8), count=shape[0] * shape[1])
    return lungs_of(bits.reshape(shape).astype(bool), found=bool(score.lungs_found))
