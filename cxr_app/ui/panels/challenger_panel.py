"""The challenger compared with the model in use, and the decision between them."""

from functools import partial

import streamlit as st

from cxr_app.jobs.retraining import Challenger, Comparison
from cxr_app.promotion import promote
from cxr_app.ui import current_reader, resources
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.panels.models_panel import model_changed
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
    with st.container(border=True, key="challenger", gap="small"):
        names = formatting.escape_markdown(f"{comparison.challenger} against {comparison.in_use}")
        st.markdown(f"**Challenger against the model in use**  \n:grey[{names}]")
        st.caption(formatting.escape_markdown(retrain_text.evaluation_films(comparison)))
        st.table(retrain_text.metric_table(comparison), border="horizontal", hide_index=True)
        if caution := retrain_text.caution(comparison):
            st.caption(f"△ {formatting.escape_markdown(caution)}")
        if comparison.subgroups:
            with st.expander("Sensitivity at the balanced operating point, by subgroup"):
                table = retrain_text.subgroup_table(comparison)
                st.table(table, border="horizontal", hide_index=True)
        st.caption("The rule: a challenger is not worse if all of these hold.")
        lines = map(formatting.escape_markdown, retrain_text.rule_lines(comparison))
        st.markdown("  \n".join(lines))
        _decision(job, challenger, comparison)


def _decision(job: Job, challenger: Challenger, comparison: Comparison) -> None:
    """Offer to promote or discard the challenger, or show why that is not possible."""
    newest = resources.worklist().promotions.newest()
    show_problem(PLACE)
    if newest is not None and newest.sha256 == comparison.challenger_sha256:
        st.success("This model is in use.")
        return
    if not challenger.is_there:
        st.info("This challenger was discarded. Start another retraining to get a new one.")
        return
    st.markdown(retrain_text.verdict(comparison))
    with st.container(horizontal=True, gap="small"):
        _promote_button(job, challenger, comparison)
        _discard_button(challenger)


def _promote_button(job: Job, challenger: Challenger, comparison: Comparison) -> None:
    st.button(
        "Promote",
        key="promote",
        type="primary",
        disabled=not comparison.not_worse,
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
        args=(challenger.discard, PLACE),
        width=BUTTON_WIDTH,
    )


def _promote(challenger: Challenger, job_id: str) -> None:
    """Promote a challenger in the current reader's name."""
    settings, worklist = resources.settings(), resources.worklist()
    model_changed(promote(settings, worklist, challenger, job_id, current_reader.name()))
