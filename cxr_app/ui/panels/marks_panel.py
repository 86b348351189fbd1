"""Marks on the film: kept as the viewer sends them, listed in words, each with its way back."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from cxr_app import display_text
from cxr_app.permissions import Permission
from cxr_app.ui import current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.panels.attestation_panel import shown_pose
from cxr_app.ui.text.formatting import escape_markdown
from cxr_app.worklist import Annotation, AnnotationKind, Entry, Measurement

NAMES = {
    AnnotationKind.LENGTH: "Length",
    AnnotationKind.ANGLE: "Angle",
    AnnotationKind.RATIO: "Cardiothoracic ratio",
    AnnotationKind.KEY_IMAGE: "Key image",
}


def marks_panel(entry: Entry, marks: Sequence[Annotation]) -> None:
    """List the marks on the film in words, for those who cannot see them too."""
    # A place of its own even without a mark: what a key interrupts must not move others.
    with st.container(gap="small", key="marks"):
        for mark in marks:
            _mark(entry, mark)


def shown_marks(entry: Entry, marks: Sequence[Annotation]) -> list[dict[str, Any]]:
    """Return the marks made on the film as it lies now, for the viewer."""
    pose = shown_pose(entry).key
    return [
        {
            "kind": mark.measurement.kind.value,
            "points": [list(point) for point in mark.measurement.points],
            "words": _drawn_words(mark.measurement),
        }
        for mark in marks
        if mark.measurement.pose == pose
    ]


def _drawn_words(measurement: Measurement) -> str:
    """Return what stands beside a mark on the film."""
    if measurement.kind is AnnotationKind.KEY_IMAGE:
        return NAMES[measurement.kind]
    return measurement.words


def keep_mark(mark: dict[str, Any], entry_id: str) -> None:
    """Keep a mark that the browser sends, whose data cannot be trusted: odd ones are dropped."""
    entry = resources.worklist().entry(entry_id)
    measurement = _measurement(mark, shown_pose(entry).key)
    if measurement is not None:
        attempt(partial(_keep_measurement, entry_id, measurement))


def _measurement(mark: dict[str, Any], pose: str) -> Measurement | None:
    try:
        points = tuple((float(x), float(y)) for x, y in mark["points"])
        unit, basis = str(mark["unit"]), str(mark["basis"])[:16]
        if unit not in ("mm", "px", "deg", ""):
            return None
        kind = AnnotationKind(mark["kind"])
        return Measurement(kind, points, float(mark["value"]), unit, basis, pose)
    except (KeyError, TypeError, ValueError):
        return None


def _mark(entry: Entry, mark: Annotation) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"{NAMES[mark.measurement.kind]}: **{mark.measurement.words.removeprefix('CTR ')}** "
            f"({escape_markdown(mark.reader)}, {display_text.timestamp(mark.made_at)})",
            width="stretch",
        )
        st.button(
            "Take back",
            key=f"take_mark_back_{entry.id}_{mark.number}",
            type="tertiary",
            on_click=attempt,
            args=(partial(_take_back, entry.id, mark.number),),
        )


@guarded(Permission.REVIEW)
def _keep_measurement(entry_id: str, measurement: Measurement) -> None:
    resources.worklist().room.annotations.add(entry_id, current_reader.name(), measurement)


@guarded(Permission.REVIEW)
def _take_back(entry_id: str, number: int) -> None:  # the audit notes the film
    resources.worklist().room.annotations.take_back(number, current_reader.name())
