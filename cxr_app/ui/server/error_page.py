"""What a reader is told when a page cannot go on; never a raw exception."""

import logging

import streamlit as st

from cxr_app.errors import CxrError, fault_trace
from cxr_app.ui.text import formatting

logger = logging.getLogger(__name__)
logging.getLogger("streamlit.error_util").addFilter(lambda record: record.exc_info is None)
"""Streamlit writes every exception down in its own words too, which may be a patient's name."""

UNFORESEEN = (
    "The program failed here; no film is lost by it. Reload the page. If this comes again, tell "
    "whoever runs this server the time of day: its log says more."
)


def explain(error: Exception) -> bool:
    """Say in the page why it stops; for `streamlit.App`.

    Returns
    -------
    bool
        True: Streamlit's own box is not shown.
    """
    if isinstance(error, CxrError):
        logger.warning("A page stops: %s", error)
        st.error(formatting.plain(str(error)))
    else:
        logger.error("A page met a fault of the program:\n%s", fault_trace(error))
        st.error(UNFORESEEN)
    return True
