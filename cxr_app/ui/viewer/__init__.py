"""The film viewer: a Streamlit component that shows a film and its heatmap in the browser.

The page hands it addresses; what the reader does with the picture never comes back to the server.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).parent
SCRIPTS = ("transport.js", "greyscale.js", "heatmap.js", "viewport.js", "viewer.js")
"""One module in the order it is read: a component's script may not import others."""


def _text(*names: str) -> str:
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "film_viewer", html=_text("viewer.html"), css=_text("viewer.css"), js=_text(*SCRIPTS)
)


def film_viewer(
    entry_id: str,
    film: str,
    heat: str | None,
    *,
    note: str = "",
    prepare: Sequence[str] = (),
) -> None:
    """Show a film.

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
    data = {"entry": entry_id, "film": film, "heat": heat, "note": note, "next": list(prepare)}
    _mount(key="viewer", data=data)
