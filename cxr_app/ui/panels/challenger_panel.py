"""The challenger compared with the model in use, and the decision between them."""

from functools import partial

import streamlit as st

from cxr_app.jobs.retraining import Challenger, Comparison
from cxr_app.permissions import Permission
from cxr_app.promotion import (
    no_longer_in_use,
    promote,
    propose,
    proposed_by_another,
    sha256_in_use,
)
from cxr_app.ui import current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.panels.models_panel import model_changed, promoted_is_loaded
from cxr_app.ui.panels.retrain_card import challenger_of
from cxr_app.ui.text import formatting, retrain_text
from cxr_app.worklist import Job

PLACE = "challenger"
BUTTON_WIDTH = 130


def challenger_panel(job: Job) -> None:
    """Show the challenger beside the model that it was compared with."""
    challenger = challenger_of(job)
    comparison = challenger.comparison
    if comparison is None:
        return
    in_use = sha256_in_use(resources.settings(), resources.worklist())
    is_current = in_use == comparison.in_use_sha256
    with st.container(border=True, key="challenger", gap="small"):
        title = f"Challenger against {retrain_text.model_in_use(is_current=is_current)}"
        names = formatting.escape_markdown(f"{comparison.challenger} against {comparison.in_use}")
        st.markdown(f"**{title}**  \n:grey[{names}]")
        st.caption(formatting.escape_markdown(retrain_text.evaluation_films(comparison)))
        metrics = retrain_text.metric_table(comparison, is_current=is_current)
        st.table(metrics, border="horizontal", hide_index=True)
        if caution := retrain_text.caution(comparison, is_current=is_current):
            st.caption(f"△ {formatting.escape_markdown(caution)}")
        if comparison.subgroups:
            with st.expander("Sensitivity at the balanced operating point, by subgroup"):
                table = retrain_text.subgroup_table(comparison, is_current=is_current)
                st.table(table, border="horizontal", hide_index=True)
        st.caption("The rule: a challenger is not worse if all of these hold.")
        lines = map(formatting.escape_markdown, retrain_text.rule_lines(comparison))
        st.markdown("  \n".join(lines))
        show_problem(PLACE)
        _decision(job, challenger, comparison, in_use)


def _decision(job: Job, challenger: Challenger, comparison: Comparison, in_use: str) -> None:
    """Offer to promote or discard the challenger, or show why that is not possible."""
    if in_use == comparison.challenger_sha256:
        _show_promoted()
        return
    if not challenger.is_there:
        st.info("This challenger was discarded. Start another retraining to get a new one.")
        return
    st.markdown(retrain_text.verdict(comparison))
    needs_second = _needs_second_person(comparison)
    is_current = in_use == comparison.in_use_sha256
    disabled = not (comparison.not_worse and is_current)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if needs_second:
            _propose_button(challenger, disabled=disabled)
        else:
            _promote_button(job, challenger, disabled=disabled)
        _discard_button(challenger)
        if comparison.not_worse and not is_current:
            st.caption(formatting.escape_markdown(no_longer_in_use(comparison)))


def _show_promoted() -> None:
    """Show whether the engine has the promoted challenger already."""
    if promoted_is_loaded():
        st.success("This model is in use.")
    elif resources.engine().status().message:
        st.warning("This model was promoted, but cannot be loaded. The sidebar shows the reason.")
    else:
        st.info("This model was promoted and is being loaded.")


def _needs_second_person(comparison: Comparison) -> bool:
    """Show who has proposed the challenger; check whether another person still has to."""
    if not resources.settings().promotion_by_two:
        return False
    worklist, me = resources.worklist(), current_reader.name_if_known()
    other = proposed_by_another(worklist, comparison, me)
    if other is not None:
        st.caption(formatting.escape_markdown(retrain_text.proposed(other)))
        return False
    for own in worklist.proposals.of_model(comparison.challenger_sha256)[:1]:
        text = f"{retrain_text.proposed(own)} Another person can promote it now."
        st.caption(formatting.escape_markdown(text))
    return True


def _propose_button(challenger: Challenger, *, disabled: bool) -> None:
    st.button(
        "Propose",
        key="propose",
        type="primary",
        disabled=disabled,
        help="At this site, another person then promotes it.",
        on_click=attempt,
        args=(partial(_propose, challenger), PLACE),
        width=BUTTON_WIDTH,
    )


def _promote_button(job: Job, challenger: Challenger, *, disabled: bool) -> None:
    st.button(
        "Promote",
        key="promote",
        type="primary",
        disabled=disabled,
        help="Puts this model into use with its own thresholds. One click takes it back.",
        on_click=attempt,
        args=(partial(_promote, challenger, job.id), PLACE),
        width=BUTTON_WIDTH,
    )


def _discard_button(challenger: Challenger) -> None:
    st.button(
        "Discard",
        key="discard",
        help="Deletes its weights; the comparison is kept.",
        on_click=attempt,
        args=(partial(_discard, challenger), PLACE),
        width=BUTTON_WIDTH,
    )


@guarded(Permission.DISCARD)
def _discard(challenger: Challenger) -> None:
    """Delete a challenger's weights."""
    challenger.discard()


@guarded(Permission.PROMOTE)
def _propose(challenger: Challenger) -> None:
    propose(resources.worklist(), challenger, current_reader.name())


@guarded(Permission.PROMOTE)
def _promote(challenger: Challenger, job_id: str) -> None:
    """Promote a challenger in the current reader's name."""
    settings, worklist = resources.settings(), resources.worklist()
    model_changed(promote(settings, worklist, challenger, job_id, current_reader.name()))
