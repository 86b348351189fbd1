"""The models in use so far, and the way back to each."""

from functools import partial

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.promotion import checkpoint_in_use, go_back, ways_back
from cxr_app.ui import current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.text import formatting, retrain_text
from cxr_app.worklist import Promotion

PLACE = "models"
MODELS_SHOWN = 8
LOADING = "loading_model"
"""Session key that exists while a model put into use is still being loaded."""


def models_panel() -> None:
    """List the models that were in use, and offer to go back to each."""
    history = resources.worklist().promotions.history(limit=None)
    if not history:
        return
    found = ways_back(resources.settings(), resources.worklist())
    ways = {promotion.sha256: promotion for promotion in found}
    with st.container(border=True, key="models", gap="small"):
        st.markdown("**Models in use**")
        show_problem(PLACE)
        _show_loading()
        for promotion in history[:MODELS_SHOWN]:
            line = retrain_text.promotion_line(promotion)
            _line(line, ways.pop(promotion.sha256, None), history[0])
        for promotion in ways.values():  # in use before these changes
            _line(retrain_text.model_name(promotion), promotion, history[0])


def model_changed(promotion: Promotion) -> None:
    """Have the engine load a model just put into use."""
    resources.engine().wake()
    st.session_state[LOADING] = promotion.number


def promoted_is_loaded() -> bool:
    """Check whether the engine has the model that was last put into use."""
    wanted = checkpoint_in_use(resources.settings(), resources.worklist())
    return resources.engine().status().checkpoint == wanted


def _line(text: str, way_back: Promotion | None, newest: Promotion) -> None:
    """Show one change, with a button back to its model unless another line has it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(formatting.escape_markdown(text))
        st.space("stretch")
        if way_back is not None:
            name = formatting.escape_markdown(retrain_text.model_name(way_back))
            st.button(
                f"Back to {name}",
                key=f"back_{way_back.sha256[:8] or 'configured'}",
                on_click=attempt,
                args=(partial(_go_back, way_back, newest), PLACE),
            )


@guarded(Permission.PROMOTE)
def _go_back(promotion: Promotion, newest: Promotion) -> None:
    """Go back to an earlier model in the current reader's name, who has seen the newest change."""
    settings, worklist = resources.settings(), resources.worklist()
    reader = current_reader.name()
    model_changed(go_back(settings, worklist, promotion, reader, instead_of=newest))


def _show_loading() -> None:
    """Show whether the model just promoted is being loaded, or cannot be."""
    if LOADING not in st.session_state:
        return
    if message := resources.engine().status().message:
        st.error(formatting.escape_markdown(message))
    elif not promoted_is_loaded():
        st.caption("The model is being loaded. Until then, films wait to be scored.")
    else:
        st.session_state.pop(LOADING)
        st.rerun()  # the frame names the model at once instead of at its next refresh
