"""The other films of the study beside a film: small pictures, each leads to its film."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cxr_app.permissions import Permission
from cxr_app.ui import current_reader, masking, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.server import film_route
from cxr_app.ui.text import film_html, formatting
from cxr_app.worklist import Claim, Entry


def study_panel(entry: Entry, others: Claim | None) -> None:
    """Show the other films of the study, if there are any."""
    films = resources.worklist().studies.others(entry.id)
    if not films:
        return
    with st.container(border=True, gap="small", key="study"):
        st.html(film_html.films_in_study(len(films) + 1))
        for film in films:
            _film(masking.shown(film))
        _read_button(films, others)


def _film(film: Entry) -> None:
    """Show one film: its picture, which view it is, and what the program says of it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if film.film_deleted_at is None:
            st.html(film_html.small_picture(f"{film_route.pictures()}{film.id}/small"), width=64)
        st.button(
            formatting.escape_markdown(film_html.study_film(film)),
            key=f"study_{film.id}",
            type="tertiary",
            help="Open this film",
            on_click=lambda: st.query_params.update(film=film.id),
        )


def _read_button(films: Sequence[Entry], others: Claim | None) -> None:
    """Offer to mark as read what is unread of the study."""
    unread = [film.id for film in films if film.read_at is None]
    if not unread:
        return
    st.button(
        f"Mark {'it' if len(unread) == 1 else f'these {len(unread)}'} as read",
        key="read_study",
        width="stretch",
        disabled=others is not None,
        help="Marks the other films of this study as read, not the film in view.",
        on_click=attempt,
        args=(partial(_mark_read, unread),),
    )


@guarded(Permission.REVIEW)
def _mark_read(entry_ids: Sequence[str]) -> None:
    reader = current_reader.name()
    for entry_id in entry_ids:
        resources.worklist().mark_read(entry_id, reader)
