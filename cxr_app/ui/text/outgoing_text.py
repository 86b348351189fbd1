"""Text and table rows for results on their way to archives."""

from collections.abc import Sequence
from typing import Any

from cxr_app import display_text
from cxr_app.destination import ResultKind
from cxr_app.ui.components.film_table import TableColumn
from cxr_app.ui.text import formatting
from cxr_app.worklist import ArchiveState, Outgoing, OutgoingState

OUTGOING = (
    TableColumn("film", "Film", 6),
    TableColumn("object", "Object", 7),
    TableColumn("archive", "Archive", 14),
    TableColumn("state", "State", 6),
    TableColumn("tries", "Failed tries", 5, kind="number"),
    TableColumn("moment", "Sent, or next try", 9),
    TableColumn("problem", "Remark", 26),
)

KINDS = {
    ResultKind.REPORT: "report",
    ResultKind.PICTURE: "picture",
    ResultKind.OUTLINE: "outline",
    ResultKind.HEATMAP: "heat values",
    ResultKind.READING: "verdict",
}

STATES = {
    OutgoingState.WAITING: "waiting",
    OutgoingState.SENT: "sent",
    OutgoingState.SKIPPED: "nothing to send",
    OutgoingState.GIVEN_UP: "given up",
}


def outgoing_rows(objects: Sequence[Outgoing]) -> list[dict[str, Any]]:
    """Return the table's rows; none names a patient."""
    return [
        {
            "id": str(each.number),
            "film": each.entry_id[:8],
            "object": KINDS[each.kind],
            "archive": each.destination,
            "state": "sending" if each.claim else STATES[each.state],
            "tries": str(each.tries or ""),
            "moment": _moment(each),
            "problem": each.problem,
        }
        for each in objects
    ]


def archive_line(archive: ArchiveState, *, is_named: bool) -> str:
    """Return what is known of an archive, as Markdown."""
    counts = [
        f"{archive.counts[state]:,} {word}"
        for state, word in STATES.items()
        if archive.counts.get(state)
    ]
    parts = [", ".join(counts) or "nothing to send yet"]
    if archive.reached_at is not None:
        parts.append(f"last reached {display_text.timestamp(archive.reached_at)}")
    if archive.held_at is not None:
        parts.append(f"held since the restoration of {display_text.timestamp(archive.held_at)}")
    if not is_named:
        parts.append("no longer in CXR_RESULTS_TO: what waits is not sent")
    if archive.problem:
        parts.append(archive.problem)
    name = formatting.escape_markdown(archive.name)
    return f"**{name}**: {formatting.escape_markdown(' · '.join(parts))}"


def _moment(each: Outgoing) -> str:
    if each.state is OutgoingState.WAITING:
        return display_text.timestamp(each.due_at) if each.tries else ""
    return display_text.timestamp(each.sent_at) if each.sent_at else ""
