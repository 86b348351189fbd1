"""A button and a key that copy a text into the reader's clipboard."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "copy_button",
    css=(_HERE / "copy_button.css").read_text(encoding="utf-8"),
    js=(_HERE / "copy_button.js").read_text(encoding="utf-8"),
)


def copy_button(label: str, text: str, shortcut: str) -> None:
    """Show the button.

    Parameters
    ----------
    text
        What it copies.
    shortcut
        A letter that does the same anywhere on the page but in a field.
    """
    data = {"label": label, "text": text, "shortcut": shortcut}
    _mount(key="copy_button", data=data)
