"""The switch between dark and light pages; the browser stores the choice.

With two themes, Streamlit follows the computer's setting, and stores another choice only for the
address at which it was made. Here every page is dark until a reader chooses light: `PageHead` sets
this in the page itself, before Streamlit reads it.
"""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
KEPT = "chest-film-triage-theme"
"""Key of the choice in the browser's storage; also read by first_theme.js."""

_mount = st.components.v2.component(
    "theme_switch",
    css=(HERE / "theme_switch.css").read_text(encoding="utf-8"),
    js=(HERE / "theme_switch.js").read_text(encoding="utf-8"),
)


def theme_switch() -> None:
    """Offer the other theme; a click reloads the page in it."""
    _mount(key="theme_switch", data={"kept": KEPT})
