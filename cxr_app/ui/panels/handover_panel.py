"""What readers hand to each other with a film: urgency, assignment and notes."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from cxr_app import display_text
from cxr_app.permissions import Permission
from cxr_app.ui import blinding, current_reader, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.panels.second_reading_panel import second_reading_form
from cxr_app.ui.text.formatting import escape_markdown
from cxr_app.worklist import LONGEST_NOTE, LONGEST_REASON, Entry, Note

NAMES_KEPT_SECONDS = 60

Act = Callable[[], object]
ActWithText = Callable[[str], object]


def handover_lines(entry: Entry) -> None:
    """Show urgency, assignment and open notes above the film, each with its way back."""
    notes = blinding.notes_of([entry.id]).get(entry.id, [])
    with st.container(horizontal=True, gap="small", key="handover_lines"):
        _urgent_line(entry)
        _assigned_line(entry)
        for note in notes:
            if note.settled_at is None:
                _note_line(entry, note)


def handover_forms(entry: Entry) -> None:
    """Offer to mark the film as urgent, to assign it, and to leave a note."""
    with st.popover(
        "Hand over", help="Urgent, assign to a reader, note to the next reader, second reading"
    ):
        _urgent_form(entry)
        _assign_form(entry)
        _note_form(entry)
        second_reading_form(entry)


def _urgent_line(entry: Entry) -> None:
    urgency = entry.urgency
    if urgency is None:
        return
    _line(
        f"▲ **Urgent: {escape_markdown(urgency.reason)}** "
        f"({escape_markdown(urgency.reader)}, {display_text.timestamp(urgency.marked_at)})",
        "Not urgent",
        f"not_urgent_{entry.id}",
        partial(_take_urgency_back, entry.id),
    )


def _assigned_line(entry: Entry) -> None:
    assignment = entry.assignment
    if assignment is None:
        return
    by = "" if assignment.assigned_by == assignment.reader else f" by {assignment.assigned_by}"
    _line(
        f"For **{escape_markdown(assignment.reader)}** (assigned{escape_markdown(by)}, "
        f"{display_text.timestamp(assignment.assigned_at)})",
        "Leave to any reader",
        f"unassign_{entry.id}",
        partial(_end_assignment, entry.id),
    )


def _note_line(entry: Entry, note: Note) -> None:
    _line(
        f"✎ **Note of {escape_markdown(note.reader)}**, "
        f"{display_text.timestamp(note.written_at)}: {escape_markdown(note.text)}",
        "Done",
        f"settle_{note.number}",
        partial(_settle, entry.id, note.number),
    )


def _line(text: str, label: str, key: str, act: Act) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.markdown(text, width="content")
        st.button(label, key=key, type="tertiary", on_click=attempt, args=(act,))


def _urgent_form(entry: Entry) -> None:
    key = f"urgent_reason_{entry.id}"
    st.text_input("Urgent because", key=key, max_chars=LONGEST_REASON, placeholder="A word why")
    st.button(
        "Mark as urgent",
        key=f"urgent_{entry.id}",
        disabled=entry.read_at is not None,
        help="Read before all others; shown in the list to every reader."
        if entry.read_at is None
        else "The film is read. Mark it as unread first.",
        on_click=_submit,
        args=(key, partial(_mark_urgent, entry.id)),
    )


def _assign_form(entry: Entry) -> None:
    key = f"assign_to_{entry.id}"
    names = _names(resources.settings().worklist_url)
    me = current_reader.name_if_known()
    st.selectbox(
        "For the reader",
        list(dict.fromkeys(filter(None, (me, *names)))),
        index=None,
        key=key,
        accept_new_options=True,
        placeholder="Choose or type a name",
    )
    st.button(
        "Assign",
        key=f"assign_{entry.id}",
        on_click=_submit,
        args=(key, partial(_assign, entry.id)),
    )


def _note_form(entry: Entry) -> None:
    key = f"note_{entry.id}"
    st.text_input(
        "Note to the next reader",
        key=key,
        max_chars=LONGEST_NOTE,
        placeholder="Shown above the film until someone has dealt with it",
    )
    st.button(
        "Leave the note",
        key=f"leave_note_{entry.id}",
        on_click=_submit,
        args=(key, partial(_write_note, entry.id)),
    )


def _submit(key: str, act: ActWithText) -> None:
    """Empty the field, then record: nothing may touch the session after that."""
    text = str(st.session_state.get(key) or "")
    st.session_state[key] = None if key.startswith("assign_to_") else ""
    attempt(lambda: act(text))


@guarded(Permission.HAND_OVER)
def _mark_urgent(entry_id: str, why: str) -> None:
    resources.worklist().room.urgency.mark(entry_id, current_reader.name(), why)


@guarded(Permission.HAND_OVER)
def _take_urgency_back(entry_id: str) -> None:
    resources.worklist().room.urgency.take_back(entry_id, current_reader.name())


@guarded(Permission.HAND_OVER)
def _assign(entry_id: str, to: str) -> None:
    resources.worklist().room.assignments.assign(entry_id, to, current_reader.name())


@guarded(Permission.HAND_OVER)
def _end_assignment(entry_id: str) -> None:
    resources.worklist().room.assignments.end(entry_id, current_reader.name())


@guarded(Permission.HAND_OVER)
def _write_note(entry_id: str, said: str) -> None:
    resources.worklist().room.notes.write(entry_id, current_reader.name(), said)


@guarded(Permission.HAND_OVER)
def _settle(entry_id: str, number: int) -> None:  # the audit notes the film
    resources.worklist().room.notes.settle(number, current_reader.name())


@st.cache_data(ttl=NAMES_KEPT_SECONDS, show_spinner=False)
def _names(url: str) -> list[str]:  # `url` is the key of the cache
    return resources.worklist().room.assignments.readers()
