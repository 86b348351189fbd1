"""The text beside a film, as HTML.

The templates of ``film.html.jinja`` escape every value; nothing here reads the worklist or draws.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cxr_app import display_text
from cxr_app.radiograph import Header
from cxr_app.reports.facts import verdict_words
from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui.text import formatting, pose_text
from cxr_app.worklist import Claim, Entry, Review, Score, Verdict

SEXES = {"F": "female", "M": "male", "O": "other"}

_macros = (
    Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    .get_template("film.html.jinja")
    .module
)


def heading(entry: Entry) -> str:
    """Return patient and study; without a DICOM header, the file name."""
    if entry.header is None:
        title, details = formatting.file_name(entry.source) or "No name", ["no DICOM header"]
    else:
        title, details = _patient(entry.header), _study(entry.header)
    return _render("heading", title, _joined(details))


def score(entry: Entry, heat: str = "") -> str:
    """Return flag, tier, probability and their meaning; empty if the film has no score.

    Parameters
    ----------
    heat
        Where the heat lies, in one sentence; empty to leave it out.
    """
    probability, threshold = entry.pneumonia_probability, entry.threshold
    if probability is None or threshold is None or entry.flagged is None:
        return ""
    return _render(
        "score",
        flagged=entry.flagged,
        flag="Flagged" if entry.flagged else "Not flagged",
        tier=formatting.tier(entry.state, entry.priority),
        probability=display_text.percent(probability),
        threshold=display_text.percent(threshold),
        values={"probability": probability * 100, "threshold": threshold * 100},
        conclusion=_conclusion(probability, threshold, flagged=entry.flagged),
        causes=_causes(entry),
        heat=heat,
    )


def refusal(entry: Entry) -> str:
    """Return why a film has no probability, and that a person must look at it."""
    return _render("refusal", entry.reason)


def pending(message: str, *, active: bool) -> str:
    """Return the state of a film that has no score yet."""
    return _render("pending", message, active)


def provenance(entry: Entry, status: EngineStatus, now: datetime) -> str:
    """Return waiting time, the model that scored the film, and whether another is in use now."""
    if entry.read_at:
        rows = [("Read", display_text.timestamp(entry.read_at)), ("Read by", entry.read_by)]
    else:
        rows = [("Waiting", formatting.duration(now - entry.waits_since))]
    rows += [("Taken", _taken(entry)), ("Arrived", display_text.timestamp(entry.received_at))]
    if entry.model_version:
        rows += [
            ("Model", entry.model_version),
            ("Scored", display_text.timestamp(entry.scored_at)),
        ]
    if entry.model_version and status.model_version not in ("", entry.model_version):
        rows.append(("In use now", f"{status.model_version}, another model"))
    rows.append(("Device", status.device_name))
    return _render("table", rows)


def _taken(entry: Entry) -> str:
    """Return when the film was taken, and what says so."""
    if entry.acquired_at is None:
        return "unknown; waiting counts from arrival"
    stated = entry.header is not None and entry.header.timezone_offset_from_utc
    zone = "" if stated else ", in this server's time zone"
    return f"{display_text.timestamp(entry.acquired_at)} (acquisition time in the header{zone})"


def history(scores: Sequence[Score]) -> str:
    """Return the earlier scores of a film; empty if there are none.

    Parameters
    ----------
    scores
        Newest first; the first is the current one.
    """
    earlier = [(each.model_version or "No model", _earlier_score(each)) for each in scores[1:]]
    return _render("table", earlier, caption="Earlier scores") if earlier else ""


def claimed(claim: Claim) -> str:
    """Return who has the film open."""
    return _render("claimed", claim.reader, display_text.clock(claim.since))


def reviews(given: Sequence[Review]) -> str:
    """Return the reviews of the film, newest first."""
    lines = [
        {
            "reader": review.reader,
            "summary": _summary(review),
            "moment": display_text.timestamp(review.reviewed_at),
            "comment": review.comment,
        }
        for review in given
    ]
    return _render("reviews", lines)


def day(entry: Entry) -> str:
    """Return the study date of a film or, if it is unknown, when it was received."""
    return _study_date(entry) or display_text.timestamp(entry.received_at)


def caption(entry: Entry) -> str:
    """Return a line that says whose film it is and when taken, for films side by side."""
    whose = _patient(entry.header) if entry.header else formatting.file_name(entry.source)
    when = f"{'study' if _study_date(entry) else 'arrived'} {day(entry)}"
    parts = [whose, when, entry.header.view_position if entry.header else ""]
    if entry.pneumonia_probability is not None:
        flag = "flagged" if entry.flagged else "not flagged"
        parts.append(f"{display_text.percent(entry.pneumonia_probability)}, {flag}")
    return _render("line", _joined(parts))


def small_picture(address: str) -> str:
    """Return a small picture of a film, by its address."""
    return _render("small_picture", address)


def films_in_study(number: int) -> str:
    """Return the line above the other films of a study."""
    return _render("line", f"{formatting.films(number)} in this study")


def study_film(entry: Entry) -> str:
    """Return in plain words which view a film of a study is, and what the program says of it."""
    view = entry.header.view_position if entry.header else ""
    view = view or ("lateral" if entry.needs_no_score else "view unknown")
    parts = [view, _study_film_state(entry), "read" if entry.read_at else ""]
    return _joined(parts)


def _study_film_state(entry: Entry) -> str:
    if entry.needs_no_score:
        return "needs no score"
    if entry.pneumonia_probability is None:
        return "being scored" if entry.state is None else "needs a person"
    flag = "flagged" if entry.flagged else "not flagged"
    return f"{flag}, {display_text.percent(entry.pneumonia_probability)}"


def details(entry: Entry) -> str:
    """Return what the file and its header contain."""
    size = f"{entry.rows} × {entry.columns}" if entry.rows else ""
    file = [("File", formatting.file_name(entry.source)), ("Format", entry.file_format)]
    ids = [("SHA-256", entry.sha256[:12]), ("Entry", entry.id[:8])]
    if entry.header is None:
        return _render("table", [*file, ("Rows × columns", size), *ids])
    return _render("table", [*_dicom(entry.header), ("Rows × columns", size), *file, *ids])


def deleted(moment: datetime) -> str:
    """Return the notice that the film is no longer kept."""
    return remarks([formatting.film_deleted(moment)])


def remarks(sentences: Iterable[str]) -> str:
    """Return the remarks on a film as a list."""
    return _render("remarks", list(sentences))


def _render(macro: str, *arguments: object, **options: object) -> str:
    return str(getattr(_macros, macro)(*arguments, **options))


def _patient(header: Header) -> str:
    known = [formatting.person_name(header.patient_name), header.patient_id]
    return _joined(known) or "No patient ID"


def _study(header: Header) -> list[str]:
    return [
        formatting.age(header.patient_age),
        SEXES.get(header.patient_sex, ""),
        header.view_position,
        (moment := _study_time(header)) and f"study {moment}",
        header.accession_number and f"accession {header.accession_number}",
    ]


def _dicom(header: Header) -> list[tuple[str, str]]:
    return [
        ("Patient ID", header.patient_id),
        ("Issuer of patient ID", header.issuer_of_patient_id),
        ("Patient name", formatting.person_name(header.patient_name)),
        ("Birth date", formatting.date(header.patient_birth_date)),
        ("Age", formatting.age(header.patient_age)),
        ("Sex", SEXES.get(header.patient_sex, header.patient_sex)),
        ("Accession number", header.accession_number),
        ("Study date", _study_time(header)),
        ("Study", header.study_description),
        ("Modality", header.modality),
        ("Body part", header.body_part_examined),
        ("View position", header.view_position),
        ("Orientation", header.patient_orientation),
        ("Photometric", header.photometric_interpretation),
        ("Bits stored", header.bits_stored),
        ("Transfer syntax", header.transfer_syntax),
        ("Institution", header.institution_name),
        ("Manufacturer", header.manufacturer),
        ("Station", header.station_name),
    ]


def _study_date(entry: Entry) -> str:
    return formatting.date(entry.header.study_date) if entry.header else ""


def _study_time(header: Header) -> str:
    """Return study date and time (VR DA and TM): ``081400.5`` is ``08:14``."""
    hours, minutes = header.study_time[:2], header.study_time[2:4]
    time = f"{hours}:{minutes}" if (hours + minutes).isdecimal() and minutes else ""
    return f"{formatting.date(header.study_date)} {time}".strip()


def _conclusion(probability: float, threshold: float, *, flagged: bool) -> str:
    value, limit = display_text.percent(probability), display_text.percent(threshold)
    if value == limit:  # equal in whole percent: show the digits that decide
        value, limit = f"{probability * 100:.2f} %", f"{threshold * 100:.2f} %"
    if flagged:
        return (
            f"Flagged: {value} reaches the operating point of {limit}. "
            "Read before films that are not flagged."
        )
    return (
        f"Not flagged: {value} is below the operating point of {limit}. Pneumonia is not ruled out."
    )


def _causes(entry: Entry) -> dict[str, str] | None:
    bacterial, viral = entry.bacterial_probability, entry.viral_probability
    if bacterial is None or viral is None:
        return None
    return {"bacterial": display_text.percent(bacterial), "viral": display_text.percent(viral)}


def _summary(review: Review) -> str:
    """Return a review in a line, without its comment."""
    if review.takes_back is not None:
        return "took the verdict back"
    parts = [_verdict(review)] if review.verdict else ["commented"]
    parts += [review.cause.value.lower()] if review.cause else []
    parts += ["settles it"] if review.settles else []
    parts += ["saw the heatmap first"] if review.verdict and review.heat_seen else []
    parts += ["taken back"] if review.is_taken_back else []
    return _joined(parts)


def _verdict(review: Review) -> str:
    """Return what a reader saw, and whether the flag says otherwise."""
    is_against = review.pneumonia is not None and review.verdict is Verdict.DISAGREE
    return verdict_words(review) + (", against the flag" if is_against else "")


def _earlier_score(earlier: Score) -> str:
    result = "no probability"
    if earlier.pneumonia_probability is not None:
        flag = "flagged" if earlier.flagged else "not flagged"
        result = f"{display_text.percent(earlier.pneumonia_probability)} {flag}"
    if earlier.pose is not None:
        result += f", on a reader's word {pose_text.pose_words(earlier.pose)}".rstrip()
    return f"{result}, {display_text.timestamp(earlier.scored_at)}"


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(filter(None, parts))
