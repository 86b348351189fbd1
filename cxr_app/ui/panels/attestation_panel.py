"""A reader's word that a picture is a frontal chest film: given, shown and taken back."""

from functools import partial

import streamlit as st

from cxr_app.outcome import ScoringState
from cxr_app.permissions import Permission
from cxr_app.pose import QUARTERS, Pose
from cxr_app.ui import current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.text import formatting, pose_text
from cxr_app.worklist import Claim, Entry


def shown_pose(entry: Entry) -> Pose:
    """Return how the film is shown: as the reader tries it out, else as it was scored."""
    tried: Pose | None = st.session_state.get(_key(entry))
    return tried or entry.pose


def attestation_panel(entry: Entry, others: Claim | None) -> None:
    """Show on whose word the film is scored; offer to give it, turn the film, and take it back."""
    if entry.film_deleted_at is not None:
        return
    with st.container(key="attestation", gap="small"):
        if entry.attestation is not None:
            st.markdown(f"△ {formatting.escape_markdown(pose_text.attested(entry.attestation))}")
        if others is None and entry.state is not None:
            _offer(entry)


def _offer(entry: Entry) -> None:
    """Offer what can be said of a film that can be seen."""
    if entry.state is ScoringState.REJECTED and entry.rows:
        title = "Is it a frontal chest film?"
    elif entry.state is ScoringState.SCORED:
        title = "Turn or mirror the film"
    else:
        return
    tried, scored = shown_pose(entry), entry.pose
    with st.expander(title, key=f"pose_{entry.id}"):
        st.caption("Turn or mirror it until it lies as you read it, bone bright.")
        _turning(entry, tried)
        is_new = entry.attestation is None and entry.state is ScoringState.REJECTED
        st.button(
            "It is a frontal chest film: score it" if is_new else "Score it as it is shown now",
            key=f"attest_{entry.id}",
            width="stretch",
            disabled=tried == scored and not is_new,
            on_click=attempt,
            args=(partial(_give, entry, tried),),
            help="Recorded with your name and shown with the film. It can be taken back.",
        )
        if entry.attestation is not None:
            st.button(
                "Take it back",
                key=f"unattest_{entry.id}",
                width="stretch",
                on_click=attempt,
                args=(partial(_take_back, entry),),
                help="The film is screened and scored again as its file has it.",
            )


def _turning(entry: Entry, tried: Pose) -> None:
    """Show the buttons that turn and mirror the film on the screen."""
    turns, mirrored = tried.quarter_turns, tried.mirrored
    step = -1 if mirrored else 1  # mirrored after turning, so the other way round
    left, right, mirror = st.columns(3, gap="small")
    for place, label, pose in (
        (left, "Left", Pose((turns - step) % QUARTERS, mirrored)),
        (right, "Right", Pose((turns + step) % QUARTERS, mirrored)),
        (mirror, "Mirror", Pose(turns, not mirrored)),
    ):
        place.button(
            label,
            key=f"{label.lower()}_{entry.id}",
            width="stretch",
            on_click=st.session_state.__setitem__,
            args=(_key(entry), pose),
            help="Mirror left and right" if label == "Mirror" else f"Turn {label.lower()}",
        )


@guarded(Permission.ATTEST)
def _give(entry: Entry, pose: Pose) -> None:
    resources.worklist().attestations.give(entry.id, current_reader.name(), pose)
    _forget(entry)


@guarded(Permission.ATTEST)
def _take_back(entry: Entry) -> None:
    resources.worklist().attestations.take_back(entry.id, current_reader.name())
    _forget(entry)


def _forget(entry: Entry) -> None:
    """Show the film as it is scored from now on, and have it scored."""
    st.session_state.pop(_key(entry), None)
    resources.engine().wake()


def _key(entry: Entry) -> str:
    return f"tried_pose_{entry.id}"
