"""Metrics, curves and subgroups of the model in use, measured on labelled films."""

from pathlib import Path

import numpy as np
import streamlit as st

from cxr_app.errors import ScoresError
from cxr_app.evaluation.metrics import Estimate
from cxr_app.evaluation.operating_curve import AtThreshold, OperatingCurve
from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.panels import performance_charts
from cxr_app.ui.panels.performance_controls import performance_controls
from cxr_app.ui.panels.queue_panel import queue_panel
from cxr_app.ui.text import formatting, performance_text

CHART = {"displayModeBar": False}


def performance_panel(status: EngineStatus, checkpoint: Path) -> None:
    """Show the performance of the model, or explain what is missing."""
    try:
        curve = resources.operating_curve(checkpoint, status.file_version, status.site_prevalence)
    except ScoresError as error:
        st.info(formatting.escape_markdown(str(error)))
        return
    _describe_films(curve)
    if status.site_prevalence is not None:
        st.caption(performance_text.site_prevalence(curve.scores, status.site_prevalence[1]))
    if np.isnan(curve.auroc.value):
        st.info("These films are all of one class. Films with and without pneumonia are needed.")
        return
    above = st.container()
    threshold, prevalence, films_a_day = performance_controls(status)
    here = curve.at(threshold)
    with above:
        _metrics(curve, here, prevalence, films_a_day)
    _consequences(here, status)
    _curves(curve, here, status)
    queue_panel(curve.scores, threshold, status, prevalence, films_a_day)
    _subgroups(curve, here)


def _describe_films(curve: OperatingCurve) -> None:
    """Show which films the metrics are from."""
    scores = curve.scores
    patients = len(np.unique(scores.patients))
    data, partition = map(formatting.escape_markdown, (scores.data, scores.partition))
    st.caption(
        f"Computed from {formatting.films(len(scores.truth))} of {patients:,} patients with known "
        f"labels ({data}, {partition}). Intervals are 95 %, from a bootstrap over patients. "
        "Performance on films like the training films is optimistic; expect it to be lower "
        "elsewhere."
    )


def _metrics(
    curve: OperatingCurve, here: AtThreshold, prevalence: float, films_a_day: float
) -> None:
    """Show the metrics at this operating point and prevalence."""
    expected = curve.at_prevalence(here.threshold, prevalence, films_a_day)
    at = f"at {prevalence * 100:.0f} %"
    row = st.columns(6)

    def show(place: int, label: str, value: str, interval: str) -> None:
        row[place].metric(label, value, interval, delta_color="off", delta_arrow="off")

    def show_percentage(place: int, label: str, estimate: Estimate) -> None:
        interval = performance_text.percentage_interval(estimate)
        show(place, label, performance_text.percentage(estimate.value), interval)

    area = curve.auroc
    show(0, "AUROC", performance_text.ratio(area.value), performance_text.ratio_interval(area))
    show_percentage(1, "Sensitivity", here.sensitivity)
    show_percentage(2, "Specificity", here.specificity)
    show_percentage(3, f"PPV {at}", expected.ppv)
    show_percentage(4, f"NPV {at}", expected.npv)
    alerts = expected.alerts_a_day
    interval = performance_text.count_interval(alerts)
    show(5, "Alerts per day", performance_text.count(alerts.value), interval)


def _consequences(here: AtThreshold, status: EngineStatus) -> None:
    """Show the counts at this operating point, and that the worklist is not affected."""
    counts = here.counts
    with_pneumonia = counts.true_positive + counts.false_negative
    without = counts.true_negative + counts.false_positive
    in_use = status.operating_points["balanced"].threshold
    st.caption(
        f"Of these films, {counts.true_positive:,} of {with_pneumonia:,} with pneumonia are "
        f"flagged and {counts.false_negative:,} missed; {counts.false_positive:,} of {without:,} "
        "without pneumonia are flagged. Moving the operating point here changes nothing in the "
        f"worklist, where films are flagged from {performance_text.percentage(in_use)}."
    )


def _curves(curve: OperatingCurve, here: AtThreshold, status: EngineStatus) -> None:
    """Draw discrimination and calibration."""
    left, right = st.columns(2, gap="medium")
    points = {
        performance_text.POINTS[name]: curve.at(point.threshold)
        for name, point in status.operating_points.items()
    }
    left.header("ROC curve with 95 % band", anchor=False)
    left.plotly_chart(
        performance_charts.roc(curve, here, points),
        key="roc",
        config=CHART,
        alt="ROC curve: sensitivity against the false positive rate",
    )
    left.caption("◇ operating point selected above; ○ named operating points.")
    right.header("Calibration: predicted against observed", anchor=False)
    right.plotly_chart(
        performance_charts.reliability(curve.reliability()),
        key="reliability",
        config=CHART,
        alt="Observed frequency of pneumonia by predicted probability; bars count the films",
    )
    error = curve.calibration_error
    right.caption(
        f"Expected calibration error {performance_text.ratio(error.value)} "
        f"({performance_text.ratio_interval(error)}); bars count the films in each bin."
    )


def _subgroups(curve: OperatingCurve, here: AtThreshold) -> None:
    """Show sensitivity and specificity of subgroups with enough films."""
    st.header("Subgroups", anchor=False)
    found = curve.groups(here.threshold)
    st.table(performance_text.group_rows(found), hide_index=True, border="horizontal")
    if not {group.by for group in found} - {"", "cause"}:
        st.caption("Age, sex and view are not shown: these films have no DICOM header.")
