"""The current reader: the name authenticated by a proxy, otherwise the one kept by the browser.

The program asks for no password; a name typed here only tells readers apart. A site that needs
authenticated names puts a proxy in front and sets ``CXR_READER_HEADER``.
"""

import secrets

import streamlit as st

from cxr_app.ui import resources
from cxr_app.ui.components.browser_storage import stored_in_browser
from cxr_app.ui.text import formatting

NAME = "reader_name"
"""Session and widget key of the typed name."""
ASKED = "reader_asked"
RENAMED = "reader_renamed"
MAX_LENGTH = 60


def name() -> str:
    """Return the reader's name; never empty."""
    return authenticated_name() or str(st.session_state.get(NAME) or "").strip() or _made_up_name()


def is_known() -> bool:
    """Check whether the name is final: sent by the browser, or authenticated by a proxy."""
    return bool(authenticated_name() or st.session_state.get(ASKED))


def authenticated_name() -> str:
    """Return the name in the trusted header; empty if there is none."""
    header = resources.settings().reader_header
    return str(st.context.headers.get(header) or "")[:MAX_LENGTH].strip() if header else ""


def reader_field() -> None:
    """Show the reader's name, as a field unless a proxy has authenticated it."""
    if authenticated := authenticated_name():
        st.caption(f"Reader  \n{formatting.escape_markdown(authenticated)}")
        return
    _sync_with_browser()
    st.text_input(
        "Reader",
        key=NAME,
        max_chars=MAX_LENGTH,
        placeholder="Your name",
        help="Shown with your reviews, and to others while you have a film open.",
        persist_state="session",
        on_change=lambda: st.session_state.update({RENAMED: True}),
    )
    if st.session_state.pop(RENAMED, False):
        st.rerun()  # the open claim changes its name too


def _sync_with_browser() -> None:
    """Store the name in the browser; at first, adopt the one stored there.

    This does not rerun the page, which may still be running for the first time.
    """
    asked = bool(st.session_state.get(ASKED))
    stored = stored_in_browser("reader", name() if asked else "")
    if stored is not None and not asked:
        st.session_state[ASKED] = True
        st.session_state[NAME] = stored[:MAX_LENGTH].strip()
    if st.session_state.get(ASKED) and not str(st.session_state.get(NAME) or "").strip():
        st.session_state[NAME] = _made_up_name()


def _made_up_name() -> str:
    """Make up a name for this session, so that two unnamed readers stay distinct."""
    return str(st.session_state.setdefault("made_up_name", f"Reader {secrets.token_hex(2)}"))
