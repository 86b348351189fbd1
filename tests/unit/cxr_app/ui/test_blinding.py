"""What readers said of a film reaches a page by `blinding` alone."""

import re

from cxr_app.settings import PROJECT

PLACES = (PROJECT / "cxr_app" / "ui", PROJECT / "cxr_app" / "reports")
SAID = re.compile(r"\b(reviews|annotations)\.of_film\b|\bnotes\.of_films\b")
"""Calls of the worklist that return verdicts, comments, marks or notes."""
ALLOWED = {"blinding.py", "research_export.py"}
"""The export for research names neither film nor reader; it is for scientists."""


def test_no_page_reads_what_readers_said_past_the_blinding() -> None:
    found = {
        path.name for each in PLACES for path in each.rglob("*.py") if SAID.search(path.read_text())
    }
    assert found == ALLOWED
