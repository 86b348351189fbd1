"""The site's template of the report: shown, changed, and tried before it is kept."""

import streamlit as st

from cxr_app.errors import ReportError
from cxr_app.permissions import Permission
from cxr_app.reports.facts import ReportFacts
from cxr_app.reports.template import EXAMPLE, names, report_text, save_template, site_template
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import formatting

PLACE = "report_template"
TEMPLATE = "report_template_text"
"""Widget key of the template."""


def template_panel() -> None:
    """Offer the template to administrators, with the report of a made-up film."""
    st.header("Template of the report", anchor=False)
    template_form(EXAMPLE)


def template_form(facts: ReportFacts) -> None:
    """Show the template, the report that it makes as it stands in the field, and save it.

    Parameters
    ----------
    facts
        Of the film whose report is shown.
    """
    show_problem(PLACE)
    data_dir = resources.settings().data_dir
    st.session_state.setdefault(TEMPLATE, site_template(data_dir))
    st.text_area("Template (Jinja)", key=TEMPLATE, height=320)
    st.caption(
        "For every film and reader of this site. Empty it to have the program's own. Names: "
        f"{formatting.escape_markdown(', '.join(names()))}. Filters: date, person, percent, "
        "moment."
    )
    _preview(str(st.session_state[TEMPLATE] or ""), facts)
    st.button("Save the template", key="save_template", on_click=attempt, args=(_save, PLACE))


def _preview(template: str, facts: ReportFacts) -> None:
    st.caption("The report by this template, before it is saved:")
    try:
        text = report_text(template, facts)
    except ReportError as error:
        st.error(formatting.escape_markdown(str(error)))
    else:
        st.code(text, language=None, wrap_lines=True)


@guarded(Permission.SAVE_TEMPLATE)
def _save() -> None:
    data_dir = resources.settings().data_dir
    save_template(data_dir, str(st.session_state[TEMPLATE] or ""))
    st.session_state[TEMPLATE] = site_template(data_dir)
    st.toast("The template is saved.")
