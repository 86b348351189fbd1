"""Drift: whether films, scores and agreement with readers change over the weeks."""

from datetime import UTC, datetime

import streamlit as st

from cxr_app.ui import resources
from cxr_app.ui.panels.drift_controls import drift_controls
from cxr_app.ui.panels.drift_panel import drift_panel

st.title("Drift", anchor=False)
films = resources.drift_films()
if len(films):
    drift_panel(films, drift_controls(films, datetime.now(UTC).date()))
else:
    st.info("No film has arrived in the last two years. The figures appear with the first films.")
