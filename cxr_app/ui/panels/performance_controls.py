"""The controls of the Model page: operating point, local prevalence and films per day."""

from functools import partial

import streamlit as st

from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui.text import performance_text

PREVALENCE = 10
FILMS_A_DAY = 300


def performance_controls(status: EngineStatus) -> tuple[float, float, float]:
    """Return threshold, prevalence and films per day as chosen by the reader."""
    left, middle, right = st.columns([5, 4, 2], gap="medium")
    with left:
        threshold = _choose_threshold(status)
    prevalence = middle.slider(
        "Prevalence of pneumonia here, %",
        1,
        90,
        PREVALENCE,
        key="prevalence",
        persist_state="session",
        help="Percentage of the films arriving here that show pneumonia.",
    )
    films = right.number_input(
        "Films per day", 1, 5000, FILMS_A_DAY, key="films_a_day", persist_state="session"
    )
    return threshold, prevalence / 100, float(films)


def _choose_threshold(status: EngineStatus) -> float:
    """Offer any threshold on a slider, and the named operating points as buttons."""
    points = status.operating_points
    named = {point.threshold for point in points.values()}
    options = sorted({number / 100 for number in range(1, 100)} | named)
    key = f"threshold_{status.model_version}"  # never carry a threshold over to another model
    threshold = st.select_slider(
        "Operating point",
        options,
        value=points["balanced"].threshold,
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
