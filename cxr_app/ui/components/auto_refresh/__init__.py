"""Redraw a fragment at intervals, pausing while the reader acts.

`st.fragment(run_every=...)` ticks on while the server answers a click: its next tick still names
the page that the click has just left, Streamlit takes that for a wish to go back, and what the new
page had drawn is dropped (two of ten films opened blank on a busy machine). This refresh stops
at the first touch of key or pointer, in the browser, where both are seen in their order.
"""

import time
from pathlib import Path

import streamlit as st

from cxr_app.ui.components.script_state import REST

_mount = st.components.v2.component(
    "auto_refresh",
    js=REST + (Path(__file__).parent / "auto_refresh.js").read_text(encoding="utf-8"),
)


def auto_refresh(key: str, seconds: float) -> None:
    """Have the fragment that calls this drawn again after so many seconds.

    Parameters
    ----------
    key
        Of the widget.
    seconds
        From one drawing to the next; longer while the reader presses keys or the pointer.
    """
    with st.container(key=f"auto_refresh_{key}", height=1, border=False):
        # The time makes each drawing a new one, from which the browser counts.
        data = {"milliseconds": 1000 * seconds, "drawn": time.time()}
        _mount(key=key, data=data, on_beat_change=_nothing_yet)


def _nothing_yet() -> None:
    """Take the place of a callback: to be drawn again is all that a beat is for."""
