"""The current reader: the name authenticated by a proxy, otherwise the one kept by the browser.

The program asks for no password; a name typed here only distinguishes readers. A site that needs
authenticated names puts a proxy in front and sets ``CXR_READER_HEADER``. The browser sends a kept
name as a cookie with the first request already. Until a name is known, nothing is recorded.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import unquote

import streamlit as st

from cxr_app.errors import ReaderUnknownError
from cxr_app.ui import resources
from cxr_app.ui.components.browser_storage import stored_in_browser
from cxr_app.ui.identity import MAX_LENGTH, name_in
from cxr_app.ui.text import formatting

NAME = "reader_name"
"""Session and widget key of the typed name."""
ASKED = "reader_asked"
RENAMED = "reader_renamed"
COOKIE = "cxr_reader"
"""Cookie of the kept name, set by browser_storage.js."""


def name() -> str:
    """Return the reader's name, to record something under it; never empty.

    Raises
    ------
    ReaderUnknownError
        If the browser has not sent it yet.
    """
    if not is_known():
        raise ReaderUnknownError
    return name_if_known()


def name_if_known() -> str:
    """Return the reader's name; empty until it is known."""
    if not is_known():
        return ""
    typed = str(st.session_state.get(NAME) or "").strip()
    return authenticated_name() or typed or _made_up_name()


def is_known() -> bool:
    """Check whether the name is final: sent by the browser, or authenticated by a proxy."""
    _adopt_cookie()
    return bool(authenticated_name() or st.session_state.get(ASKED))


def authenticated_name() -> str:
    """Return the name that the reader signed in under; empty if the site signs nobody in."""
    if resources.settings().sign_in == "oidc":
        return name_in(st.user.to_dict())
    header = resources.settings().reader_header
    return str(st.context.headers.get(header) or "")[:MAX_LENGTH].strip() if header else ""


def cookie_name(cookies: Mapping[str, str]) -> str:
    """Return the name that the browser keeps; empty if it keeps none."""
    return _cleaned(unquote(cookies.get(COOKIE) or ""))


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


def _adopt_cookie() -> None:
    """Use the name that the browser sent with its first request, if it did."""
    if st.session_state.get(ASKED):
        return
    if word := cookie_name(st.context.cookies.to_dict()):
        st.session_state[ASKED] = True
        st.session_state[NAME] = word


def _sync_with_browser() -> None:
    """Store the name in the browser; at first, adopt the one stored there.

    This does not rerun the page, which may still be running for the first time.
    """
    stored = stored_in_browser("reader", name_if_known(), otherwise=_made_up_name())
    if stored is not None and not st.session_state.get(ASKED):
        st.session_state[ASKED] = True
        st.session_state[NAME] = _cleaned(stored)
    if is_known() and not str(st.session_state.get(NAME) or "").strip():
        st.session_state[NAME] = _made_up_name()


def _cleaned(sent: str) -> str:
    return sent[:MAX_LENGTH].strip()


def _made_up_name() -> str:
    """Make up a name for a browser that keeps none, so that two unnamed readers stay distinct."""
    return str(st.session_state.setdefault("made_up_name", f"Reader {secrets.token_hex(2)}"))
