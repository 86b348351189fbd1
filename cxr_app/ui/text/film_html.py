"""What stands beside a film, as HTML in which every word from a file is only ever text.

Facts go in as values and come out escaped; nothing here reads the worklist or draws on the page.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import PurePosixPath

from cxr_app.radiograph import Header
from cxr_app.scoring import EngineStatus
from cxr_app.ui.text import formatting
from cxr_app.worklist import Claim, Entry, Review, Score, Verdict

VERDICTS = {
    Verdict.AGREE: "agrees",
    Verdict.DISAGREE: "disagrees",
    Verdict.UNUSABLE: "finds the film not usable",
}
SEXES = {"F": "female", "M": "male", "O": "other"}


def heading(entry: Entry) -> str:
    """Say whose film it is; without a DICOM header, which file it came as."""
    if entry.header is None:
        title, rest = _file_name(entry.source) or "No name", ["no DICOM header"]
    else:
        title, rest = _patient(entry.header), _study(entry.header)
    return f'<h2 class="film-title">{escape(title)}</h2><p class="quiet">{_joined(rest)}</p>'


def verdict(entry: Entry) -> str:
    """Say what the model says of a scored film: flag, tier, probability and what it means."""
    probability, threshold = entry.pneumonia_probability, entry.threshold
    if probability is None or threshold is None or entry.flagged is None:
        return ""
    flag = "Flagged" if entry.flagged else "Not flagged"
    tier = formatting.tier(entry.state, entry.priority)
    return (
        f'<div class="verdict {"flagged" if entry.flagged else "clear"}">'
        f'<p class="state"><b>{flag}</b><span>{escape(tier)}</span></p>'
        f'<p class="probability">{_percent(probability)}<small>pneumonia</small></p>'
        f"{_bar(probability, threshold)}"
        f"<p>{_reaches(probability, threshold, flagged=entry.flagged)}</p>"
        f"{_causes(entry)}</div>"
    )


def refusal(entry: Entry) -> str:
    """Say why a film has no probability and who must look."""
    return (
        '<div class="verdict person"><p class="state"><b>△ Needs a person</b></p>'
        f"<p>{escape(entry.reason)}</p>"
        '<p class="quiet">No model has judged this film.</p></div>'
    )


def pending(message: str, *, active: bool) -> str:
    """Say that a film has no score yet."""
    mark = '<i class="busy" aria-hidden="true"></i>' if active else "△ "
    return f'<div class="verdict"><p class="state" role="status">{mark}{escape(message)}</p></div>'


def provenance(entry: Entry, status: EngineStatus, now: datetime) -> str:
    """Say how long the film has waited, which model spoke, and whether another is in use now."""
    rows = [("Read", _moment(entry.read_at)), ("Read by", entry.read_by)] if entry.read_at else []
    if not entry.read_at:
        rows.append(("Waiting", formatting.duration(now - entry.received_at)))
    if entry.model_version:
        rows += [("Model", entry.model_version), ("Scored", _moment(entry.scored_at))]
    if entry.model_version and status.model_version not in ("", entry.model_version):
        rows.append(("In use now", f"{status.model_version}, another model"))
    rows.append(("Device", status.device_name))
    return _table(rows)


def history(scores: Sequence[Score]) -> str:
    """List what was said of the film before, newest first; empty where nothing was.

    Parameters
    ----------
    scores
        Newest first; the first is the present one.
    """
    earlier = [(score.model_version or "No model", _past(score)) for score in scores[1:]]
    return f'<p class="quiet">Earlier scores</p>{_table(earlier)}' if earlier else ""


def held(claim: Claim) -> str:
    """Say who has the film open."""
    since = claim.since.astimezone().strftime("%H:%M")
    return (
        f'<div class="verdict person"><p class="state"><b>△ Open with {escape(claim.reader)}</b>'
        f"<span>since {since}</span></p>"
        "<p>What you say of it now would stand beside what is being said there.</p></div>"
    )


def reviews(said: Sequence[Review]) -> str:
    """List what readers said of the film, newest first."""
    lines = "".join(f"<li>{_said(review)}</li>" for review in said)
    return f'<ul class="reviews">{lines}</ul>'


def day(entry: Entry) -> str:
    """Say the day of a film: of its study, else of its arrival."""
    return formatting.date(entry.header.study_date if entry.header else "") or _moment(
        entry.received_at
    )


def caption(entry: Entry) -> str:
    """Say in a line which of two films this is, and what the model said of it."""
    told = [day(entry), entry.header.view_position if entry.header else ""]
    if entry.pneumonia_probability is not None:
        flag = "flagged" if entry.flagged else "not flagged"
        told.append(f"{formatting.percent(entry.pneumonia_probability)}, {flag}")
    return f'<p class="quiet">{_joined(told)}</p>'


def facts(entry: Entry) -> str:
    """List what the file says of itself."""
    size = f"{entry.rows} × {entry.columns}" if entry.rows else ""
    named = [("SHA-256", entry.sha256[:12]), ("Entry", entry.id[:8])]
    came = [("File", _file_name(entry.source)), ("Format", entry.file_format)]
    if entry.header is None:
        return _table([*came, ("Rows × columns", size), *named])
    return _table([*_dicom(entry.header), ("Rows × columns", size), *came, *named])


def deleted(moment: datetime) -> str:
    """Say that the film is no longer kept."""
    return remarks([formatting.film_deleted(moment)])


def remarks(sentences: Iterable[str]) -> str:
    """List what a reader should know of this film."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="remarks">{items}</ul>' if items else ""


