"""Upload: files from the browser into the worklist, and what became of each."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from cxr_app.ui import masking, resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.film_table import film_table
from cxr_app.ui.text import formatting, table_rows
from cxr_app.ui.upload_queue import Standing, UploadQueue
from cxr_app.worklist import Entry

REFRESH_SECONDS = 1.5
QUICK_SECONDS = 0.3
FEW = 20
"""So many uploads are cheap to draw again and again; a reader of few films waits for each."""
ALREADY_THERE = "Already in the worklist."


def reception() -> UploadQueue:
    """Give this session's reception; it lives as long as the session."""
    if "reception" not in st.session_state:
        st.session_state["reception"] = UploadQueue(
            resources.worklist(), resources.film_store(), resources.engine()
        )
    taken: UploadQueue = st.session_state["reception"]
    return taken


def take_files() -> None:
    """Offer to send files or a folder; what has arrived is taken over and the box emptied."""
    turn = st.session_state.setdefault("upload_turn", 0)
    left, right = st.columns(2)
    files = left.file_uploader(
        "Films: DICOM, JPEG or PNG, one or many",
        accept_multiple_files=True,
        key=f"films_{turn}",
        help="What a file is, is told by its content, not by its name.",
    )
    folder = right.file_uploader(
        "A whole folder", accept_multiple_files="directory", key=f"folder_{turn}"
    )
    if sent := [*files, *folder]:
        reception().take(sent)
        st.session_state["upload_turn"] = turn + 1
        st.rerun()


def progress(now: Standing, entries: list[Entry]) -> None:
    """Say how far receiving and scoring are."""
    if now.problem:
        st.error(f"{formatting.plain(now.problem)} {formatting.files(now.waiting)} wait here.")
        st.button("Try again", key="try_again", on_click=reception().retry)
    if now.waiting:
        kept = now.files - now.waiting
        st.progress(kept / now.files, f"Receiving: {kept:,} of {formatting.files(now.files)} kept.")
        return
    done, total = table_rows.done(entries), len(entries)
    notes = [f"{done:,} of {formatting.films(total)} done."]
    if refused := table_rows.refused(entries):
        notes.append(f"{refused:,} need{'s' if refused == 1 else ''} a person.")
    if known := sum(not arrival.is_new for arrival in now.arrivals.values()):
        notes.append(f"{known:,} already in the worklist.")
    st.progress(done / total, " ".join(notes))


def row(entry: Entry, now: datetime, is_new: bool) -> dict[str, Any]:
    """Say what became of one upload."""
    said = table_rows.row(masking.shown(entry), now) | {"state": table_rows.upload_state(entry)}
    if not is_new:
        said["remark"] = f"{ALREADY_THERE} {said['remark']}".strip()
    return said


def uploads() -> None:
    """List what this session has sent, the latest upload on top, until all is scored."""
    now = reception().standing()
    order = sorted(now.arrivals, key=lambda entry_id: -now.arrivals[entry_id].turn)
    entries = resources.worklist().entries_by_ids(order)
    progress(now, entries)
    drawn = datetime.now(UTC)
    gesture = film_table(
        "uploads",
        table_rows.UPLOADS,
        [row(entry, drawn, now.arrivals[entry.id].is_new) for entry in entries],
        label="Uploaded films",
        height="max(14rem, calc(100dvh - 19rem))",
    )
    if gesture.opened:
        st.switch_page("views/film.py", query_params={"film": gesture.opened})
    if now.waiting or table_rows.done(entries) < len(entries):
        auto_refresh("follow_uploads", QUICK_SECONDS if len(entries) <= FEW else REFRESH_SECONDS)


st.title("Upload", anchor=False)
take_files()
if reception().standing().files:
    st.fragment(uploads)()
else:
    st.caption(
        "Each film is kept as it is, entered in the worklist and scored. A film that cannot be "
        "read holds up no other; the list that appears here says why."
    )
