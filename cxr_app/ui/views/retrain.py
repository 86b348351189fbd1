"""Retrain: a challenger from films of this site, beside the model in use; a person decides."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from cxr_app.errors import CxrError
from cxr_app.jobs.allowed_folders import offered_films
from cxr_app.jobs.kinds import BACKLOG, RETRAINING
from cxr_app.jobs.recipe_list import recipes, refused_recipes
from cxr_app.jobs.retraining import Challenger, Comparison
from cxr_app.promotion import checkpoint_in_use, go_back, promote
from cxr_app.ui import current_reader, masking, resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels.job_list import job_list, shown_job
from cxr_app.ui.panels.training_curves import training_curves
from cxr_app.ui.text import formatting, job_text, retrain_text
from cxr_app.worklist import Job, JobState, Promotion

ACTIVE_SECONDS = 2.0
QUIET_SECONDS = 5.0
COUNT_SECONDS = 30
MODELS_SHOWN = 8
REVIEWED = "reviewed films"
"""Stands among the folders; no folder's whole path can be called so."""


@st.cache_data(show_spinner=False, ttl=COUNT_SECONDS)
def reviewed_films() -> int:
    """Count the films that readers have judged."""
    return sum(1 for _ in resources.worklist().reviews.reviewed_films())


def form() -> None:
    """Offer to begin: films, a recipe, a button."""
    reviewed = reviewed_films()
    roots = resources.settings().training_roots
    offered = [REVIEWED] if reviewed else []
    offered += [str(path) for path in offered_films(roots)]
    with st.container(border=True, key="retrain_form"):
        known = {recipe.name: recipe for recipe in recipes(resources.settings())}
        name = st.selectbox("Recipe", list(known), key="recipe")
        st.caption(retrain_text.recipe(known[name]))
        for problem in refused_recipes(resources.settings()):
            st.caption(f"This recipe cannot be followed: {formatting.plain(problem)}")
        st.multiselect(
            "Films",
            offered,
            key="films",
            format_func=lambda each: (
                f"Reviewed films ({reviewed:,})" if each == REVIEWED else short(each)
            ),
            placeholder="Choose, or type a whole path" if roots else "Choose",
            accept_new_options=bool(roots),
            # Wrapped, it is taller while it has the focus: a click on Start would move Start away.
            wrap=False,
        )
        st.button(
            "Start",
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            on_click=begin,
            disabled=not offered,
            width="stretch",
        )
    say_problem("form")
    explain(roots, reviewed)


def short(path: str) -> str:
    """Name a folder by its last two parts, which fit the form."""
    return job_text.readable("/".join(Path(path).parts[-2:]))


def explain(roots: tuple[Path, ...], reviewed: int) -> None:
    """Say what can be chosen, and what will become of it."""
    if not roots and not reviewed:
        st.info(
            "There are no films to train on yet. Readers' reviews on the film page collect them. "
            "Whoever runs the server can also set `CXR_TRAINING_FOLDERS` to folders with labelled "
            "films."
        )
    st.caption(
        "It runs beside the reading, at low priority. Films once used for testing never enter "
        "training. One patient in five is kept back, always the same ones, to compare the "
        "challenger with the model in use. A reviewed pneumonia without a cause is left out, for "
        "the network learns causes."
    )


def begin() -> None:
    """Ask for a retraining of what is chosen now, and show it."""

    def start() -> None:
        chosen = list(st.session_state["films"])
        job = resources.supervisor().ask(
            RETRAINING,
            data=[each for each in chosen if each != REVIEWED],
            reviewed=REVIEWED in chosen,
            recipe=st.session_state["recipe"],
        )
        st.query_params["job"] = job.id

    act("form", start)


def act(where: str, what: Callable[[], None]) -> None:
    """Do what a button says; what stands in the way is said where the button is."""
    st.session_state["retrain_problem"] = {}
    try:
        what()
    except CxrError as error:
        st.session_state["retrain_problem"] = {where: str(error)}


def say_problem(where: str) -> None:
    """Say what stood in the way of the last click here."""
    if problem := st.session_state.get("retrain_problem", {}).get(where):
        st.error(formatting.plain(problem))


def challenger_of(job: Job) -> Challenger:
    """Find what a retraining has left."""
    return Challenger(resources.supervisor().place(job.id))


