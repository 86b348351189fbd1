"""Connections: what comes in from other DICOM nodes, and what goes out to them."""

import streamlit as st

from cxr_app.ui.panels.outgoing_panel import outgoing_panel

st.title("Connections", anchor=False)
outgoing_panel()
