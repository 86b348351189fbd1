"""Model: what the model in use is worth here, at any operating point and any local prevalence."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from cxr_app.errors import ScoresError
from cxr_app.evaluation.metrics import Estimate
from cxr_app.evaluation.operating_curve import AtThreshold, OperatingCurve
from cxr_app.scoring import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels import performance_charts
from cxr_app.ui.panels.queue import reading_room
from cxr_app.ui.text import agreement_text, formatting, performance_text

PREVALENCE = 10
FILMS_A_DAY = 300
LOOK_SECONDS = 1.0
FIGURE = {"displayModeBar": False}
LOOK = """<style>
/* What is scrolled away does not lie under the banner. */
.stMain { margin-top: 1.9rem; height: calc(100% - 1.9rem); }
.stMainBlockContainer { padding-top: 0.5rem; }
.st-key-named_points { margin-top: -1.4rem; }
.stMain [data-testid="stMetricValue"] { line-height: 1.2; }
.stMain [data-testid="stMetricDelta"] { background: none; padding: 0; }
</style>"""


def no_model(status: EngineStatus) -> None:
    """Say why there is nothing to tell, and when there will be."""
    if status.state == "loading":
        st.info("The model is being loaded. What it is worth is shown as soon as it is in.")
        st.fragment(wait_for_model)()
    else:
        st.info(
            "There is no model in use, so there is nothing to tell of it. The sidebar says why."
        )


def wait_for_model() -> None:
    """Draw the page anew as soon as the model is in."""
    if resources.engine().status().state != "loading":
        st.rerun()
    auto_refresh("wait_for_model", LOOK_SECONDS)


def where_from(curve: OperatingCurve) -> None:
    """Say which films the figures are from."""
    scores = curve.scores
    patients = len(np.unique(scores.patients))
    st.caption(
        f"Computed from {formatting.films(len(scores.truth))} of {patients:,} patients with known "
        f"labels ({formatting.plain(scores.data)}, {formatting.plain(scores.partition)}). "
        "Intervals are 95 %, by drawing patients. Films like those of training flatter the model: "
        "elsewhere it will do worse."
    )


def choose_threshold(status: EngineStatus) -> float:
    """Let the reader move the operating point; the named ones are a click away."""
    points = status.operating_points
    named = {point.threshold for point in points.values()}
    options = sorted({number / 100 for number in range(1, 100)} | named)
    key = f"threshold_{status.model_version}"  # a threshold never meets another model
    in_use = points["balanced"].threshold
    threshold = st.select_slider(
        "Operating point",
        options,
        value=in_use,
        key=key,
        format_func=lambda value: performance_text.threshold(value, points),
        persist_state="session",
    )
    with st.container(horizontal=True, gap="small", key="named_points"):
        for name, point in points.items():
            label = performance_text.threshold(point.threshold, points)
            st.button(
                f"{label}, in use" if name == "balanced" else label,
                key=f"to_{name}",
                type="tertiary",
                on_click=partial(st.session_state.__setitem__, key, point.threshold),
            )
    return float(threshold)


def controls(status: EngineStatus) -> tuple[float, float, float]:
    """Ask for the operating point, the local prevalence and the films a day."""
    left, middle, right = st.columns([5, 4, 2], gap="medium")
    with left:
        threshold = choose_threshold(status)
    prevalence = middle.slider(
        "Films with pneumonia here, %",
        1,
        90,
        PREVALENCE,
        key="prevalence",
        persist_state="session",
        help="The local prevalence: of a hundred films that arrive, so many show pneumonia.",
    )
    films = right.number_input(
        "Films a day", 1, 5000, FILMS_A_DAY, key="films_a_day", persist_state="session"
    )
    return threshold, prevalence / 100, float(films)


def headline(
    curve: OperatingCurve, here: AtThreshold, prevalence: float, films_a_day: float
) -> None:
    """Show the figures at this operating point and prevalence."""
    worth = curve.at_prevalence(here.threshold, prevalence, films_a_day)
    at = f"at {prevalence * 100:.0f} %"
    row = st.columns(6)

    def show(place: int, label: str, value: str, interval: str) -> None:
        row[place].metric(label, value, interval, delta_color="off", delta_arrow="off")

    def show_share(place: int, label: str, estimate: Estimate) -> None:
        interval = performance_text.share_interval(estimate)
        show(place, label, performance_text.share(estimate.value), interval)

    area = curve.auroc
    show(0, "AUROC", performance_text.ratio(area.value), performance_text.ratio_interval(area))
    show_share(1, "Sensitivity", here.sensitivity)
    show_share(2, "Specificity", here.specificity)
    show_share(3, f"PPV {at}", worth.ppv)
    show_share(4, f"NPV {at}", worth.npv)
    alerts = worth.alerts_a_day
    show(
        5,
        "Alerts a day",
        performance_text.count(alerts.value),
        performance_text.count_interval(alerts),
    )


def consequences(here: AtThreshold, status: EngineStatus) -> None:
    """Say in counts what this operating point does, and that it does so nowhere else."""
    counts = here.counts
    ill, well = (
        counts.true_positive + counts.false_negative,
        counts.true_negative + counts.false_positive,
    )
    in_use = status.operating_points["balanced"].threshold
    st.caption(
        f"Of these films, {counts.true_positive:,} of {ill:,} with pneumonia are flagged and "
        f"{counts.false_negative:,} missed; {counts.false_positive:,} of {well:,} without it are "
        f"flagged. Moving the operating point here changes nothing in the worklist: films are "
        f"flagged from {performance_text.share(in_use)} on."
    )


def curves(curve: OperatingCurve, here: AtThreshold, status: EngineStatus) -> None:
    """Draw how well films are told apart, and how far a probability can be taken at its word."""
    left, right = st.columns(2, gap="medium")
    points = {
        performance_text.POINTS[name]: curve.at(point.threshold)
        for name, point in status.operating_points.items()
    }
    left.subheader("ROC, 95 % band", anchor=False)
    left.plotly_chart(
        performance_charts.roc(curve, here, points),
        key="roc",
        config=FIGURE,
        alt="Share of films with pneumonia that are flagged against that of films without",
    )
    right.subheader("Said against seen", anchor=False)
    right.plotly_chart(
        performance_charts.reliability(curve.reliability()),
        key="reliability",
        config=FIGURE,
        alt="How often films of a probability show pneumonia; bars count the films",
    )
    error = curve.calibration_error
    right.caption(
        f"Calibration error {performance_text.ratio(error.value)} "
        f"({performance_text.ratio_interval(error)}); bars count the films of each probability."
    )
    left.caption("◇ the operating point above; ○ the named ones.")


def groups(curve: OperatingCurve, here: AtThreshold) -> None:
    """Show the figures of groups of films, as far as there are enough of them."""
    st.subheader("Groups of films", anchor=False)
    found = curve.groups(here.threshold)
    st.table(performance_text.group_rows(found), hide_index=True, border="horizontal")
    if not {group.by for group in found} - {"", "cause"}:
        st.caption("Age, sex and view are not told: these films have no header that says them.")


def as_used_here(status: EngineStatus) -> None:
    """Say how flags and readers went together here, week by week."""
    st.subheader("As used here", anchor=False)
    weeks = resources.worklist().reviews.agreement(status.model_version)
    if not weeks:
        st.caption(
            "No reader has judged a flag of this model yet. Agree or disagree on the film page, "
            "and what that tells of the model is counted here, week by week."
        )
        return
    st.table(agreement_text.rows(weeks), hide_index=True, border="horizontal")
    st.caption(
        "Each film counts once, by the last verdict, in the week of that verdict (UTC); intervals "
        "are 95 % (Wilson), told from 30 films on. A reader who saw flag and heat before the "
        "verdict tends to follow them, and films that nobody judged are missing: read these "
        "figures as agreement, not as the truth."
    )


def caution() -> None:
    """Say how far all this may be trusted."""
    st.warning(
        "The shipped model learned from frontal films of children aged one to five. Films like "
        "those of training flatter a model: at another hospital, on another machine or at another "
        "age it will do worse, by an unknown amount. A local prevalence changes what a flag is "
        "worth; sensitivity and specificity are taken to be the same there, which nobody can "
        "promise. A film that is not flagged is not thereby free of disease.",
        icon=":material/warning:",
    )


def model_card(checkpoint: Path, model_version: str) -> None:
    """Show the model card that lies beside the checkpoint, if it is this model's."""
    card = checkpoint.with_name("README.md")
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    if model_version not in text:
        st.caption(
            f"No model card of {formatting.plain(model_version)} lies beside its checkpoint."
        )
        return
    with st.expander("Model card", icon=":material/description:"):
        st.markdown(text)


def worth(status: EngineStatus, checkpoint: Path) -> None:
    """Show what the model is worth, or say what is missing for that."""
    try:
        curve = resources.operating_curve(checkpoint, status.model_version)
    except ScoresError as error:
        st.info(formatting.plain(str(error)))
        return
    where_from(curve)
    if np.isnan(curve.auroc.value):
        st.info("These films are all of one kind. Films with and without pneumonia are needed.")
        return
    above = st.container()
    threshold, prevalence, films_a_day = controls(status)
    here = curve.at(threshold)
    with above:
        headline(curve, here, prevalence, films_a_day)
    consequences(here, status)
    curves(curve, here, status)
    reading_room(curve.scores, threshold, status, prevalence, films_a_day)
    groups(curve, here)


def page() -> None:
    """Show the page."""
    st.html(LOOK)
    st.title("What the model is worth here", anchor=False)
    status = resources.engine().status()
    if status.checkpoint is None:
        no_model(status)
        return
    worth(status, status.checkpoint)
    as_used_here(status)
    caution()
    model_card(status.checkpoint, status.model_version)


page()
