"""Films, results and reviews as a file for research, without identities."""

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.reports.research_export import research_lines
from cxr_app.ui import resources
from cxr_app.ui.access import exporting, may

MOST_FILMS = 100_000


def research_panel() -> None:
    """Offer the file to whoever may have it."""
    if not may(Permission.EXPORT_WITHOUT_IDENTITIES):
        return
    worklist = resources.worklist()

    def make() -> bytes:
        return "".join(research_lines(worklist, MOST_FILMS)).encode()

    st.download_button(
        "Results and reviews without identities",
        exporting(Permission.EXPORT_WITHOUT_IDENTITIES, make),
        "films.jsonl",
        "application/jsonl",
        key="export_research",
        icon=":material/download:",
        on_click="ignore",
        help="A line of JSON for each film, the oldest first: ids are keyed hashes, dates are "
        f"years, and comments are left out. At most {MOST_FILMS:,} films.",
    )
