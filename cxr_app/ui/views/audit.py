"""Audit: who did what when, from where and to whom."""

import streamlit as st

from cxr_app.audit.event import AuditKind
from cxr_app.ui.auditing import note_once
from cxr_app.ui.panels.audit_panel import audit_table, chain_check, choose_events

st.title("Audit", anchor=False)
wanted = choose_events()
note_once(AuditKind.AUDIT_READ, repr(wanted), detail="page")
audit_table(wanted)
chain_check()
