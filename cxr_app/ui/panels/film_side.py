"""The column beside the film: score, review, earlier films and file details."""

from datetime import UTC, datetime

import streamlit as st

from cxr_app.ui import blinding, masking, resources
from cxr_app.ui.panels import review_panel
from cxr_app.ui.panels.archive_lookup_panel import archive_lookup_panel
from cxr_app.ui.panels.attestation_panel import attestation_panel
from cxr_app.ui.panels.marks_panel import marks_panel
from cxr_app.ui.panels.report_panel import report_panel
from cxr_app.ui.panels.study_panel import study_panel
from cxr_app.ui.server import film_route
from cxr_app.ui.text import extent_text, film_html
from cxr_app.worklist import Claim, Entry, Review


def film_side(entry: Entry, reviews: list[Review], others: Claim | None) -> Entry | None:
    """Show everything beside the film.

    Returns
    -------
    Entry or None
        The earlier film that the reader wants to see beside this one.
    """
    shown = masking.shown(entry)
    _score(shown, reviews)
    attestation_panel(shown, others)
    review_panel.review_panel(shown, reviews, others)
    study_panel(entry, others)
    marks = blinding.marks_of(entry.id)
    marks_panel(entry, marks)
    earlier = review_panel.earlier(entry)  # found by the patient ID, which may be masked
    archive_lookup_panel(entry)
    report_panel(shown, reviews, earlier, marks)
    with st.expander("Film and header", key="facts"):
        st.html(film_html.details(shown))
    return earlier


def _score(entry: Entry, reviews: list[Review]) -> None:
    """Show the score, its model, earlier scores and remarks."""
    status = resources.engine().status()
    with st.container(border=True, gap="small"):
        if entry.state is None:
            waiting = status.message if status.state == "failed" else "Being scored …"
            st.html(film_html.pending(waiting, active=status.state != "failed"))
        else:
            st.html(film_html.score(entry, _heat(entry, reviews)) or film_html.refusal(entry))
        st.html(film_html.provenance(entry, status, datetime.now(UTC)))
        if history := film_html.history(resources.worklist().scores(entry.id)):
            st.html(history)
    if entry.film_deleted_at is not None:
        st.html(film_html.deleted(entry.film_deleted_at))
    if entry.remarks:
        st.html(film_html.remarks(entry.remarks))


def _heat(entry: Entry, reviews: list[Review]) -> str:
    """Return where the heat lies; empty while the reader may not see the heat."""
    if entry.film_deleted_at is not None or not review_panel.may_see_heat(entry, reviews):
        return ""
    return extent_text.heat_sentence(entry, film_route.scale_of(entry))
