"""The report of the film: shown, copied, saved, and the site's template for it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cxr_app.errors import ReportError
from cxr_app.permissions import Permission
from cxr_app.prediction import visible_extent
from cxr_app.reports.diagnostic_report import diagnostic_report
from cxr_app.reports.facts import ReportFacts, facts_of
from cxr_app.reports.pdf import check_characters, report_pdf
from cxr_app.reports.template import report_text, site_template
from cxr_app.ui import blinding, resources
from cxr_app.ui.access import exporting, may
from cxr_app.ui.components.copy_button import copy_button
from cxr_app.ui.panels import review_panel
from cxr_app.ui.panels.template_panel import template_form
from cxr_app.ui.server import film_route
from cxr_app.ui.text import formatting
from cxr_app.worklist import Annotation, Entry, Review


def report_panel(
    entry: Entry, reviews: list[Review], earlier: Entry | None, marks: Sequence[Annotation] = ()
) -> None:
    """Show the report by the site's template, and what can be done with it.

    Parameters
    ----------
    entry
        As it may be shown now: with masked identities the report has the short ids.
    earlier
        The film that this one is compared with on the page.
    marks
        Measurements on the film.
    """
    with st.expander("Report", key="report"):
        facts = _facts(entry, reviews, earlier, marks)
        try:
            text = report_text(site_template(resources.settings().data_dir), facts)
        except ReportError as error:
            st.error(formatting.escape_markdown(str(error)))
        else:
            st.code(text, language=None, wrap_lines=True)
            copy_button("Copy the report (K)", text, "k")
            _files(entry, facts, text)
        if may(Permission.SAVE_TEMPLATE):
            with st.popover("Template of this site", width="stretch"):
                template_form(facts)


def _facts(
    entry: Entry, reviews: list[Review], earlier: Entry | None, marks: Sequence[Annotation]
) -> ReportFacts:
    compared = None
    if earlier is not None:
        compared = earlier, blinding.reviews_of(earlier.id)
    extent = None
    scale = film_route.scale_of(entry)
    if entry.activation_map is not None and review_panel.may_see_heat(entry, reviews):
        extent = visible_extent(entry.activation_map, scale, entry.lungs)
    disputed = [film.id for film in filter(None, (entry, earlier)) if blinding.is_disputed(film.id)]
    measured = [mark.measurement for mark in marks]
    return facts_of(entry, reviews, extent, compared, measured, disputed)


def _files(entry: Entry, facts: ReportFacts, text: str) -> None:
    """Offer the report as files, made when they are asked for."""
    left, right = st.columns(2, gap="small")
    with left:
        try:
            check_characters(text)
        except ReportError as error:
            st.caption(formatting.escape_markdown(str(error)))
        else:
            st.download_button(
                "PDF",
                exporting(Permission.EXPORT_REPORT, partial(report_pdf, text), entry.id),
                f"report-{entry.id[:8]}.pdf",
                "application/pdf",
                key=f"report_pdf_{entry.id}",
                on_click="ignore",
                width="stretch",
            )
    with right:
        st.download_button(
            "FHIR",
            exporting(Permission.EXPORT_REPORT, partial(diagnostic_report, facts, text), entry.id),
            f"report-{entry.id[:8]}.json",
            "application/fhir+json",
            key=f"report_fhir_{entry.id}",
            on_click="ignore",
            width="stretch",
            help="DiagnosticReport of FHIR R4, as JSON",
        )
