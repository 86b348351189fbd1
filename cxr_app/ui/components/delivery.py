"""Messages from a component's script: each is acted on once, in order, and acknowledged."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import streamlit as st

from cxr_app.ui.components.script_state import REST

SENDER = REST + (Path(__file__).parent / "sender.js").read_text(encoding="utf-8")
"""JavaScript at the head of a component that sends such messages."""

Content = TypeVar("Content")


@dataclass(slots=True)
class _Handled:
    """Number of the session's last handled message."""

    number: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def acknowledged(key: str) -> int:
    """Return the number of the last message of a component that was acted on."""
    return _handled(key).number


def deliver(
    key: str, messages: Iterable[tuple[int, Content]], act: Callable[[Content], object]
) -> None:
    """Act on every message that is newer than the last one acted on.

    A message counts as handled only after its action: Streamlit may interrupt this run for the next
    one, which reports this message again, and starts that run while this one is still ending.

    Parameters
    ----------
    key
        Key of the component.
    messages
        Each with its number, ascending.
    """
    handled = _handled(key)
    with handled.lock:
        for number, message in messages:
            if number > handled.number:
                act(message)
                handled.number = number


def _handled(key: str) -> _Handled:
    handled: _Handled = st.session_state.setdefault(f"{key}_handled", _Handled())
    return handled
