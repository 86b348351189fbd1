"""Messages of components that are on the page no more, sent from the page that came after.

Streamlit forgets what a component sends if the reader leaves its page before the server has begun
to act on it: on a busy server, a verdict by key and then the browser's *Back*.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from cxr_app.ui.components import delivery

KEY = "late_messages"

_mount = st.components.v2.component(
    KEY,
    js=delivery.SENDER + (Path(__file__).parent / "late_messages.js").read_text(encoding="utf-8"),
)


def late_messages(
    acknowledged: Mapping[str, int], hear: Mapping[str, Callable[[object], object]]
) -> None:
    """Send what is left of each kind of message.

    Parameters
    ----------
    acknowledged
        Number of the last message that was acted on, by the name of the state that they are sent
        as.
    hear
        Called with the component's value, as the component that is gone would have had it.
    """
    callbacks: dict[str, Any] = {
        f"on_{name}_change": partial(_hear, each) for name, each in hear.items()
    }
    with st.container(key=KEY, height=1, border=False):
        _mount(key=f"{KEY}_sender", data=dict(acknowledged), **callbacks)


def _hear(hear: Callable[[object], object]) -> None:
    hear(st.session_state.get(f"{KEY}_sender"))
