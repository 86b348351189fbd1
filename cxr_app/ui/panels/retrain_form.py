"""The form of the Retrain page: training films, a recipe and a button."""

from pathlib import Path

import streamlit as st

from cxr_app.jobs.allowed_folders import offered_films
from cxr_app.jobs.kinds import RETRAINING
from cxr_app.jobs.recipe_list import recipes, refused_recipes
from cxr_app.ui import resources
from cxr_app.ui.actions import show_problem
from cxr_app.ui.panels.job_card import start_job
from cxr_app.ui.text import job_text, retrain_text
from cxr_app.ui.text.formatting import escape_markdown
from cxr_app.worklist import ReviewedCounts

COUNT_SECONDS = 30
PLACE = "retrain_form"
REVIEWED = "reviewed films"
"""Option beside the folders; it cannot be mistaken for a folder's full path."""


def retrain_form() -> None:
    """Offer to start a retraining."""
    reviewed = _count_reviewed()
    usable = reviewed.usable
    roots = resources.settings().training_roots
    offered = [REVIEWED] if usable else []
    offered += [str(path) for path in offered_films(roots)]
    with st.container(border=True, key="retrain_form"):
        _choose_recipe()
        _choose_films(offered, usable, free_text=bool(roots))
        shortage = retrain_text.shortage(reviewed) if _only_reviewed() else ""
        if shortage:
            st.warning(shortage)
        st.button(
            "Start",
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            disabled=not offered or bool(shortage),
            width="stretch",
        )
    show_problem(PLACE)
    _explain(reviewed, has_films=bool(roots or usable))


@st.cache_data(show_spinner=False, ttl=COUNT_SECONDS)
def _count_reviewed() -> ReviewedCounts:
    """Count the films that readers have reviewed."""
    return resources.worklist().reviews.reviewed_counts()


def _only_reviewed() -> bool:
    return list(st.session_state.get("films", ())) == [REVIEWED]


def _choose_recipe() -> None:
    known = {recipe.name: recipe for recipe in recipes(resources.settings())}
    name = st.selectbox("Recipe", list(known), key="recipe", persist_state="session")
    jobs = resources.worklist().jobs.newest(RETRAINING)
    st.caption(escape_markdown(retrain_text.recipe(known[name], jobs)))
    for problem in refused_recipes(resources.settings()):
        st.info(escape_markdown(problem))


def _choose_films(offered: list[str], usable: int, *, free_text: bool) -> None:
    st.multiselect(
        "Films",
        offered,
        key="films",
        format_func=lambda each: (
            f"Reviewed films ({usable:,})" if each == REVIEWED else _short_path(each)
        ),
        placeholder="Choose, or type a full path" if free_text else "Choose",
        accept_new_options=free_text,
        persist_state="session",
        # Wrapped, it is taller while it has the focus: a click on Start would move Start away.
        wrap=False,
    )


def _short_path(path: str) -> str:
    """Return the last two parts of a path, which fit the form."""
    return job_text.readable("/".join(Path(path).parts[-2:]))


def _explain(reviewed: ReviewedCounts, *, has_films: bool) -> None:
    """Explain where training films come from, and how they are used."""
    if not has_films:
        st.info(
            "There are no training films yet. Reviews on the film page collect them. An "
            "administrator can also set `CXR_TRAINING_FOLDERS` to folders of labelled films."
        )
    st.caption(
        "Training runs in the background at low priority. Films already used for testing are "
        "never used for training. One patient in five is held out, two if there are few, always "
        "the same ones, to compare the challenger with the model in use."
    )
    st.caption(retrain_text.minimum())
    st.caption(retrain_text.point_films())
    st.caption(retrain_text.precision(reviewed.usable if _only_reviewed() else 0))
    if counted := retrain_text.reviewed(reviewed):
        st.caption(counted)


def _start() -> None:
    chosen = list(st.session_state["films"])
    start_job(
        RETRAINING,
        PLACE,
        data=[each for each in chosen if each != REVIEWED],
        reviewed=REVIEWED in chosen,
        recipe=st.session_state["recipe"],
    )
