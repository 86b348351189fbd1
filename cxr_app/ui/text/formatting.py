"""Numbers, times and states as a reader says them."""

from datetime import datetime, timedelta

from cxr_app.outcome import Priority, ScoringState

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

AGE_UNITS = {"D": "d", "W": "wk", "M": "mo", "Y": "y"}

TIERS = {Priority.HIGH: "● HIGH", Priority.MEDIUM: "◐ MEDIUM", Priority.LOW: "○ LOW"}
NEEDS_A_PERSON = "△ PERSON"
NOT_YET_SCORED = "… scoring"

MARKUP = frozenset("\\`*_{}[]()<>#+-.!|~$:&\"'")


def duration(waited: timedelta) -> str:
    """Say how long in the two units that matter: ``4 min``, ``2 h 57 min``, ``3 d 4 h``."""
    seconds = max(0, int(waited.total_seconds()))
    if seconds < MINUTE:
        return "< 1 min"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return f"{seconds // HOUR} h {seconds % HOUR // MINUTE:02d} min"
    return f"{seconds // DAY} d {seconds % DAY // HOUR} h"


def percent(probability: float) -> str:
    """Say a probability in whole percent; never ``0 %`` or ``100 %``, which no model may claim."""
    if probability <= 0.005:  # rounded to even, it would be 0
        return "< 1 %"
    if probability >= 0.995:
        return "> 99 %"
    return f"{probability * 100:.0f} %"


def age(patient_age: str) -> str:
    """Say a DICOM age string (VR AS): ``004Y`` is ``4 y``; what is no such string is empty."""
    number, unit = patient_age[:-1], AGE_UNITS.get(patient_age[-1:], "")
    return f"{int(number)} {unit}" if unit and number.isdecimal() else ""


def date(study_date: str) -> str:
    """Say a DICOM date (VR DA): ``20260102`` is ``2026-01-02``; what is no date is empty."""
    if len(study_date) != len("YYYYMMDD") or not study_date.isdecimal():
        return ""
    return f"{study_date[:4]}-{study_date[4:6]}-{study_date[6:]}"


def day(moment: datetime) -> str:
    """Say the day of a moment in the server's own time zone."""
    return moment.astimezone().strftime("%Y-%m-%d")


def film_deleted(moment: datetime) -> str:
    """Say why there is no film to see."""
    return (
        f"This film was deleted on {day(moment)} by the retention time of this site. "
        "Its scores and reviews are kept."
    )


def name(patient_name: str) -> str:
    """Say a DICOM person name (VR PN) by its first group: ``Weiss^Anna`` is ``Weiss, Anna``."""
    parts = [part.strip() for part in patient_name.split("=")[0].split("^")[:2]]
    return ", ".join(part for part in parts if part)


def films(number: int) -> str:
    """Count films: ``1 film``, ``1,284 films``."""
    return f"{number:,} film{'' if number == 1 else 's'}"


def files(number: int) -> str:
    """Count files: ``1 file``, ``200 files``."""
    return f"{number:,} file{'' if number == 1 else 's'}"


def tier(state: ScoringState | None, priority: Priority | None) -> str:
    """Name the tier, with a mark that does not rely on colour."""
    if state is None:
        return NOT_YET_SCORED
    if state is not ScoringState.SCORED or priority is None:
        return NEEDS_A_PERSON
    return TIERS[priority]


def cause(bacterial_probability: float, viral_probability: float) -> str:
    """Name the likelier cause."""
    return "bacterial" if bacterial_probability >= viral_probability else "viral"


def plain(text: str) -> str:
    """Keep a text from being read as Markdown, mathematics or a Streamlit directive."""
    return "".join("\\" + letter if letter in MARKUP else letter for letter in text)
