"""The second reading of the film: how far it is, and to ask for one."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.ui import blinding, current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.text import second_reading_text
from cxr_app.worklist import Entry, Review, SecondReading, SecondReadingState

OPEN = (SecondReadingState.UNREAD, SecondReadingState.WAITING)


def second_reading_line(entry: Entry, reviews: Sequence[Review]) -> None:
    """Show how far the second reading of the film is; nothing if it is not read twice.

    Parameters
    ----------
    reviews
        Those that this reader may see, newest first.
    """
    second = blinding.second_reading(entry.id)
    # A place of its own even without a line: what a key interrupts must not move others.
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="second_reading"
    ):
        if second is None:
            return
        reader = current_reader.name_if_known()
        st.markdown(second_reading_text.line(second, reviews, reader), width="content")
        if _may_withdraw(second, reader):
            st.button(
                "No second reading",
                key=f"no_second_reading_{entry.id}",
                type="tertiary",
                on_click=attempt,
                args=(partial(_withdraw, entry.id),),
            )


def second_reading_form(entry: Entry) -> None:
    """Offer to ask for a second reading, where the site has them."""
    if not resources.settings().second_reading_rule.asked:
        return
    has_one = blinding.second_reading(entry.id) is not None
    st.button(
        "Second reading, please",
        key=f"ask_second_reading_{entry.id}",
        disabled=has_one or entry.film_deleted_at is not None,
        help="Another reader reads the film without seeing the first verdict."
        if not has_one
        else "This film has a second reading already.",
        on_click=attempt,
        args=(partial(_ask, entry.id),),
    )


def _may_withdraw(second: SecondReading, reader: str) -> bool:
    return second.state in OPEN and reader != "" and second.asked_by == reader


@guarded(Permission.HAND_OVER)
def _ask(entry_id: str) -> None:
    resources.worklist().room.second_readings.ask(entry_id, current_reader.name())


@guarded(Permission.HAND_OVER)
def _withdraw(entry_id: str) -> None:
    resources.worklist().room.second_readings.withdraw(entry_id, current_reader.name())
