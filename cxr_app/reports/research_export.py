"""Films with their results and reviews, for research, without who the patients and readers are.

Only what is listed here leaves, so that a new field of an entry stays until somebody thinks of it.
Ids are keyed hashes: the same in each export of a worklist, and meaningless without its key. Of
dates the year is left, of an age the year up to `OLDEST`, and times are spans between two events.
What somebody wrote (comments, notes, descriptions, names of files) is left out.

References
----------
DICOM PS3.15 E (basic profile: what identifies). 45 CFR 164.514 (b)(2) (dates and ages).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cxr_app.patient_age import age_in_years
from cxr_app.worklist import Annotation, Entry, Query, Review, Worklist

AT_ONCE = 500
OLDEST = 90
"""Highest age in years that is told; older patients have it too."""
DIGITS = 24
"""Length of a hash: 96 bits."""


def research_lines(worklist: Worklist, limit: int) -> Iterator[str]:
    """Yield a line of JSON for each film, oldest first.

    Parameters
    ----------
    limit
        Largest number of films.

    Raises
    ------
    WorklistError
        If the worklist cannot be read.
    """
    key = hmac.new(worklist.unmasking.masking_key(), b"research", hashlib.sha256).digest()
    query = Query(state="all", sort="received_at")
    for offset in range(0, limit, AT_ONCE):
        entries = worklist.page(query, offset, min(AT_ONCE, limit - offset))
        for entry in entries:
            marks = worklist.room.annotations.of_film(entry.id)
            film = _film(entry, worklist.reviews.of_film(entry.id), key)
            yield json.dumps(film | {"marks": [_mark(entry, each, key) for each in marks]}) + "\n"
        if len(entries) < AT_ONCE:
            return


def _film(entry: Entry, reviews: list[Review], key: bytes) -> dict[str, Any]:
    header = entry.header
    patient = (header.patient_id, header.issuer_of_patient_id) if header else ("", "")
    return {
        "film": _hash(key, "film", entry.sha256),
        "patient": _hash(key, "patient", *patient),
        "study": _hash(key, "study", header.study_instance_uid if header else ""),
        "order": _hash(key, "accession number", header.accession_number if header else ""),
        "year": entry.waits_since.year,
        "age": _age(header.patient_age if header else ""),
        "sex": header.patient_sex if header else "",
        "modality": header.modality if header else "",
        "rows": entry.rows,
        "columns": entry.columns,
        "state": entry.state.value if entry.state else None,
        "priority": entry.priority.value if entry.priority else None,
        "pneumonia_probability": entry.pneumonia_probability,
        "bacterial_probability": entry.bacterial_probability,
        "viral_probability": entry.viral_probability,
        "flagged": entry.flagged,
        "threshold": entry.threshold,
        "model_version": entry.model_version,
        "minutes_to_score": _minutes(entry.received_at, entry.scored_at),
        "minutes_to_read": _minutes(entry.waits_since, entry.read_at),
        "is_urgent": entry.urgency is not None,
        "reviews": [_review(entry, each, key) for each in reversed(reviews)],
    }


def _review(entry: Entry, review: Review, key: bytes) -> dict[str, Any]:
    return {
        "reader": _hash(key, "reader", review.reader),
        "minutes": _minutes(entry.waits_since, review.reviewed_at),
        "verdict": review.verdict.value if review.verdict else None,
        "pneumonia": review.pneumonia,
        "cause": review.cause.value if review.cause else None,
        "heat_seen": review.heat_seen,
        "model_version": review.model_version,
        "flagged": review.flagged,
        "is_taken_back": review.is_taken_back,
        "settles": review.settles,
    }


def _mark(entry: Entry, mark: Annotation, key: bytes) -> dict[str, Any]:
    """Return a mark; its points are fractions of the film as its file has it."""
    measured = mark.measurement
    return {
        "reader": _hash(key, "reader", mark.reader),
        "minutes": _minutes(entry.waits_since, mark.made_at),
        "kind": measured.kind.value,
        "points": [[round(share, 5) for share in point] for point in measured.points_of_file],
        "value": measured.value,
        "unit": measured.unit,
        "basis": measured.basis,
    }


def _hash(key: bytes, kind: str, *values: str) -> str:
    """Return the keyed hash of an id; empty if there is none."""
    if not values[0]:
        return ""
    text = "\0".join((kind, *values)).encode("utf-8", "surrogatepass")
    return hmac.new(key, text, hashlib.sha256).hexdigest()[:DIGITS]


def _age(stated: str) -> int | None:
    years = age_in_years(stated)
    return None if years is None else min(int(years), OLDEST)


def _minutes(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else round((end - begin).total_seconds() / 60, 1)
