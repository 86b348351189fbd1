"""The template of the site: shown, checked when it is changed, and applied to a film.

A template is text with the marks of Jinja, which a site may change. It is applied in a sandbox: it
can name the values of `ReportFacts` and the attributes of `Header`, and nothing of the program.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cxr_app import display_text
from cxr_app.atomic_file import atomic_write
from cxr_app.errors import ReportError
from cxr_app.radiograph import Header
from cxr_app.reports.facts import ReportFacts, facts_of
from cxr_app.worklist import Entry

PROJECT_TEMPLATE = Path(__file__).parent / "report.txt.jinja"
FILE_NAME = "report.txt.jinja"
LONGEST = 20_000
"""Most characters of a template; a report is a page."""


def site_template(data_dir: Path) -> str:
    """Return the template of the site, or that of the project where the site has none."""
    own = data_dir / FILE_NAME
    return (own if own.exists() else PROJECT_TEMPLATE).read_text(encoding="utf-8")


def save_template(data_dir: Path, template: str) -> None:
    """Make a text the template of the site, if a report can be made by it; empty for the project's.

    Raises
    ------
    ReportError
        If it is no template, names something that no film has, or is too long.
    """
    own = data_dir / FILE_NAME
    if not template.strip():
        own.unlink(missing_ok=True)
        return
    if len(template) > LONGEST:
        raise ReportError(f"The template has more than {LONGEST:,} characters. Shorten it.")
    for facts in _SAMPLES:
        report_text(template, facts)
    atomic_write(own, template)


def report_text(template: str, facts: ReportFacts) -> str:
    """Apply a template to a film.

    Returns
    -------
    str
        Without blank lines at its ends, and with at most one between paragraphs.

    Raises
    ------
    ReportError
        If it is no template, or names something that no film has.
    """
    try:
        text = _compiled(template).render(**_values(facts))
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" in line {line}" if line else ""
        raise ReportError(
            f"The template cannot be used{where}: {_reason(error)}. Correct it, or empty it to "
            "have the program's own."
        ) from None
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
    return "\n".join(kept)


def names() -> list[str]:
    """Return every name that a template can use."""
    own = [each.name for each in fields(ReportFacts) if each.name != "header"]
    return sorted([*own, *(each.name for each in fields(Header))])


@lru_cache(maxsize=8)
def _compiled(template: str) -> Template:
    """Compile a template; a film page applies the same one again and again."""
    return _environment().from_string(template)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=False)
    environment.filters.update(_FILTERS)
    return environment


def _values(facts: ReportFacts) -> dict[str, Any]:
    own = {
        each.name: getattr(facts, each.name)
        for each in fields(ReportFacts)
        if each.name != "header"
    }
    return own | {each.name: getattr(facts.header, each.name) for each in fields(Header)}


def _reason(error: Exception) -> str:
    """Return what a template is wrong in; its words are the site's, not a patient's."""
    if isinstance(error, TemplateError):
        return (error.message or type(error).__name__).rstrip(".")
    return f"a value is used in a way that it does not allow ({type(error).__name__})"


def _date(value: str) -> str:
    """Return a DICOM date (VR DA) as ``YYYY-MM-DD``; other text unchanged."""
    is_date = len(value) == len("YYYYMMDD") and value.isdecimal()
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if is_date else value


def _person(value: str) -> str:
    """Return a DICOM name (VR PN) in its first script, ``Weiss^Anna`` as ``Weiss, Anna``."""
    scripts = (each for each in value.split("=") if each.strip("^ "))
    parts = next(scripts, "").split("^")
    return ", ".join(filter(None, (parts[0].strip(), " ".join(filter(None, parts[1:])).strip())))


_FILTERS: dict[str, Callable[..., str]] = {
    "date": _date,
    "person": _person,
    "percent": display_text.percent,
    "moment": display_text.timestamp,
}
_MOMENT = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
EXAMPLE = ReportFacts(
    header=Header(
        patient_id="P-1",
        patient_name="Example^Ada",
        patient_age="041Y",
        patient_sex="F",
        accession_number="A-1",
        study_date="20260102",
        study_time="0915",
        modality="DX",
        view_position="PA",
    ),
    verdict="pneumonia",
    cause="bacterial",
    reader="Dr Example",
    read_at=_MOMENT,
    comments=("Left base.",),
    taken_at=_MOMENT,
    compared_with="20251001",
    compared_at="no pneumonia",
    flagged=True,
    probability=0.93,
    threshold=0.47,
    model_version="example-00000000",
    zones=("left lower",),
    attested=False,
    measurements=("cardiothoracic ratio 0.48",),
)
"""A made-up film with a value of each kind."""
_SAMPLES = (facts_of(Entry("0" * 32, "0" * 64, "", Path(), _MOMENT), []), EXAMPLE)
"""Films that a changed template must make a report of; the first has nothing but an arrival."""
