"""A word that the reader's browser keeps from one visit to the next, such as the reader's name."""

from pathlib import Path

import streamlit as st

from cxr_app.ui.components.script_state import REST

_mount = st.components.v2.component(
    "browser_storage",
    js=REST + (Path(__file__).parent / "browser_storage.js").read_text(encoding="utf-8"),
)


def stored_in_browser(name: str, word: str) -> str | None:
    """Let the browser keep a word, or ask for the one that it keeps.

    Parameters
    ----------
    name
        What the browser keeps it by.
    word
        What is to be kept; empty to ask.

    Returns
    -------
    str or None
        What the browser keeps, empty for nothing; None where it was not asked or has not answered.
    """
    with st.container(key=f"browser_storage_{name}", height=1, border=False):
        told = _mount(key=name, data={"name": name, "word": word}, on_kept_change=_nothing_yet).kept
    if not isinstance(told, dict) or not isinstance(told.get("word"), str):
        return None
    return str(told["word"])


def _nothing_yet() -> None:
    """Take the place of a callback: the caller acts on what is returned."""