def _percent(probability: float) -> str:
    """Say a probability; some of them hold a ``<``."""
    return escape(formatting.percent(probability))


def _patient(header: Header) -> str:
    known = [formatting.name(header.patient_name), header.patient_id]
    return " · ".join(filter(None, known)) or "No patient ID"


def _study(header: Header) -> list[str]:
    return [
        formatting.age(header.patient_age),
        SEXES.get(header.patient_sex, ""),
        header.view_position,
        f"{formatting.date(header.study_date)} {_clock(header.study_time)}".strip(),
        header.accession_number and f"accession {header.accession_number}",
    ]


def _dicom(header: Header) -> list[tuple[str, str]]:
    return [
        ("Patient ID", header.patient_id),
        ("Patient name", formatting.name(header.patient_name)),
        ("Birth date", formatting.date(header.patient_birth_date)),
        ("Age", formatting.age(header.patient_age)),
        ("Sex", SEXES.get(header.patient_sex, header.patient_sex)),
        ("Accession number", header.accession_number),
        ("Study date", f"{formatting.date(header.study_date)} {_clock(header.study_time)}".strip()),
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
    ]


def _clock(study_time: str) -> str:
    """Say a DICOM time (VR TM): ``081400.5`` is ``08:14``."""
    hours, minutes = study_time[:2], study_time[2:4]
    return f"{hours}:{minutes}" if (hours + minutes).isdecimal() and minutes else ""


def _bar(probability: float, threshold: float) -> str:
    told = f"{_percent(probability)}, operating point {_percent(threshold)}"
    return (
        f'<div class="bar" role="img" aria-label="{told}">'
        f'<i style="width:{probability * 100:.1f}%"></i>'
        f'<b style="left:{threshold * 100:.1f}%"></b></div>'
        f'<p class="scale"><span style="left:{threshold * 100:.1f}%">▲ {_percent(threshold)}'
        "</span></p>"
    )


def _reaches(probability: float, threshold: float, *, flagged: bool) -> str:
    here, there = _percent(probability), _percent(threshold)
    if here == there:  # the same in whole percent: say what decides
        here, there = f"{probability * 100:.2f} %", f"{threshold * 100:.2f} %"
    if flagged:
        return (
            f"Flagged: {here} reaches the operating point of {there}. "
            "Read it before films that are not flagged."
        )
    return (
        f"Not flagged: {here} is below the operating point of {there}. Pneumonia is not ruled out."
    )


def _causes(entry: Entry) -> str:
    bacterial, viral = entry.bacterial_probability, entry.viral_probability
    if bacterial is None or viral is None:
        return ""
    return f"<p>Bacterial <b>{_percent(bacterial)}</b> · viral <b>{_percent(viral)}</b></p>"


def _said(review: Review) -> str:
    """Say one review in a line, and its comment below."""
    parts = [VERDICTS[review.verdict]] if review.verdict else ["commented"]
    parts += [review.cause.value.lower()] if review.cause else []
    parts += ["heat seen before"] if review.verdict and review.heat_seen else []
    line = f"<b>{escape(review.reader)}</b> {_joined(parts)}"
    comment = f"<p>{escape(review.comment)}</p>" if review.comment else ""
    return f'{line}<br><span class="quiet">{_moment(review.reviewed_at)}</span>{comment}'


def _past(score: Score) -> str:
    told = "no probability"
    if score.pneumonia_probability is not None:
        flag = "flagged" if score.flagged else "not flagged"
        told = f"{formatting.percent(score.pneumonia_probability)} {flag}"
    return f"{told}, {_moment(score.scored_at)}"


def _moment(moment: datetime | None) -> str:
    """Say a moment in the server's own time zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def _file_name(source: str) -> str:
    return PurePosixPath(source.replace("\\", "/")).name or source


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(escape(part) for part in parts if part)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value
    )
    return f'<dl class="facts">{cells}</dl>'
