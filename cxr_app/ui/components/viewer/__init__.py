"""The film viewer: a Streamlit component that shows a film and its heatmap in the browser.

The page hands it addresses; of what the reader does with the picture only this comes back to the
server: whether heatmaps are shown, and which of the page's keys were pressed at which film.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import streamlit as st

from cxr_app.ui.components.script_state import REST

FOLDER = Path(__file__).parent
SCRIPTS = (
    "transport.js",
    "greyscale.js",
    "heatmap.js",
    "viewport.js",
    "controls.js",
    "key_presses.js",
    "viewer.js",
)
"""One module in the order it is read: a component's script may not import others."""


def _text(*names: str) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "film_viewer", html=_text("viewer.html"), css=_text("viewer.css"), js=REST + _text(*SCRIPTS)
)


@dataclass(frozen=True, slots=True)
class ViewerFilm:
    """What the viewer shows.

    Parameters
    ----------
    entry_id
        Whose film it is. While it stays the same, zoom, window and polarity stay as they are.
    film, heat
        Addresses on this server; no heat, no heatmap.
    note
        Why there is no heatmap, in a few words.
    prepare
        Addresses to bring ahead, once this film is in view.
    """

    entry_id: str
    film: str
    heat: str | None = None
    note: str = ""
    prepare: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """What keys do on the page around the viewer.

    Parameters
    ----------
    listed
        What the help card lists: each key and what it does.
    focus
        Keys that put the hand into a field of the page, each with the field's CSS selector.
    acts
        Keys that `act` is called for, with the entry id of the film that was in sight. A button's
        own shortcut would name the film that the page's script drew last, and a hurried reader is
        faster than that: his verdict would go to the film before.
    """

    listed: Sequence[tuple[str, str]] = ()
    focus: Mapping[str, str] = field(default_factory=dict)
    acts: str = ""
    act: Callable[[str, str], object] | None = None


NO_KEYS = Keys()


def film_viewer(picture: ViewerFilm, *, key: str = "viewer", keys: Keys = NO_KEYS) -> bool:
    """Show a film.

    Returns
    -------
    bool
        Whether the reader has the heatmap in sight, or may have in a moment.
    """
    heat_on = _heat_is_on(st.session_state.get(key))
    data = {
        "entry": picture.entry_id,
        "film": picture.film,
        "heat": picture.heat,
        "note": picture.note,
        "next": list(picture.prepare),
        "keys": [list(each) for each in keys.listed],
        "focus": dict(keys.focus),
        "acts": keys.acts,
        "heard": _heard(key).number,
        "heatOn": heat_on,
    }
    _mount(
        key=key,
        data=data,
        on_heat_change=_nothing_yet,
        on_presses_change=partial(_act_on_presses, key, keys),
    )
    return picture.heat is not None and heat_on


def _heat_is_on(told: object) -> bool:
    """Say whether the reader has heatmaps shown, as they are until the page says otherwise."""
    match told:
        case {"heat": {"on": bool(on)}}:
            return on
    return True


def _act_on_presses(key: str, keys: Keys) -> None:
    """Act on every press once, in their order.

    A press counts as heard when it has been acted on: Streamlit may cut this off for the next
    press, in which this one is told again, and begins that run while this one is still ending.
    """
    heard = _heard(key)
    told = st.session_state.get(key)
    with heard.lock:
        for number, letter, entry_id in _presses(told):
            if number > heard.number and letter in keys.acts and keys.act:
                keys.act(letter, entry_id)
                heard.number = number


@dataclass(slots=True)
class _Heard:
    """The number of the last press of a session that was acted on."""

    number: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def _heard(key: str) -> _Heard:
    heard: _Heard = st.session_state.setdefault(f"{key}_heard", _Heard())
    return heard


def _presses(told: object) -> Iterator[tuple[int, str, str]]:
    """Read what the page says of keys; it is not ours to trust."""
    match told:
        case {"presses": {"list": list(presses)}}:
            pass
        case _:
            return
    for press in presses:
        match press:
            case {"number": int(number), "key": str(letter), "entry": str(entry_id)}:
                yield number, letter, entry_id


def _nothing_yet() -> None:
    """Take the place of a callback: the caller acts on what is returned."""
