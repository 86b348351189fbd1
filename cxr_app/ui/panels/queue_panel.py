"""Simulation of waiting times on the Model page, by reading order."""

from dataclasses import replace

import streamlit as st

from cxr_app.evaluation.queue_simulation import Mix, Room, Spread, span_for
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.panels import performance_charts
from cxr_app.ui.text import formatting, performance_text
from cxr_app.ui.text.performance_text import Waits

MINUTES_A_FILM = 4.0
SHORTEST_CAP = 0.1
"""Shortest waiting cap that can be chosen, in hours."""
SPREADS: tuple[Spread, ...] = ("exponential", "lognormal")


@st.fragment
def queue_panel(
    scores: FilmScores,
    threshold: float,
    status: EngineStatus,
    prevalence: float,
    films_a_day: float,
) -> None:
    """Simulate waiting times for each reading order."""
    st.header("Waiting times", anchor=False)
    room = _choose_room(prevalence, films_a_day)
    balanced = replace(status.operating_points["balanced"], threshold=threshold)
    points = {**status.operating_points, "balanced": balanced}
    mix = Mix(scores.pneumonia, scores.truth, points)
    found = resources.simulation(room, mix, f"{status.model_version} {points}")
    if room.load >= 1:
        st.warning(
            f"More films arrive than can be read: the readers would need {room.load:.0%} of their "
            "time, and waiting times grow every day. The results hold for these days only."
        )
    st.markdown(performance_text.summary(found))
    st.plotly_chart(
        performance_charts.waits(found),
        key="waits",
        config={"displayModeBar": False},
        alt="Waiting times by kind of film and reading order",
    )
    st.caption("| median, ● mean, ◇ 95th percentile, ▶ longest, with 95 % intervals.")
    st.table(performance_text.wait_rows(found), hide_index=True, border="horizontal")
    st.caption(_assumptions(found, room))


def _assumptions(found: Waits, room: Room) -> str:
    """Return what the simulation assumes, and how its results are to be read."""
    span = span_for(room)
    measured = (
        f"measured from the start, with {formatting.films(room.backlog)} waiting"
        if room.backlog
        else f"measured after the first {span.warm_up:g} days"
    )
    hours = "" if room.hours_a_day == 24 else f" in the first {room.hours_a_day:g} h of each day"
    return (
        f"{span.replications} simulated runs of {span.days:.3g} days, {measured}; readers are busy "
        f"{min(room.load, 1):.0%} of the time. Films arrive at random around the clock and are "
        f"read{hours}; probabilities are drawn from the films above by class; every order reads "
        "the same films. *Longest* is the mean over runs of the longest wait. The intervals "
        "reflect the randomness of the simulation, not of the model. "
        f"{performance_text.cap_note(found, room)}"
    )


def _choose_room(prevalence: float, films_a_day: float) -> Room:
    """Return the simulated reading room as chosen by the reader."""
    row = st.columns(6, vertical_alignment="bottom")
    readers = row[0].number_input(
        "Readers on duty", 1, 50, 1, key="readers", persist_state="session"
    )
    minutes = row[1].number_input(
        "Minutes per film", 0.2, 60.0, MINUTES_A_FILM, 0.5, key="minutes", persist_state="session"
    )
    spread = row[2].selectbox(
        "Reading time distribution", SPREADS, key="spread", persist_state="session"
    )
    in_use = max(SHORTEST_CAP, resources.settings().waiting_cap_hours)
    cap = row[3].number_input(
        "Waiting cap, h", SHORTEST_CAP, None, in_use, 1.0, key="cap_hours", persist_state="session"
    )
    backlog = row[4].number_input("Backlog", 0, 5000, 0, 50, key="backlog", persist_state="session")
    hours = row[5].number_input(
        "Reading hours per day", 1.0, 24.0, 24.0, 1.0, key="hours", persist_state="session"
    )
    return Room(films_a_day, readers, minutes, prevalence, cap, spread, backlog, hours)
