"""A table of films in the page: a click or Enter on a row names the film by its entry's id.

`st.dataframe` answers with a row's position in the data it was last given, takes no key and
opens no row by a click on its text; while films arrive, a position is not an identity.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from cxr_app.ui.components.script_state import REST

HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "film_table",
    css=(HERE / "film_table.css").read_text(encoding="utf-8"),
    js=REST + (HERE / "film_table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of the table.

    Parameters
    ----------
    id
        The key of its value in a row.
    width
        In rem, at least; what room there is beyond all columns is shared out in proportion.
    sort
        What a click on its head asks to sort by; empty where it cannot be sorted.
    first
        The direction of the first click; the second turns it round, the third ends it.
    kind
        ``number`` aligns right, ``share`` draws a bar of
        ``{"value": 0..1, "words": str, "mark": 0..1 or None}``.
    """

    id: str
    label: str
    width: float
    sort: str = ""
    first: Literal["ascending", "descending"] = "ascending"
    kind: Literal["text", "number", "share"] = "text"
    help: str = ""


@dataclass(frozen=True, slots=True)
class Sorting:
    """What a table is sorted by; no name is the order in which the rows are given."""

    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Gesture:
    """What the reader has just done with the table; None for what was not done."""

    opened: str | None = None
    sorting: Sorting | None = None


def film_table(
    key: str,
    columns: Sequence[TableColumn],
    rows: Sequence[dict[str, Any]],
    *,
    label: str,
    sorting: Sorting | None = None,
    height: str = "",
) -> Gesture:
    """Show films, and say which one was opened or what the table is to be sorted by.

    The arrow keys move in it from the start, unless the reader is typing elsewhere.
    New rows, another order and other values are drawn in place: the page keeps its scroll
    position and the row that the arrow keys stand on.

    Parameters
    ----------
    key
        Of the widget.
    rows
        Each with ``id``, the entry's id; ``tone`` (``strong``, ``person``, ``quiet`` or nothing);
        and a value for each column's id. Text is shown as it is: no markup has a meaning.
    label
        What the table holds, for a screen reader.
    sorting
        What the rows are sorted by already.
    height
        The greatest height, as CSS; empty for as tall as its rows.
    """
    now = sorting or Sorting()
    data = {
        "label": label,
        "columns": [asdict(column) for column in columns],
        "rows": list(rows),
        "sort": now.sort,
        "descending": now.descending,
        "height": height,
    }
    told = _mount(key=key, data=data, on_opened_change=_nothing_yet, on_sorted_change=_nothing_yet)
    return Gesture(
        opened=told.opened if isinstance(told.opened, str) else None,
        sorting=_sorting(told.sorted),
    )


def _sorting(told: object) -> Sorting | None:
    """Read what the page says; it is not ours to trust."""
    if not isinstance(told, dict) or not isinstance(told.get("sort"), str):
        return None
    return Sorting(told["sort"], told.get("descending") is True)


def _nothing_yet() -> None:
    """Take the place of a callback: the caller acts on the returned gesture."""
