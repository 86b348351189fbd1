"""Model: performance of the model in use, at any operating point and local prevalence."""

from pathlib import Path

import streamlit as st

from cxr_app.scoring_engine import EngineStatus
from cxr_app.ui import resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.panels.agreement_panel import agreement_panel
from cxr_app.ui.panels.performance_panel import performance_panel
from cxr_app.ui.panels.research_panel import research_panel
from cxr_app.ui.text import formatting

REFRESH_SECONDS = 1.0
STYLE = """<style>
/* Content scrolled away must not show beneath the banner. */
.stMain { margin-top: 1.9rem; height: calc(100% - 1.9rem); }
.stMainBlockContainer { padding-top: 0.5rem; }
.st-key-named_points { margin-top: -1.4rem; }
.stMain [data-testid="stMetricValue"] { line-height: 1.2; }
.stMain [data-testid="stMetricDelta"] { background: none; padding: 0; }
/* Wide tables of the model card scroll by themselves. */
.stMain [data-testid="stExpander"] table { display: block; overflow-x: auto; }
</style>"""


def no_model(status: EngineStatus) -> None:
    """Explain why nothing is shown."""
    if status.state == "loading":
        st.info("The model is being loaded. Its performance appears here as soon as it is ready.")
        st.fragment(wait_for_model)()
    else:
        st.info("No model is in use. The sidebar shows the reason.")


def wait_for_model() -> None:
    """Rerun the page once the model is loaded."""
    if resources.engine().status().state != "loading":
        st.rerun()
    auto_refresh("wait_for_model", REFRESH_SECONDS)


def limitations() -> None:
    """Show how far the metrics can be trusted."""
    st.warning(
        "The shipped model was trained on frontal films of children aged one to five and of "
        "adults; the figures here are of children. Performance on films like the training films "
        "is optimistic: at another hospital, on another machine or at another age it will be "
        "lower, by an unknown amount. A local prevalence changes the "
        "predictive values; sensitivity and specificity are assumed to be the same there, which "
        "cannot be guaranteed. A film that is not flagged is not thereby free of disease.",
        icon=":material/warning:",
    )


def model_card(checkpoint: Path, model_version: str) -> None:
    """Show the model card beside the checkpoint if it belongs to this model."""
    card = checkpoint.with_name("README.md")
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    if model_version not in text:
        version = formatting.escape_markdown(model_version)
        st.caption(f"No model card for {version} was found beside its checkpoint.")
        return
    with st.expander("Model card", icon=":material/description:"):
        st.markdown(text)


def page() -> None:
    """Show the page."""
    st.html(STYLE)
    st.title("Model performance", anchor=False)
    status = resources.engine().status()
    if status.checkpoint is None:
        no_model(status)
        research_panel()
        return
    performance_panel(status, status.checkpoint)
    agreement_panel(status.model_version)
    limitations()
    model_card(status.checkpoint, status.file_version)
    research_panel()


page()
