"""A value kept in the reader's browser between visits, such as the reader's name.

The browser also sends it as the cookie ``cxr_`` and the value's name with its next first request.
"""

from pathlib import Path

import streamlit as st

from cxr_app.ui.components.script_state import REST

_mount = st.components.v2.component(
    "browser_storage",
    js=REST + (Path(__file__).parent / "browser_storage.js").read_text(encoding="utf-8"),
)


def stored_in_browser(name: str, word: str, *, otherwise: str = "") -> str | None:
    """Store a value in the browser, or read the stored one.

    Parameters
    ----------
    name
        Key under which the browser stores it.
    word
        Value to store; empty to read.
    otherwise
        Value to store and answer if the browser has none yet.

    Returns
    -------
    str or None
        The stored value, empty if there is none; None until the browser has answered.
    """
    with st.container(key=f"browser_storage_{name}", height=1, border=False):
        answer = _mount(
            key=name,
            data={"name": name, "word": word, "otherwise": otherwise},
            on_kept_change=_do_nothing,
        ).kept
    if not isinstance(answer, dict) or not isinstance(answer.get("word"), str):
        return None
    return str(answer["word"])


def _do_nothing() -> None:
    """Do nothing (required callback): the caller acts on the returned value."""
