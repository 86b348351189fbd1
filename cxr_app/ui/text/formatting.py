"""Durations, header values and states as text."""

from datetime import datetime, timedelta
from pathlib import PurePosixPath

from cxr_app import display_text
from cxr_app.outcome import Priority, ScoringState

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

AGE_UNITS = {"D": "d", "W": "wk", "M": "mo", "Y": "y"}

TIERS = {Priority.HIGH: "● HIGH", Priority.MEDIUM: "◐ MEDIUM", Priority.LOW: "○ LOW"}
NEEDS_A_PERSON = "△ PERSON"
NOT_YET_SCORED = "… scoring"

MARKUP = frozenset("\\`*_{}[]()<>#+-.!|~$:&\"'")


def duration(elapsed: timedelta) -> str:
    """Return a duration in its two largest units: ``4 min``, ``2 h 57 min``, ``3 d 4 h``."""
    seconds = max(0, int(elapsed.total_seconds()))
    if seconds < MINUTE:
        return "< 1 min"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return f"{seconds // HOUR} h {seconds % HOUR // MINUTE:02d} min"
    return f"{seconds // DAY} d {seconds % DAY // HOUR} h"


def age(patient_age: str) -> str:
    """Return a DICOM age (VR AS) for display: ``004Y`` as ``4 y``; empty if it is not valid."""
    number, unit = patient_age[:-1], AGE_UNITS.get(patient_age[-1:], "")
    return f"{int(number)} {unit}" if unit and number.isdecimal() else ""


def date(study_date: str) -> str:
    """Return a DICOM date (VR DA): ``20260102`` as ``2026-01-02``; empty if it is not valid."""
    if len(study_date) != len("YYYYMMDD") or not study_date.isdecimal():
        return ""
    return f"{study_date[:4]}-{study_date[4:6]}-{study_date[6:]}"


def film_deleted(moment: datetime) -> str:
    """Return the sentence that explains why a film can no longer be shown."""
    return (
        f"This film was deleted on {display_text.day(moment)} under the retention policy of this "
        "site. Its scores and reviews are kept."
    )


def person_name(patient_name: str) -> str:
    """Return the first script of a DICOM name (VR PN): ``Weiss^Anna`` as ``Weiss, Anna``."""
    groups = (
        [part.strip() for part in group.split("^")[:2] if part.strip()]
        for group in patient_name.split("=")
    )
    return next((", ".join(parts) for parts in groups if parts), "")


def file_name(source: str) -> str:
    """Return the last part of a path, whichever system wrote it."""
    return PurePosixPath(source.replace("\\", "/")).name or source


def films(number: int) -> str:
    """Return a number of films: ``1 film``, ``1,284 films``."""
    return f"{number:,} film{'' if number == 1 else 's'}"


def studies(number: int) -> str:
    """Return a number of studies: ``1 study``, ``1,284 studies``."""
    return f"{number:,} {'study' if number == 1 else 'studies'}"


def files(number: int) -> str:
    """Return a number of files: ``1 file``, ``200 files``."""
    return f"{number:,} file{'' if number == 1 else 's'}"


def tier(state: ScoringState | None, priority: Priority | None) -> str:
    """Return the name of a tier, with a mark that does not rely on colour."""
    if state is None:
        return NOT_YET_SCORED
    if state is not ScoringState.SCORED or priority is None:
        return NEEDS_A_PERSON
    return TIERS[priority]


def cause(bacterial_probability: float, viral_probability: float) -> str:
    """Return the name of the likelier cause."""
    return "bacterial" if bacterial_probability >= viral_probability else "viral"


def escape_markdown(text: str) -> str:
    """Escape Markdown, mathematics and Streamlit directives."""
    return "".join("\\" + letter if letter in MARKUP else letter for letter in text)
