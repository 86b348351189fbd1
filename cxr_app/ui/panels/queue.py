"""The part of the Model page that simulates how long films wait, by the order they are read in."""

from dataclasses import replace

import streamlit as st

from cxr_app.evaluation.queue_simulation import Mix, Room, Spread, span_for
from cxr_app.evaluation.reference_scores import FilmScores
from cxr_app.scoring import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.panels import performance_charts
from cxr_app.ui.text import formatting, performance_text

MINUTES_A_FILM = 4.0
SHORTEST_CAP = 0.1
"""Hours."""
SPREADS: tuple[Spread, ...] = ("exponential", "lognormal")


def ask_room(prevalence: float, films_a_day: float) -> Room:
    """Ask for what else a reading room is made of."""
    row = st.columns(6, vertical_alignment="bottom")
    readers = row[0].number_input(
        "Readers on duty", 1, 50, 1, key="readers", persist_state="session"
    )
    minutes = row[1].number_input(
        "Minutes a film", 0.2, 60.0, MINUTES_A_FILM, 0.5, key="minutes", persist_state="session"
    )
    spread = row[2].selectbox(
        "Reading times",
        SPREADS,
        key="spread",
        persist_state="session",
    )
    in_use = max(SHORTEST_CAP, resources.settings().waiting_cap_hours)
    cap = row[3].number_input(
        "Waiting cap, h", SHORTEST_CAP, None, in_use, 1.0, key="cap_hours", persist_state="session"
    )
    backlog = row[4].number_input("Backlog", 0, 5000, 0, 50, key="backlog", persist_state="session")
    hours = row[5].number_input(
        "Hours read a day", 1.0, 24.0, 24.0, 1.0, key="hours", persist_state="session"
    )
    return Room(films_a_day, readers, minutes, prevalence, cap, spread, backlog, hours)


@st.fragment
def reading_room(
    scores: FilmScores,
    threshold: float,
    status: EngineStatus,
    prevalence: float,
    films_a_day: float,
) -> None:
    """Simulate how long films wait in the orders they could be read in."""
    st.subheader("How long films wait", anchor=False)
    room = ask_room(prevalence, films_a_day)
    balanced = replace(status.operating_points["balanced"], threshold=threshold)
    points = {**status.operating_points, "balanced": balanced}
    mix = Mix(scores.pneumonia, scores.truth, points)
    found = resources.simulation(room, mix, f"{status.model_version} {points}")
    if room.load >= 1:
        st.warning(
            f"More films come than are read: the readers would need {room.load:.0%} of their "
            "time, and waits grow with every day. Take what is shown for these days alone."
        )
    st.markdown(performance_text.gist(found))
    st.plotly_chart(
        performance_charts.waits(found),
        key="waits",
        config={"displayModeBar": False},
        alt="Waits of films by kind and by the order they are read in",
    )
    st.caption("| median, ● mean, ◇ 95th percentile, ▶ longest, with 95 % intervals.")
    st.table(performance_text.wait_rows(found), hide_index=True, border="horizontal")
    span = span_for(room)
    counted = (
        f"counted from the start with {formatting.films(room.backlog)} waiting"
        if room.backlog
        else f"counted once {span.warm_up:g} days have passed"
    )
    read = "so" if room.hours_a_day == 24 else f"in the first {room.hours_a_day:g} h of a day"
    st.caption(
        f"{span.replications} simulated runs of {span.days:.3g} days, {counted}; readers busy "
        f"{min(room.load, 1):.0%} of the time. Films come at random times round the clock and are "
        f"begun {read}; probabilities are drawn from the films above by kind; every order reads "
        "the same films. *Longest* is the longest wait of a run, on average. The intervals hold "
        "the chance of the simulation, not that of the model. "
        f"{performance_text.cap_note(found, room)}"
    )
