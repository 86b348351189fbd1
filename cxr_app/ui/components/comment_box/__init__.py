"""The field for a comment on a film: a draft belongs to its film and is stored by Enter alone.

`st.text_input` also stores what was typed when it loses the focus, keeps the focus after Enter so
that the next key is typed into it, and does not let Esc out.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import streamlit as st

from cxr_app.ui.components import delivery

HERE = Path(__file__).parent
KEY = "comment"
FIELD = f".st-key-{KEY} textarea"
"""CSS selector of the field."""
HINT = "Comment (C): Enter saves it, Esc leaves"
LONGEST = 2000
"""Largest number of characters; what exceeds it is cut off."""

_mount = st.components.v2.component(
    "comment_box",
    css=(HERE / "comment_box.css").read_text(encoding="utf-8"),
    js=delivery.SENDER + (HERE / "comment_box.js").read_text(encoding="utf-8"),
    isolate_styles=False,  # in a shadow root, the page's keys would not know a field from the page
)


def comment_box(entry_id: str, store: Callable[[str, str], object]) -> None:
    """Show the field.

    Parameters
    ----------
    entry_id
        The film in view.
    store
        Called once with each comment: the id of the film that it was typed at, and the text.
    """
    data = {
        "entry": entry_id,
        "acknowledged": delivery.acknowledged(KEY),
        "longest": LONGEST,
        "hint": HINT,
    }
    with st.container(key=KEY):
        _mount(
            key=f"{KEY}_box",
            data=data,
            on_comments_change=lambda: hear_comments(st.session_state.get(f"{KEY}_box"), store),
        )


def hear_comments(value: object, store: Callable[[str, str], object]) -> None:
    """Store each comment of the field's value once, in order."""

    def act(comment: tuple[str, str]) -> None:
        store(*comment)

    delivery.deliver(KEY, _comments(value), act)


def _comments(value: object) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the comments sent by the browser, whose data cannot be trusted."""
    match value:
        case {"comments": {"list": list(comments)}}:
            pass
        case _:
            return
    for comment in comments:
        match comment:
            case {"number": int(number), "entry": str(entry_id), "text": str(text)}:
                if stripped := text.strip()[:LONGEST]:
                    yield number, (entry_id, stripped)
