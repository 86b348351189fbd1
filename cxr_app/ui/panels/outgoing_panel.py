"""What goes out: archives, the objects on their way there, echo test and retry."""

from functools import partial

import streamlit as st

from cxr_app.destination import Destination
from cxr_app.pacs.destinations import check_destination, destinations_of
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt, show_problem
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.film_table import TableLook, film_table
from cxr_app.ui.panels.destination_panel import destination_panel, remove_button
from cxr_app.ui.text import formatting, outgoing_text
from cxr_app.worklist import Outgoing, OutgoingState

PLACE = "outgoing"
REFRESH_SECONDS = 5.0
LENGTH = 200
ALL = "all"
FILTERS = {ALL: None} | {word: state for state, word in outgoing_text.STATES.items()}


def outgoing_panel() -> None:
    """Show the archives and what they are sent; it refreshes by itself."""
    st.header("What goes out", anchor=False)
    if not destinations_of(resources.settings(), resources.worklist()):
        st.info(
            "No archive is named. Enter one here, or set CXR_RESULTS_TO, for example to "
            "ORTHANC@archive:4242 or https://archive/dicom-web: results of films scored from then "
            "on stand beside the films."
        )
    destination_panel()
    show_problem(PLACE)
    st.fragment(_archives)()
    st.fragment(_outbox)()


def _archives() -> None:
    known = {each.name: each for each in resources.worklist().outbox.archives()}
    fixed = {each.name for each in resources.settings().destinations}
    found = destinations_of(resources.settings(), resources.worklist())
    named = {each.name: each for each in found}
    for name, archive in known.items():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(outgoing_text.archive_line(archive, is_named=name in named))
            st.space("stretch")
            if archive.held_at is not None:
                _held_buttons(name)
            if name in named:
                _echo_button(named[name])
            if name in named.keys() - fixed:
                remove_button(name)
    if missing := [name for name in named if name not in known]:
        names = formatting.escape_markdown(", ".join(missing))
        st.caption(f"The sender has not started yet for {names}.")
    auto_refresh("archives", REFRESH_SECONDS)


def _held_buttons(name: str) -> None:
    """Let a person decide what a restored worklist sends."""
    st.button(
        "Send what waits",
        key=f"resume_{name}",
        help="For a server that takes the place of the old one: objects that the archive has "
        "already are sent once more, with the same UIDs.",
        on_click=attempt,
        args=(partial(_resume, name), PLACE),
    )
    st.button(
        "Send new results only",
        key=f"resume_anew_{name}",
        help="What waits is given up; results made from now on are sent.",
        on_click=attempt,
        args=(partial(_resume_anew, name), PLACE),
    )


@guarded(Permission.RETRY_RESULTS)
def _resume(name: str) -> None:
    resources.worklist().outbox.resume(name)


@guarded(Permission.RETRY_RESULTS)
def _resume_anew(name: str) -> None:
    resources.worklist().outbox.resume_anew(name)


def _echo_button(destination: Destination) -> None:
    if st.button("Echo test", key=f"echo_{destination.name}", icon=":material/network_check:"):
        attempt(partial(_echo, destination))


@guarded(Permission.TEST_CONNECTION)
def _echo(destination: Destination) -> None:
    with st.spinner("Waiting for its answer …"):
        check_destination(destination, resources.settings())
    st.toast(f"{formatting.escape_markdown(destination.name)} answers.", icon=":material/check:")


def _outbox() -> None:
    chosen = st.segmented_control(
        "Show", list(FILTERS), default=ALL, key="outgoing_filter", label_visibility="collapsed"
    )
    objects = resources.worklist().outbox.newest(FILTERS[chosen or ALL], limit=LENGTH)
    _retry_button(objects)
    if not objects:
        st.caption("Nothing here.")
    else:
        gesture = film_table(
            "outgoing",
            outgoing_text.OUTGOING,
            outgoing_text.outgoing_rows(objects),
            label="What goes out",
            look=TableLook("max(13rem, calc(100dvh - 30rem))"),
        )
        for each in objects:
            if gesture.opened == str(each.number):
                st.switch_page("views/film.py", query_params={"film": each.entry_id})
    if len(objects) == LENGTH:
        st.caption(f"The newest {LENGTH}.")
    auto_refresh("outbox", REFRESH_SECONDS)


def _retry_button(objects: list[Outgoing]) -> None:
    named = _named()
    numbers = [each.number for each in objects if _may_be_retried(each, named)]
    st.button(
        f"Try {len(numbers)} now" if numbers else "Try now",
        key="retry_outgoing",
        icon=":material/refresh:",
        disabled=not numbers,
        help="Sends again what was given up, and what waits after a failure; not what was for an "
        "archive that is named no more.",
        on_click=attempt,
        args=(partial(_retry, objects), PLACE),
    )


@guarded(Permission.RETRY_RESULTS)
def _retry(objects: list[Outgoing]) -> None:
    named = _named()  # an archive may have been removed since the page was drawn
    resources.worklist().outbox.retry(
        each.number for each in objects if _may_be_retried(each, named)
    )


def _named() -> set[str]:
    """Return the names of the archives that results are sent to now."""
    found = destinations_of(resources.settings(), resources.worklist())
    return {each.name for each in found}


def _may_be_retried(each: Outgoing, named: set[str]) -> bool:
    has_failed = each.state is OutgoingState.WAITING and bool(each.problem)
    return each.destination in named and (has_failed or each.state is OutgoingState.GIVEN_UP)
