"""The report as a single page: no server, no network, and no patient's name."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

from cxr_app.evaluation.operating_curve import FEWEST
from cxr_app.prediction import OperatingPoint
from training.measure.predictions import Predictions
from training.report import report_charts
from training.report.misclassified import WrongFilm

HEADLINE = (
    ("auroc", "AUROC"),
    ("accuracy", "Accuracy"),
    ("sensitivity", "Sensitivity"),
    ("specificity", "Specificity"),
    ("ppv", "PPV, these films"),
    ("f1", "F1"),
    ("ece", "Calibration error"),
    ("bacterial_vs_viral_auroc", "Bacterial v. viral, AUROC"),
)
_CONFIG = {"displaylogo": False, "responsive": True, "displayModeBar": False}


def render(
    report: Mapping[str, Any],
    scored: Predictions,
    points: Sequence[OperatingPoint],
    wrong: tuple[Sequence[WrongFilm], Sequence[WrongFilm]],
    *,
    prevalence_given: bool,
) -> str:
    """Render the page.

    Parameters
    ----------
    report
        The content of report.json.
    scored
        The predictions that it is about.
    points
        The checkpoint's operating points.
    wrong
        The missed and the falsely flagged films.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
    )
    missed, alarms = wrong
    return environment.get_template("report_page.html.jinja").render(
        report={"comparison": None, "shortcuts": None, "explanation": None, **report},
        headline=HEADLINE,
        figures={
            name: _inline(figure, name) for name, figure in _figures(report, scored, points).items()
        },
        plotly=get_plotlyjs(),
        made_on=f"{datetime.now(UTC):%d %B %Y}",
        prevalence_given=prevalence_given,
        fewest=FEWEST,
        galleries=(
            ("Missed", missed, "No film with pneumonia was missed."),
            ("Falsely flagged", alarms, "No film without pneumonia was flagged."),
        ),
    )


def _figures(
    report: Mapping[str, Any], scored: Predictions, points: Sequence[OperatingPoint]
) -> dict[str, go.Figure]:
    """Draw every figure of the page."""
    measured = report["operating_points"]
    drawn = {
        "roc": report_charts.receiver_operating_characteristic(scored, points, measured),
        "precision_recall": report_charts.precision_recall(scored),
        "reliability": report_charts.reliability_diagram(scored),
        "confusion": report_charts.confusion_matrix(measured[0]["counts"]),
        "by_class": report_charts.histogram(scored, points, by_cause=False),
        "by_cause": report_charts.histogram(scored, points, by_cause=True),
        "prevalence": report_charts.values_by_prevalence(measured[0]),
    }
    if explanation := report.get("explanation"):
        for kind, verb in (("deletion", "hidden"), ("insertion", "shown")):
            drawn[kind] = report_charts.perturbation(verb, explanation["faithfulness"][kind])
    return drawn


def _inline(figure: go.Figure, name: str) -> str:
    """Return a figure as HTML for a page that already has Plotly's script."""
    text: str = figure.to_html(
        full_html=False, include_plotlyjs=False, config=_CONFIG, div_id=f"figure-{name}"
    )
    return text
