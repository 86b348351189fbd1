"""Who reads: the name that a proxy vouches for, else the one that the reader's browser keeps.

The program asks for no password. A name given here says who works beside whom; a site that must
know who reads puts a proxy in front and sets ``CXR_READER_HEADER``.
"""

import secrets

import streamlit as st

from cxr_app.ui import resources
from cxr_app.ui.components.browser_storage import stored_in_browser
from cxr_app.ui.text import formatting

NAME = "reader_name"
"""The session's key of the name that is typed, and its widget's."""
ASKED = "reader_asked"
RENAMED = "reader_renamed"
MAX_LENGTH = 60


def name() -> str:
    """Say who reads here; never empty."""
    return vouched_for() or str(st.session_state.get(NAME) or "").strip() or _nameless()


def is_known() -> bool:
    """Tell whether the name will stay: the browser has said what it keeps, or a proxy vouches."""
    return bool(vouched_for() or st.session_state.get(ASKED))


def vouched_for() -> str:
    """Give the name in the header that the settings trust; empty where there is none."""
    header = resources.settings().reader_header
    return str(st.context.headers.get(header) or "")[:MAX_LENGTH].strip() if header else ""


def reader_field() -> None:
    """Show who reads here, and let that be changed unless a proxy vouches for it."""
    if vouched := vouched_for():
        st.caption(f"Reader  \n{formatting.plain(vouched)}")
        return
    _talk_to_browser()
    st.text_input(
        "Reader",
        key=NAME,
        max_chars=MAX_LENGTH,
        placeholder="Your name",
        help="Stands beside what you say of a film, and tells others which film you have open.",
        persist_state="session",
        on_change=lambda: st.session_state.update({RENAMED: True}),
    )
    if st.session_state.pop(RENAMED, False):
        st.rerun()  # what the reader has open changes its name too


def _talk_to_browser() -> None:
    """Let the browser keep the name; at first take the one that it keeps, as soon as it says so.

    The page is not drawn anew for that: it may be in the middle of its first drawing.
    """
    asked = bool(st.session_state.get(ASKED))
    kept = stored_in_browser("reader", name() if asked else "")
    if kept is not None and not asked:
        st.session_state[ASKED] = True
        st.session_state[NAME] = kept[:MAX_LENGTH].strip()
    if st.session_state.get(ASKED) and not str(st.session_state.get(NAME) or "").strip():
        st.session_state[NAME] = _nameless()


def _nameless() -> str:
    """Make up a name for this session; two readers of no name are still two."""
    return str(st.session_state.setdefault("nameless", f"Reader {secrets.token_hex(2)}"))
