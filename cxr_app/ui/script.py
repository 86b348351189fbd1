"""The frame around every page: navigation, banner, reader and model in use."""

import streamlit as st

from cxr_app.audit.event import AuditKind
from cxr_app.permissions import Permission
from cxr_app.ui import current_reader, masking, pages, recovery, resources
from cxr_app.ui.access import may
from cxr_app.ui.auditing import note_once
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.theme_switch import theme_switch
from cxr_app.ui.components.urgent_signal import urgent_signal
from cxr_app.ui.page_root import draw_at_root
from cxr_app.ui.panels import review_panel, sign_in_panel
from cxr_app.ui.panels.late_panel import late_panel
from cxr_app.ui.server import film_route
from cxr_app.ui.text import formatting

BANNER = "Investigational use: not for diagnosis"
DEBUG_BANNER = "Developer's mode: errors show their whole message, which may quote patient data"
BACKGROUND = ", ".join(
    str(st.get_option(f"theme.{theme}.backgroundColor")) for theme in ("light", "dark")
)
QUIET = "#4d545c", "#a3abb6"
"""Colours of what is said quietly, on the light page and the dark: 4.5 to 1 or more."""
FRAME = f"""<style>
.st-key-banner {{ position: fixed; inset: 0 0 auto 0; z-index: 1000000; height: 1.9rem;
  align-items: center; justify-content: center; pointer-events: none; }}
.st-key-banner > * {{ width: auto; }}
.st-key-banner [data-testid="stCaptionContainer"] {{ padding: 0.2rem 0.75rem; margin: 0;
  border-radius: 0.35rem; background: light-dark({BACKGROUND}); }}
.st-key-banner p {{ margin: 0; }}
/* Streamlit's own grey is too faint on the light page, and its green for code on both. */
[data-testid="stCaptionContainer"] {{ opacity: 1; color: light-dark({", ".join(QUIET)}); }}
[data-testid="stCaptionContainer"] code {{ color: inherit; font-size: 0.9em; }}
[data-testid="stLayoutWrapper"]:has(
  > .st-key-banner, > [class*="st-key-browser_storage_"], > [class*="st-key-auto_refresh_"],
  > .st-key-late_messages
) {{ position: absolute; pointer-events: none; }}
/* A popover lies outside of the themed page: its caption has the colour of its text. */
[data-testid="stPopoverBody"] [data-testid="stCaptionContainer"] {{
  color: inherit; opacity: 0.85; }}
/* The list is redrawn every few seconds and must not fade each time. */
.stMain:has(.st-key-films) [data-stale="true"] {{ opacity: 1; }}
.stMainBlockContainer {{ padding: 2.4rem 2rem 0.5rem; }}
/* On a wide screen an eye does not find the next of such long lines. */
.stMain :is([data-testid="stMarkdownContainer"], [data-testid="stCaptionContainer"]) p {{
  max-width: 140ch; }}
/* Day and month of a date are each a target of their own, too small as Streamlit draws them. */
[data-testid="stDateInput"] [role="spinbutton"] {{
  display: inline-block; min-width: 1.5rem; line-height: 1.5rem; text-align: center; }}
</style>"""
SIDEBAR_WIDTH = 220

LOADING_SECONDS = 2
LOADED_SECONDS = 10
"""Interval of checking the model, while it is being loaded and afterwards."""


def model_in_use() -> None:
    """Show the model in use and its device, or why there is none."""
    status = resources.engine().status()
    if status.state == "loading":
        st.caption(
            "Loading the model …  \nFilms can be uploaded now and are scored once it is loaded."
        )
        auto_refresh("follow_model", LOADING_SECONDS)
        return
    if status.state == "failed":
        reason = formatting.escape_markdown(status.message)
        st.error(f"No model: films are saved but not scored. {reason}")
    else:
        lines = map(formatting.escape_markdown, (status.model_version, status.device_name))
        st.caption("  \n".join(lines))
        if status.message:
            st.warning(formatting.escape_markdown(status.message))
    if st.session_state.setdefault("model_seen", status.model_version) != status.model_version:
        st.session_state["model_seen"] = status.model_version
        st.rerun()  # another model is in use, which may concern every page
    auto_refresh("follow_model", LOADED_SECONDS)


def banner() -> None:
    """Show that use is investigational, and which model is in use.

    The banner refreshes by itself: rerunning the whole page could move a row from under the
    reader's pointer. It does so only for a page that has stopped.
    """
    sign_in_panel.end_if_idle()
    recovery.rerun_if_stopped()
    status = resources.engine().status()
    debug = DEBUG_BANNER if resources.settings().debug else ""
    parts = (BANNER, debug, formatting.escape_markdown(status.model_version))
    st.caption(" · ".join(filter(None, parts)))
    auto_refresh("follow_banner", LOADING_SECONDS if status.state == "loading" else LOADED_SECONDS)


draw_at_root()
recovery.begin_page()
st.set_page_config(
    page_title="Chest film triage",
    page_icon="🩻",
    layout="wide",
    initial_sidebar_state=SIDEBAR_WIDTH,
)
sign_in_panel.require_sign_in()
st.html(FRAME)
with st.container(key="banner"):
    st.fragment(banner)()

note_once(AuditKind.SIGNED_IN, current_reader.authenticated_name())
page, entry = pages.navigation()
if entry.file != pages.FILM:
    review_panel.release()
    late_panel()
with st.sidebar:
    st.fragment(current_reader.reader_field)()
    sign_in_panel.sign_out_button()
    masking.switch()
    st.caption("Model")
    st.fragment(model_in_use)()
    if may(Permission.OPEN_FILM):
        urgent_signal(film_route.urgent_address(), current_reader.name_if_known())
    theme_switch()
pages.run(page, entry)
