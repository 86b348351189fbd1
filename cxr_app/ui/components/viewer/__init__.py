"""The film viewer: a Streamlit component that shows a film and its heatmap in the browser.

The page passes it addresses. Three things come back to the server: whether heatmaps are shown,
which of the page's keys were pressed at which film, and marks that the reader made.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from cxr_app.ui.components import delivery
from cxr_app.ui.components.delivery import SENDER

FOLDER = Path(__file__).parent
SCRIPTS = (
    "transport.js",
    "greyscale.js",
    "turning.js",
    "heatmap.js",
    "viewport.js",
    "geometry.js",
    "controls.js",
    "marking.js",
    "comparison.js",
    "magnifier.js",
    "key_presses.js",
    "last_views.js",
    "ahead.js",
    "viewer.js",
)
"""Parts of one script, in order: a component's script cannot import others."""


def _text(*names: str) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "film_viewer", html=_text("viewer.html"), css=_text("viewer.css"), js=SENDER + _text(*SCRIPTS)
)


@dataclass(frozen=True, slots=True)
class ViewerFilm:
    """Contents of the viewer.

    Parameters
    ----------
    entry_id
        Id of the film's entry. While it stays the same, zoom, window and polarity are kept.
    film, heat
        Addresses on this server; None if there is no heatmap.
    note
        Why there is no heatmap, in a few words.
    prepare
        Addresses to load ahead once this film is in view.
    leads_to
        Keys of the page that lead to another film, with its entry and address: the viewer shows it
        before the page's script has answered. Until then ``data-film-ahead`` stands at the root of
        the document, and the page hides what is not of that film.
    outline
        Whether the heatmap opens as an outline for a reader who has not chosen between it and
        colour.
    marks
        Kept with the film: ``kind``, ``points`` and ``words`` of each.
    keep_mark
        Called with a new mark and the id of the entry that it was made on; None if none may be.
    side
        ``current`` or ``earlier`` if two films are compared: their viewers are linked, and the
        earlier film's has the controls of the comparison. Empty for a film alone.
    """

    entry_id: str
    film: str
    heat: str | None = None
    note: str = ""
    prepare: Sequence[str] = ()
    leads_to: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outline: bool = True
    marks: Sequence[Mapping[str, Any]] = ()
    keep_mark: Callable[[dict[str, Any], str], object] | None = None
    side: Literal["", "current", "earlier"] = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of the page around the viewer.

    Parameters
    ----------
    listed
        Keys and descriptions for the help card.
    focus
        Keys that move the focus to a field of the page, each with the field's CSS selector.
    acts
        Keys that `act` is called for, with the entry id of the film that was in view. A button's
        own shortcut would act on the film that the page's script drew last; for a fast reader, the
        verdict would go to the previous film.
    clicks
        Buttons whose click is such a key, by what stands before the entry id in the button's own
        key. Streamlit forgets a click if the reader leaves the page before a busy server has acted
        on it; a key is sent until it is acted on.
    """

    listed: Sequence[tuple[str, str]] = ()
    focus: Mapping[str, str] = field(default_factory=dict)
    acts: str = ""
    act: Callable[[str, str], object] | None = None
    clicks: Mapping[str, str] = field(default_factory=dict)


NO_KEYS = Keys()


def film_viewer(film: ViewerFilm, *, key: str = "viewer", keys: Keys = NO_KEYS) -> bool:
    """Show a film.

    Returns
    -------
    bool
        Whether the heatmap is shown, or will be once it is loaded.
    """
    heat_on = _heat_is_on(st.session_state.get(key))
    last = acknowledged(key)
    data = {
        "entry": film.entry_id,
        "film": film.film,
        "heat": film.heat,
        "note": film.note,
        "next": list(film.prepare),
        "leadsTo": {letter: list(other) for letter, other in film.leads_to.items()},
        "keys": [list(each) for each in keys.listed],
        "focus": dict(keys.focus),
        "acts": keys.acts,
        "clicks": dict(keys.clicks),
        "acknowledged": last["presses"],
        "heatOn": heat_on,
        "outline": film.outline,
        "marks": [dict(mark) for mark in film.marks],
        "canMark": film.keep_mark is not None,
        "side": film.side,
        "marksAcknowledged": last["marks"],
    }
    _mount(
        key=key,
        data=data,
        on_heat_change=_do_nothing,
        on_presses_change=lambda: hear_presses(st.session_state.get(key), keys, key=key),
        on_marks_change=lambda: hear_marks(st.session_state.get(key), film.keep_mark, key=key),
    )
    return film.heat is not None and heat_on


def _heat_is_on(value: object) -> bool:
    """Check whether heatmaps are shown; they are unless the browser has switched them off."""
    match value:
        case {"heat": {"on": bool(on)}}:
            return on
    return True


def acknowledged(key: str = "viewer") -> dict[str, int]:
    """Return the number of the last press and of the last mark that was acted on."""
    return {
        "presses": delivery.acknowledged(key),
        "marks": delivery.acknowledged(f"{key}_marks"),
    }


def hear_presses(value: object, keys: Keys, *, key: str = "viewer") -> None:
    """Act on each press of a viewer's value once, in order."""

    def act(press: tuple[str, str]) -> None:
        letter, entry_id = press
        if letter in keys.acts and keys.act:
            keys.act(letter, entry_id)

    delivery.deliver(key, _presses(value), act)


def hear_marks(
    value: object, keep: Callable[[dict[str, Any], str], object] | None, *, key: str = "viewer"
) -> None:
    """Keep each new mark of a viewer's value once, in order."""
    if keep is None:
        return

    def act(mark: tuple[str, str]) -> None:
        text, entry_id = mark
        with suppress(ValueError):
            found = json.loads(text)
            if isinstance(found, dict):
                keep(found, entry_id)

    delivery.deliver(f"{key}_marks", _marks(value), act)


def _marks(value: object) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the marks sent by the browser, whose data cannot be trusted."""
    match value:
        case {"marks": {"list": list(marks)}}:
            pass
        case _:
            return
    for mark in marks:
        match mark:
            case {"number": int(number), "mark": str(text), "entry": str(entry_id)}:
                yield number, (text, entry_id)


def _presses(value: object) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the presses sent by the browser, whose data cannot be trusted."""
    match value:
        case {"presses": {"list": list(presses)}}:
            pass
        case _:
            return
    for press in presses:
        match press:
            case {"number": int(number), "key": str(letter), "entry": str(entry_id)}:
                yield number, (letter, entry_id)


def _do_nothing() -> None:
    """Do nothing (required callback): the caller acts on the returned value."""
