"""A table of films: a click or Enter on a row returns the entry's id.

`st.dataframe` returns a row's position in the data it was last given, which is no identity while
films arrive. It also handles no keys and opens no row by a click on its text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from cxr_app.ui.components.script_state import REST

HERE = Path(__file__).parent

SCRIPT = "\n".join(
    (HERE / name).read_text(encoding="utf-8")
    for name in ("columns.js", "preview.js", "film_table.js")
)

_mount = st.components.v2.component(
    "film_table",
    css=(HERE / "film_table.css").read_text(encoding="utf-8"),
    js=REST + SCRIPT,
)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of the table.

    Parameters
    ----------
    id
        Key of its value in a row.
    width
        Minimum width in rem; spare width is distributed in proportion.
    sort
        Name to sort by if its head is clicked; empty if it cannot be sorted.
    first
        Direction after the first click; the second reverses it, the third ends sorting.
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
    """Sort order of a table; without a name, rows stay in the order given."""

    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class TableLook:
    """How a table is shown.

    Parameters
    ----------
    height
        Maximum height as CSS; empty for no limit.
    previews
        Address below which each entry's id has a small picture. The reader then chooses, orders and
        widens the columns, empty ones are left out, and a row opens to a preview. Empty for none.
    wanted
        Columns of a saved view, taken over once for each value of its ``stamp``; None for the
        reader's own.
    """

    height: str = ""
    previews: str = ""
    wanted: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Gesture:
    """What the reader has just done with the table; None for anything not done."""

    opened: str | None = None
    sorting: Sorting | None = None


def film_table(
    key: str,
    columns: Sequence[TableColumn],
    rows: Sequence[dict[str, Any]],
    *,
    label: str,
    sorting: Sorting | None = None,
    look: TableLook | None = None,
) -> Gesture:
    """Show films, and return which one was opened or what to sort by.

    The arrow keys work from the start unless the reader is typing elsewhere. New rows, orders and
    values are drawn in place: the table keeps its scroll position and its current row. The columns
    that the reader chose are in the session, under the key and ``columns``.

    Parameters
    ----------
    key
        Key of the widget.
    rows
        Each with ``id``, the entry's id; ``tone`` (``strong``, ``person``, ``quiet`` or empty);
        and a value for each column's id. Text is shown literally, without markup.
    label
        Description of the table for screen readers.
    sorting
        Current sort order of the rows.
    look
        Height and previews.
    """
    now = sorting or Sorting()
    data = {
        "label": label,
        "columns": [asdict(column) for column in columns],
        "rows": list(rows),
        "sort": now.sort,
        "descending": now.descending,
        **asdict(look or TableLook()),
    }
    answer = _mount(
        key=key,
        data=data,
        on_opened_change=_do_nothing,
        on_sorted_change=_do_nothing,
        on_columns_change=_do_nothing,
    )
    return Gesture(
        opened=answer.opened if isinstance(answer.opened, str) else None,
        sorting=_sorting(answer.sorted),
    )


def _sorting(value: object) -> Sorting | None:
    """Return a sort order from the browser, whose data cannot be trusted."""
    if not isinstance(value, dict) or not isinstance(value.get("sort"), str):
        return None
    return Sorting(value["sort"], value.get("descending") is True)


def _do_nothing() -> None:
    """Do nothing (required callback): the caller acts on the returned gesture."""
