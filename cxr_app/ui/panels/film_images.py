"""The film in the viewer, beside an earlier film of the patient if the reader asks for it."""

from dataclasses import replace
from functools import partial
from typing import Literal

import streamlit as st

from cxr_app.ui import blinding, masking, resources
from cxr_app.ui.actions import attempt
from cxr_app.ui.components.viewer import ViewerFilm, film_viewer
from cxr_app.ui.panels import attestation_panel, review_panel
from cxr_app.ui.panels.film_toolbar import Neighbours, neighbours
from cxr_app.ui.panels.marks_panel import keep_mark, shown_marks
from cxr_app.ui.server import film_route
from cxr_app.ui.text import film_html
from cxr_app.worklist import Entry, Review


def film_images(
    entry: Entry, reviews: list[Review], beside: Neighbours, earlier: Entry | None
) -> None:
    """Show the film, side by side with an earlier one if there is one."""
    if earlier is None:
        _film(entry, reviews, beside)
        return
    with st.container(key="compared"):
        left, right = st.columns(2, gap="small")
        with left:
            st.html(film_html.caption(masking.shown(entry)))
            _film(entry, reviews, beside, side="current")
        with right:
            _earlier_film(earlier)


def _handle_key(letter: str, entry_id: str) -> None:
    """Act on a key for the film that was in view when it was pressed."""
    if letter in "np":
        before, after = neighbours(entry_id)
        other = after if letter == "n" else before
        st.query_params["film"] = other.id if other else entry_id
    elif letter == "z":
        review_panel.take_back_verdict()
    elif letter == "m":
        review_panel.mark_read(entry_id)
    else:
        review_panel.record_key(letter, entry_id)


def _on_key(letter: str, entry_id: str) -> None:
    attempt(partial(_handle_key, letter, entry_id))


def _on_late_key(letter: str, entry_id: str) -> None:
    """Act on a key that reaches another page, where it leads to no film any more."""
    if letter not in "np":
        _on_key(letter, entry_id)


KEYS = replace(review_panel.KEYS, act=_on_key)
LATE_KEYS = replace(KEYS, act=_on_late_key)


def _film(
    entry: Entry,
    reviews: list[Review],
    beside: Neighbours,
    side: Literal["", "current"] = "",
) -> None:
    """Show the film, and have the browser load the next one ahead."""
    before, after = beside
    heat, note = _heatmap(entry, reviews)
    if attestation_panel.shown_pose(entry) != entry.pose:
        heat, note = None, "Not scored as it lies now"
    address, outline = _address(entry), _opens_as_outline()
    marks = shown_marks(entry, blinding.marks_of(entry.id))
    keep = keep_mark if entry.film_deleted_at is None else None
    leads_to = {
        letter: (other.id, _address(other))
        for letter, other in (("p", before), ("n", after))
        if other is not None
    }
    prepare = []
    if after is not None:
        next_heat, _ = _heatmap(after)
        prepare = [leads_to["n"][1], *filter(None, [next_heat])]
    shown = ViewerFilm(entry.id, address, heat, note, prepare, leads_to, outline, marks, keep, side)
    if film_viewer(shown, keys=KEYS):
        review_panel.note_heat_seen(entry)


def _earlier_film(entry: Entry) -> None:
    """Show an earlier film of the patient for comparison, without its heatmap."""
    st.html(film_html.caption(entry))
    film_viewer(ViewerFilm(entry.id, _address(entry), side="earlier"), key="earlier_viewer")


def _address(entry: Entry) -> str:
    return film_route.film_address(entry.id, attestation_panel.shown_pose(entry))


def _opens_as_outline() -> bool:
    return resources.settings().heat_style == "outline"


def _heatmap(entry: Entry, reviews: list[Review] | None = None) -> tuple[str | None, str]:
    """Return the address of the heatmap, or None and the reason.

    Parameters
    ----------
    reviews
        Reviews of the film; None to read them only if necessary.
    """
    if entry.film_deleted_at is not None:
        return None, "Film deleted"
    heat = film_route.heat_address(entry)
    if heat is None:
        return None, "Not scored"
    if not review_panel.may_see_heat(entry, reviews):
        return None, "After your verdict"
    if film_route.scale_of(entry) is not None:
        return heat, ""
    if resources.engine().status().state != "ready":
        return None, "Available once the model is loaded"
    return None, "No heatmap: scored by an earlier model"
