"""Agreement between the model's flags and readers at this site."""

import streamlit as st

from cxr_app.ui import resources
from cxr_app.ui.text import agreement_text


def agreement_panel(model_version: str) -> None:
    """Show the agreement between flags and readers, week by week."""
    st.header("Agreement with readers", anchor=False)
    weeks = resources.worklist().reviews.agreement(model_version)
    if not weeks:
        st.caption(
            "No reader has reviewed a flag of this model yet. Agree or disagree on the film page; "
            "the verdicts are counted here week by week."
        )
        return
    st.table(agreement_text.rows(weeks), hide_index=True, border="horizontal")
    st.caption(
        "Each film that this model has scored counts once, with its latest verdict, in the week of "
        "that verdict (UTC); films in which two readers differ do not count until it is settled. "
        "Intervals are 95 % (Wilson), shown from 30 films. Readers who saw flag and heatmap "
        "before their verdict tend to follow them, and films without a verdict are missing: this "
        "is agreement, not accuracy."
    )
