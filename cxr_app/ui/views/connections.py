"""Connections: what comes in from other DICOM nodes, and what goes out to them."""

import streamlit as st

from cxr_app.ui.panels.archive_panel import archive_panel
from cxr_app.ui.panels.outgoing_panel import outgoing_panel
from cxr_app.ui.panels.peers_panel import peers_panel
from cxr_app.ui.panels.receiver_panel import receiver_panel
from cxr_app.ui.panels.template_panel import template_panel

st.title("Connections", anchor=False)
st.header("What comes in", anchor=False)
receiver_panel()
peers_panel()
archive_panel()
outgoing_panel()
template_panel()
