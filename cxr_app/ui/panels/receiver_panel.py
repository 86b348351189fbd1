"""The receiver of films: whether it runs, what to enter on the other side, and a test."""

import socket

import streamlit as st

from cxr_app.destination import Destination
from cxr_app.errors import ArchiveError
from cxr_app.pacs.archive import echo
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.text import connection_text, formatting

TEST_TITLE = "CXR-TEST"


def receiver_panel() -> None:
    """Show the receiver."""
    settings = resources.settings()
    is_wanted, is_running = settings.dicom_port is not None, resources.receiver().pid is not None
    with st.container(border=True, key="receiver", gap="small"):
        st.markdown("**Receiving films**")
        if not is_wanted:
            st.markdown(connection_text.OFF)
            return
        if not is_running:
            st.warning(connection_text.NOT_RUNNING)
        st.caption("Enter on the modality, archive or router that sends:")
        host, remark = connection_text.reachable_from(settings, socket.gethostname())
        values = {"AE title": settings.ae_title, "Host": host, "Port": str(settings.dicom_port)}
        for column, (name, value) in zip(st.columns(3), values.items(), strict=True):
            column.caption(name)
            column.code(value, language=None)
        if remark:
            st.caption(f"Host: {remark}.")
        st.caption(connection_text.allowed_senders(settings))
        if st.button("Test the receiver (C-ECHO)", key="echo_receiver"):
            _test()


@guarded(Permission.TEST_CONNECTION)
def _test() -> None:
    """Call the receiver as a sender would."""
    settings = resources.settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.dicom_host, settings.dicom_host)  # noqa: S104
    title = min(settings.caller_titles, default=TEST_TITLE)
    try:
        echo(Destination(settings.ae_title, host, settings.dicom_port or 0), title)
    except ArchiveError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        st.success("The receiver answers.")