def card(job: Job) -> None:
    """Show a retraining: how far it is, its curves, what can be done with it."""
    with st.container(border=True, key="job", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            title = formatting.plain(f"{job.parameters['recipe']} on {retrain_text.films(job)}")
            st.markdown(f"**{title}**  \n:grey[{formatting.plain(retrain_text.standing(job))}]")
            st.space("stretch")
            buttons(job)
        say_ending(job)
        st.progress(retrain_text.share(job), formatting.plain(retrain_text.amount(job)))
        epochs = challenger_of(job).epochs()
        if epochs:
            figure = training_curves(epochs, job.progress.total)
            bar = {"displayModeBar": False}
            alt = "Training loss and AUROC, epoch by epoch"
            st.plotly_chart(figure, key="curves", config=bar, alt=alt)
        elif job.is_active:
            st.caption("The curves begin with the first epoch.")
        for sentence in retrain_text.uses(job.progress.counts):
            st.caption(formatting.plain(sentence))


def say_ending(job: Job) -> None:
    """Say why a retraining stands where it stands, where that needs a word."""
    say_problem("job")
    if job.state is JobState.FAILED:
        reason = job.message
        if masking.is_on() and "/" in reason:  # a film's path, and perhaps a patient's name
            reason = "A film cannot be used. Unmask identities to see which."
        st.error(formatting.plain(f"Not trained: {reason} Choose other films and start anew."))
    elif job.message:
        st.warning(formatting.plain(job.message))


def buttons(job: Job) -> None:
    """Offer what can be done with a retraining now."""
    supervisor = resources.supervisor()
    if job.is_active:
        cancel = partial(act, "job", partial(supervisor.cancel, job.id))
        st.button("Cancel", key="cancel", disabled=job.cancelling, on_click=cancel, width=110)
    elif job.state in (JobState.CANCELLED, JobState.INTERRUPTED):
        resume = partial(act, "job", partial(supervisor.ask_again, job.id))
        st.button("Resume", key="resume", type="primary", on_click=resume, width=110)


def comparison_card(job: Job) -> None:
    """Show the challenger beside the model that it was compared with, and let a person decide."""
    challenger = challenger_of(job)
    comparison = challenger.comparison
    if comparison is None:
        return
    with st.container(border=True, key="challenger", gap="small"):
        names = formatting.plain(f"{comparison.challenger} against {comparison.in_use}")
        st.markdown(f"**Challenger against the model in use**  \n:grey[{names}]")
        st.caption(formatting.plain(retrain_text.measured_on(comparison)))
        st.table(retrain_text.table(comparison), border="horizontal", hide_index=True)
        if caution := retrain_text.caution(comparison):
            st.caption(f"△ {formatting.plain(caution)}")
        if comparison.subgroups:
            with st.expander("Sensitivity at the balanced operating point, by group"):
                st.table(retrain_text.groups(comparison), border="horizontal", hide_index=True)
        lines = [formatting.plain(line) for line in retrain_text.rule(comparison)]
        st.caption("The rule: a challenger is not worse where all of this holds.")
        st.markdown("  \n".join(lines))
        decision(job, challenger, comparison)


def decision(job: Job, challenger: Challenger, comparison: Comparison) -> None:
    """Offer to put the challenger to use, or to throw it away; or say why neither."""
    standing = resources.worklist().promotions.newest()
    say_problem("challenger")
    if standing is not None and standing.sha256 == comparison.challenger_sha256:
        st.success("This model is in use.")
        return
    if not challenger.is_there:
        st.info("This challenger was discarded. Retrain to make another.")
        return
    if comparison.not_worse:
        st.markdown("✓ **Not worse by the rule.** Whether it is put to use, a person decides.")
    else:
        advice = retrain_text.remedy(comparison)
        st.markdown(f"✗ **Worse by the rule:** it cannot be put to use. {advice}")
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Promote",
            key="promote",
            type="primary",
            disabled=not comparison.not_worse,
            help="Puts this model to use, with its own thresholds. One click leads back.",
            on_click=partial(put_to_use, challenger, job.id),
            width=130,
        )
        st.button(
            "Discard",
            key="discard",
            help="Throws its weights away; how it compared is kept.",
            on_click=partial(act, "challenger", challenger.discard),
            width=130,
        )


def put_to_use(challenger: Challenger, job_id: str) -> None:
    """Promote a challenger in the name of whoever sits here."""
    settings, worklist = resources.settings(), resources.worklist()
    who = current_reader.name()
    act("challenger", lambda: changed(promote(settings, worklist, challenger, job_id, who)))


