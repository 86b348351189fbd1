"""The number of urgent films in the browser tab's title, and a sound when another is marked.

The browser asks the server itself, every few seconds: a refreshing part of the page stands still
while its tab is hidden, which is when a title and a sound are needed.
"""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "urgent_signal",
    css=(_HERE / "urgent_signal.css").read_text(encoding="utf-8"),
    js="\n".join(
        (_HERE / name).read_text(encoding="utf-8")
        for name in ("title_count.js", "urgent_signal.js")
    ),
)


def urgent_signal(address: str, reader: str) -> None:
    """Show the switch of the sound, which each browser keeps; it is off at first.

    Parameters
    ----------
    address
        Where the server says how many urgent films are unread.
    reader
        This reader, whose own marks make no sound; empty while unknown.
    """
    _mount(key="urgent_signal", data={"address": address, "reader": reader})
