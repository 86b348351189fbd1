"""Redraw a fragment at intervals, pausing while the reader acts.

`st.fragment(run_every=...)` keeps ticking while the server handles a click. Its next tick still
names the page that the click has left; Streamlit takes that for a request to go back and drops what
the new page had drawn (two of ten films opened blank on a busy machine). This refresh runs in the
browser, which sees ticks and clicks in order, and pauses at the first key or pointer press.
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
    """Rerun the calling fragment after some seconds.

    Parameters
    ----------
    key
        Key of the widget.
    seconds
        Interval between runs; longer while the reader presses keys or the pointer.
    """
    with st.container(key=f"auto_refresh_{key}", height=1, border=False):
        # A new value on each run restarts the countdown in the browser.
        data = {"milliseconds": 1000 * seconds, "drawn": time.time()}
        _mount(key=key, data=data, on_beat_change=_do_nothing)


def _do_nothing() -> None:
    """Do nothing (required callback): the rerun itself is the effect."""
