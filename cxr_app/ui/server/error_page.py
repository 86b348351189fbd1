"""The message shown if a page fails; a raw exception only in debug mode."""

import logging

import streamlit as st

from cxr_app import log_privacy
from cxr_app.errors import CxrError
from cxr_app.ui import recovery
from cxr_app.ui.text import formatting

logger = logging.getLogger(__name__)
logging.getLogger("streamlit.error_util").addFilter(lambda record: record.exc_info is None)
"""Streamlit also logs every exception with its message, which may quote a patient's name."""

UNEXPECTED = (
    "Something went wrong; no film has been lost. Reload the page. If this happens again, tell the "
    "administrator of this server at what time: its log holds the details."
)

AGAIN = "This page tries again by itself."


def show_error(error: Exception) -> bool:
    """Show in the page why it stopped; for `streamlit.App`.

    Returns
    -------
    bool
        True, so that Streamlit's own box is not shown.
    """
    if isinstance(error, CxrError):
        logger.warning("A page stopped: %s", error)
        st.error(formatting.escape_markdown(str(error)))
        if recovery.note_stop(error):
            st.caption(AGAIN)
    else:
        logger.error("A page failed unexpectedly:\n%s", log_privacy.fault_report(error))
        st.error(UNEXPECTED)
        if log_privacy.debug_mode():
            st.exception(error)
    return True
