"""The switch between the dark page and the light one; the browser remembers what was chosen.

Streamlit chooses by the computer's setting as soon as there are two themes, and remembers another
choice for the one page at whose address it was made. Here every page is dark until a reader wants
it light: `PageHead` says so in the page itself, before Streamlit looks.
"""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
KEPT = "chest-film-triage-theme"
"""What the browser keeps the choice under; first_theme.js reads it too."""

_mount = st.components.v2.component(
    "theme_switch",
    css=(HERE / "theme_switch.css").read_text(encoding="utf-8"),
    js=(HERE / "theme_switch.js").read_text(encoding="utf-8"),
)


def theme_switch() -> None:
    """Offer the other theme; the page is loaded again in it, at the same address."""
    _mount(key="theme_switch", data={"kept": KEPT})
