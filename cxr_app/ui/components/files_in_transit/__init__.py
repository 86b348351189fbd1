"""How many chosen files are on their way to the server.

The server learns of files once the last one has arrived; until then only the browser knows how many
were chosen.
"""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "files_in_transit",
    css=(_HERE / "files_in_transit.css").read_text(encoding="utf-8"),
    js=(_HERE / "files_in_transit.js").read_text(encoding="utf-8"),
)


def files_in_transit(turn: int) -> None:
    """Show the number of chosen files until they have arrived.

    Parameters
    ----------
    turn
        Number of the upload, which changes when the files have arrived.
    """
    _mount(key="files_in_transit", data={"turn": turn})
