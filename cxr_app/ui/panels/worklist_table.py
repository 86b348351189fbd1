"""One page of the worklist as a table, and the line below it."""

from datetime import UTC, datetime

import streamlit as st

from cxr_app.priority import BANDS
from cxr_app.ui import blinding, masking, resources, view_state
from cxr_app.ui.components.film_table import Sorting, TableLook, film_table
from cxr_app.ui.panels.views_panel import TABLE, columns_wanted
from cxr_app.ui.server import film_route
from cxr_app.ui.text import formatting, table_rows
from cxr_app.worklist import Query

PAGE_LENGTH = 50
MOST_HITS = 1_000
"""Largest number of search hits, or of studies, that are counted and can be paged through."""


def open_film(entry_id: str) -> None:
    """Go to a film, keeping filters and sort order."""
    st.switch_page("views/film.py", query_params={**view_state.parameters(), "film": entry_id})


def worklist_table(query: Query, total: int, scoring: int) -> None:
    """Show one page of the list; open the film or apply the sort order that the reader chose."""
    listed = min(total, MOST_HITS) if query.text or query.by_study else total
    pages = -(-listed // PAGE_LENGTH)
    number = min(view_state.page_number(), pages)
    entries = resources.worklist().page(query, (number - 1) * PAGE_LENGTH, PAGE_LENGTH)
    now, newer = datetime.now(UTC), resources.worklist().newer_films(entries)
    notes = blinding.notes_of(entry.id for entry in entries)
    in_use = resources.engine().status().model_version
    rows = [
        table_rows.row(masking.shown(each), now, newer.get(each.id), in_use, notes.get(each.id, ()))
        for each in entries
    ]
    keys = resources.worklist().room.annotations.key_images(entry.id for entry in entries)
    rows = [each | {"key": "★" if each["id"] in keys else ""} for each in rows]
    if query.by_study:
        views = resources.worklist().studies.views(entries)
        rows = [each | {"study": table_rows.study(views.get(each["id"], []))} for each in rows]
    gesture = film_table(
        TABLE,
        table_rows.columns(query.state, by_study=query.by_study),
        rows,
        label="Films",
        sorting=Sorting(query.sort, query.descending),
        look=TableLook("max(16rem, calc(100dvh - 19rem))", film_route.pictures(), columns_wanted()),
    )
    _footer(query, _size(query, total, scoring), number, pages)
    if gesture.opened:
        open_film(gesture.opened)
    if gesture.sorting:
        view_state.change(sort=gesture.sorting.sort, descending=gesture.sorting.descending)
        st.rerun()


def _size(query: Query, total: int, scoring: int) -> str:
    """Return the number of films or studies listed, and of films being scored."""
    number = formatting.studies if query.by_study else formatting.films
    too_many = (query.text or query.by_study) and total > MOST_HITS
    listed = f"More than {number(MOST_HITS)}" if too_many else number(total)
    return f"{listed}, {scoring:,} being scored" if scoring else listed


def _footer(query: Query, size: str, number: int, pages: int) -> None:
    """Show size and order of the list, and its pages."""
    order = "sorted by the column selected above; a third click on it restores the default order"
    if not query.sort:
        hours = f"{query.waiting_cap.total_seconds() / 3600:g}"
        bands = ", ".join(f"{lowest * 100:g}" for lowest in BANDS)
        order = (
            f"urgent first, then films waiting over {hours} hours, then flagged ones, by tier, "
            f"probability (from {bands} % down) and waiting time; other kinds of files at the end"
        )
    if query.by_study:
        order += "; a study stands where its most urgent film would"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{size}; {order}.")
        st.space("stretch")
        if pages > 1:
            key = f"page_{number}_of_{pages}"  # the address holds the page number, not the widget
            st.pagination(
                pages,
                default=number,
                key=key,
                on_change=lambda: view_state.change(page=st.session_state[key]),
            )
