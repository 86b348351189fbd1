"""One film: the image, its score and review, and its header."""

from pathlib import Path

import streamlit as st

from cxr_app.audit.event import AuditKind
from cxr_app.errors import CxrError
from cxr_app.ui import blinding, resources
from cxr_app.ui.auditing import note_once
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels import review_panel
from cxr_app.ui.panels.film_images import film_images
from cxr_app.ui.panels.film_side import film_side
from cxr_app.ui.panels.film_toolbar import (
    film_toolbar,
    go_to_worklist,
    last_film_button,
    neighbours,
    newer_film,
    note_opened,
)
from cxr_app.ui.panels.handover_panel import handover_lines
from cxr_app.ui.panels.second_reading_panel import second_reading_line
from cxr_app.ui.text import formatting
from cxr_app.worklist import Entry

STYLE = Path(__file__).parent.parent / "film_page.css"
REFRESH_SECONDS = 1.5
SIDE_WIDTH = 280
"""Width in pixels of the column beside the film."""


def no_film(message: str) -> None:
    """Explain why no film is shown, and offer the worklist."""
    st.title("Film", anchor=False)
    st.info(message)
    if st.button("Open the worklist", key="to_worklist", type="primary", shortcut="w"):
        go_to_worklist()


def follow(entry: Entry, loaded: bool) -> None:
    """Rerun the page once the film has been scored or the model loaded."""
    current = resources.worklist().entry(entry.id)
    if current.scored_at != entry.scored_at or model_is_loaded() != loaded:
        st.rerun()
    auto_refresh("follow_film", REFRESH_SECONDS)


def model_is_loaded() -> bool:
    """Check whether the engine is ready."""
    return resources.engine().status().state == "ready"


def film(entry: Entry) -> None:
    """Show a film, and claim it for this reader."""
    note_once(AuditKind.HEADER_SHOWN, entry.id, entry.header, film=entry.id)
    others = review_panel.claim(entry)
    reviews = blinding.reviews_of(entry.id)
    note_opened(entry.id)
    beside = neighbours(entry.id)
    film_toolbar(entry, beside)
    newer_film(entry)
    handover_lines(entry)
    second_reading_line(entry, reviews)
    with st.container(horizontal=True, gap="small", key="film_body"):
        images = st.container(key="film_picture")
        with st.container(width=SIDE_WIDTH, key="film_side"):
            earlier = film_side(entry, reviews, others)
        with images:
            film_images(entry, reviews, beside, earlier)
    loaded = model_is_loaded()
    if entry.state is None or not loaded:
        st.fragment(follow)(entry, loaded)
    st.fragment(review_panel.renew_claim)(entry, others)


def page() -> None:
    """Show the film named in the address."""
    st.html(STYLE)
    requested = st.query_params.get("film", "")
    if not requested:
        no_film("No film is open. Choose one in the worklist.")
        last_film_button()
        return
    try:
        entry = resources.worklist().entry(requested)
    except CxrError as error:
        no_film(formatting.escape_markdown(str(error)))
        return
    film(entry)


page()