def back_to(promotion: Promotion | None) -> None:
    """Go back to an earlier model in the name of whoever sits here."""
    settings, worklist = resources.settings(), resources.worklist()
    who = current_reader.name()
    act("history", lambda: changed(go_back(settings, worklist, promotion, who)))


def changed(promotion: Promotion) -> None:
    """Let the engine know, and the frame show the new model as soon as it is in."""
    resources.engine().wake()
    st.session_state["model_changes"] = promotion.number


def models() -> None:
    """Say which models were in use, and offer the way back to each."""
    history = resources.worklist().promotions.history()
    if not history:
        return
    path = resources.settings().checkpoint
    configured = retrain_text.configured_model(history, path)
    with st.container(border=True, key="models", gap="small"):
        st.markdown("**Models in use**")
        say_problem("history")
        loading()
        offered = {history[0].sha256}
        for change in history[:MODELS_SHOWN]:
            words = formatting.plain(retrain_text.change(change, configured))
            line(words, change, offered, configured)
        if "" not in offered:
            line("The model that the server was set up with", None, offered, configured)


def line(words: str, change: Promotion | None, offered: set[str], configured: str) -> None:
    """Show one change, with the way back to its model where no line above has it."""
    sha256 = change.sha256 if change else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(words)
        st.space("stretch")
        if sha256 not in offered:
            offered.add(sha256)
            name = formatting.plain(retrain_text.model_name(change, configured))
            key = f"back_{sha256[:8] or 'configured'}"
            st.button(f"Back to {name}", key=key, on_click=partial(back_to, change))


def loading() -> None:
    """Say that the model that was just put to use is being loaded, or cannot be."""
    if "model_changes" not in st.session_state:
        return
    status = resources.engine().status()
    wanted = checkpoint_in_use(resources.settings(), resources.worklist())
    if status.message:
        st.error(formatting.plain(status.message))
    elif status.checkpoint != wanted:
        st.caption("The model is being loaded; until it is in, films wait.")
    else:
        st.session_state.pop("model_changes")
        st.rerun()  # the frame names the model at once, and not at its next look


def scored_before() -> None:
    """Offer to score earlier films with the model in use."""
    if not resources.worklist().promotions.newest():
        return
    jobs = resources.worklist().jobs.newest(BACKLOG)
    folders = list(dict.fromkeys(str(job.parameters["folder"]) for job in jobs))
    uploads = str(resources.settings().films_dir)
    with st.container(border=True, key="rescore", gap="small"):
        st.markdown("**Films scored before**")
        st.caption(
            "Each keeps the score, the threshold and the version of the model that scored it, "
            "until it is scored again. The history on the film page keeps them all."
        )
        say_problem("rescore")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            chosen = st.selectbox(
                "Films",
                [uploads, *(folder for folder in folders if folder != uploads)],
                format_func=lambda each: (
                    "Uploaded films" if each == uploads else job_text.readable(each)
                ),
                key="rescore_folder",
            )
            st.button("Score again", key="score_again", on_click=partial(score_again, chosen))


def score_again(folder: str) -> None:
    """Ask for a backlog over films that another model has scored."""

    def start() -> None:
        resources.supervisor().ask(BACKLOG, folder=folder)
        st.toast("Asked for. The Backlog page shows how far it is.")

    act("rescore", start)


def all_runs(jobs: list[Job], shown: Job) -> None:
    """List the retrainings, where there are several."""

    def row(job: Job) -> dict[str, Any]:
        comparison = challenger_of(job).comparison
        return retrain_text.run_row(job, comparison, shown=job.id == shown.id)

    job_list("Retrainings", retrain_text.RUNS, jobs, row, shown)


@st.fragment
def retrainings_now() -> None:
    """Show how the retrainings are, again and again."""
    jobs = resources.worklist().jobs.newest(RETRAINING)
    if jobs:
        shown = shown_job(jobs)
        card(shown)
        comparison_card(shown)
    else:
        st.caption(
            "No model was retrained here yet. Choose films and a recipe; the curves and the "
            "comparison with the model in use appear here."
        )
    models()
    scored_before()
    if jobs:
        all_runs(jobs, shown)
    active = any(job.is_active for job in jobs) or "model_changes" in st.session_state
    auto_refresh("follow_retraining", ACTIVE_SECONDS if active else QUIET_SECONDS)


def page() -> None:
    """Show the page."""
    st.title("Retrain", anchor=False)
    left, right = st.columns([3, 7], gap="medium")
    with left:
        form()
    with right:
        retrainings_now()


page()
