"""The controls of the Drift page: weeks, model, reference and group of films."""

from dataclasses import dataclass
from datetime import date

import streamlit as st

from cxr_app.errors import ScoresError
from cxr_app.evaluation.drift_changes import Reference, first_weeks, most_films_first
from cxr_app.evaluation.drift_films import DriftFilms, SenderFact, monday, week_of
from cxr_app.ui import resources
from cxr_app.ui.text import drift_text, formatting

WEEKS = (13, 26, 52, 104)
FIRST_WEEKS, OWN_FILMS, PERIOD = "Its first weeks here", "Its test films", "A period"
EVERY_MODEL = ""
ALL_FILMS = "All films"


@dataclass(frozen=True, slots=True)
class DriftChoice:
    """What a person wants to see.

    Parameters
    ----------
    weeks
        Shown on the charts.
    model
        Whose scores are followed; empty for all.
    sender
        By which films are grouped.
    group
        The sender whose films are on the charts; None for all films.
    """

    weeks: range
    model: str
    reference: Reference
    sender: SenderFact
    group: str | None


def drift_controls(films: DriftFilms, today: date) -> DriftChoice:
    """Show the controls, and return what they say."""
    left, middle, right, by, whose = st.columns([2, 3, 3, 3, 3])
    number = left.selectbox("Weeks", WEEKS, index=1, key="drift_weeks", persist_state="session")
    model = middle.selectbox(
        "Model",
        _models(films),
        format_func=lambda name: name or "All models",
        key="drift_model",
        persist_state="session",
        help="Whose scores and flags are counted. Films keep the score of their model.",
    )
    with right:
        reference = _choose_reference(films, model, today)
    sender = by.selectbox(
        "Senders by",
        tuple(SenderFact),
        index=0,
        format_func=drift_text.SENDERS.__getitem__,
        key="drift_sender",
        persist_state="session",
    )
    chosen = sender or SenderFact.STATION
    with whose:
        group = _choose_group(films, chosen)
    end = week_of(today) + 1
    return DriftChoice(range(end - number, end), model, reference, chosen, group)


def _choose_group(films: DriftFilms, sender: SenderFact) -> str | None:
    """Offer the senders; return the chosen one, or None for all films."""
    chosen: str | None = st.selectbox(
        "On the charts",
        [None, *most_films_first(films.senders[sender])],
        format_func=lambda name: ALL_FILMS if name is None else name or drift_text.NOT_STATED,
        key=f"drift_group_{sender}",
    )
    return chosen


def _models(films: DriftFilms) -> list[str]:
    """Return the models, the one in use first if it has scored any film."""
    in_use = resources.engine().status().model_version
    found = sorted(filter(None, films.model.names), key=lambda name: (name != in_use, name))
    return [*found, EVERY_MODEL]


def _choose_reference(films: DriftFilms, model: str, today: date) -> Reference:
    """Offer what scores are compared with."""
    offered = [FIRST_WEEKS, PERIOD]
    is_in_use = bool(model) and model == resources.engine().status().model_version
    if is_in_use:
        offered.insert(1, OWN_FILMS)
    chosen = st.selectbox(
        "Compared with",
        offered,
        key="drift_reference",
        persist_state="session",
        help="PSI and KS say how far the scores of a week have moved from the scores of these "
        "films. The test films have another share of pneumonia than yours, so that a distance "
        "from them says little unless it changes.",
    )
    if chosen == OWN_FILMS:
        return _own_films()
    if chosen == PERIOD:
        return _period(films, today)
    return Reference(first_weeks(films, model))


def _own_films() -> Reference:
    status = resources.engine().status()
    if status.checkpoint is None:
        return Reference()
    try:
        curve = resources.operating_curve(
            status.checkpoint, status.file_version, status.site_prevalence
        )
    except ScoresError as error:
        st.caption(formatting.escape_markdown(str(error)))
        return Reference()
    return Reference(scores=curve.scores.pneumonia)


def _period(films: DriftFilms, today: date) -> Reference:
    first = monday(int(films.week.min()))
    given = st.date_input(
        "Period",
        (first, min(today, monday(int(films.week.min()) + 8))),
        min_value=first,
        max_value=today,
        key="drift_period",
        help="Whole weeks, from Monday.",
    )
    if not isinstance(given, tuple) or len(given) < 2:
        return Reference()  # the second day is not chosen yet
    return Reference(range(week_of(given[0]), week_of(given[1]) + 1))
