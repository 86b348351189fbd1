"""A look into the archive for a patient's earlier films: begun, followed and cancelled."""

from functools import partial

import streamlit as st

from cxr_app.pacs.archive_lookup import ArchiveLookup, LookupStatus
from cxr_app.permissions import Permission
from cxr_app.ui import resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.text import formatting, lookup_text
from cxr_app.worklist import Entry

REFRESH_SECONDS = 1.0
LOOKUP = "archive_lookup"
"""Session key of the film whose patient was looked for, and of the look."""


def archive_lookup_panel(entry: Entry) -> None:
    """Offer to look in the archive for earlier films, if there is one; show how far it is."""
    if resources.settings().film_archive is None or entry.header is None:
        return
    film, lookup = st.session_state.get(LOOKUP, ("", None))
    if film != entry.id or lookup is None:
        _show_prefetched(entry)
        _offer(entry, "Look in the archive")
    elif _is_followed(lookup.status()):
        st.fragment(_follow)(lookup)
    else:
        _end(lookup.status())
        _offer(entry, "Look in the archive again")


def _show_prefetched(entry: Entry) -> None:
    """Show what was fetched before anybody asked."""
    if not resources.settings().prefetch:
        return
    prefetch = resources.worklist().prefetches.of_film(entry.id)
    if prefetch is not None and (words := lookup_text.prefetched(prefetch)):
        st.caption(formatting.escape_markdown(words))


def _offer(entry: Entry, label: str) -> None:
    st.button(
        label,
        key="look_in_archive",
        icon=":material/manage_search:",
        width="stretch",
        on_click=attempt,
        args=(partial(_start, entry),),
        help="Fetches earlier films of this patient: the same Patient ID of the same issuer, "
        "without a contradiction in name, sex or birth date.",
    )


@guarded(Permission.LOOK_IN_ARCHIVE)
def _start(entry: Entry) -> None:
    if entry.header is None:
        return
    lookup = ArchiveLookup(resources.settings(), resources.worklist(), entry.header, entry.id)
    st.session_state[LOOKUP] = (entry.id, lookup)
    lookup.start()


def _follow(lookup: ArchiveLookup) -> None:
    """Show the progress, and draw the page again once the films can be compared."""
    status = lookup.status()
    if not _is_followed(status):
        st.rerun()
    st.caption(lookup_text.progress(status))
    st.progress(lookup_text.fraction_done(status))
    if status.is_active:
        st.button(
            "Cancel",
            key="cancel_lookup",
            width="stretch",
            disabled=status.state == "cancelling",
            on_click=lookup.cancel,
        )
    auto_refresh("follow_lookup", REFRESH_SECONDS)


def _end(status: LookupStatus) -> None:
    """Show how it ended."""
    text = formatting.escape_markdown(lookup_text.ended(status))
    if status.state == "failed":
        st.error(text)
    else:
        st.caption(text)


def _is_followed(status: LookupStatus) -> bool:
    """Check whether it goes on, or the films that came wait for their scores."""
    if status.is_active:
        return True
    came = resources.worklist().entries_by_ids(status.entry_ids)
    return any(entry.scored_at is None for entry in came)
