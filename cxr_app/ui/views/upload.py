"""Upload: add files from the browser to the worklist, and follow each one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from cxr_app.imaging.formats import format_names
from cxr_app.ui import masking, resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.files_in_transit import files_in_transit
from cxr_app.ui.components.film_table import TableLook, film_table
from cxr_app.ui.server.upload_spool import take_over
from cxr_app.ui.text import formatting, table_rows
from cxr_app.ui.upload_queue import UploadQueue, UploadStatus
from cxr_app.worklist import Entry

REFRESH_SECONDS = 1.5
QUICK_SECONDS = 0.3
FEW = 20
"""Largest number of uploads for the quick refresh, at which redrawing is still cheap."""
DUPLICATE = "Already in the worklist."
WARNING = ":material/warning:"


def upload_queue() -> UploadQueue:
    """Return this session's upload queue."""
    if "upload_queue" not in st.session_state:
        st.session_state["upload_queue"] = UploadQueue(
            resources.worklist(), resources.film_store(), resources.engine()
        )
    queue: UploadQueue = st.session_state["upload_queue"]
    return queue


def take_files() -> None:
    """Offer to upload files or a folder; empty the box once they have arrived."""
    turn = st.session_state.setdefault("upload_turn", 0)
    left, right = st.columns(2)
    files = left.file_uploader(
        f"Films: choose, or drop them here ({format_names('or')})",
        accept_multiple_files=True,
        key=f"films_{turn}",
        help="File types are recognised by content, not by name. A zip archive is unpacked.",
    )
    folder = right.file_uploader(
        "A whole folder", accept_multiple_files="directory", key=f"folder_{turn}"
    )
    files_in_transit(turn)
    if uploaded := [*files, *folder]:
        upload_queue().take(take_over(uploaded))
        st.session_state["upload_turn"] = turn + 1
        st.rerun()


def progress(now: UploadStatus, entries: list[Entry]) -> None:
    """Show the progress of receiving and scoring."""
    if now.problem:
        problem = formatting.escape_markdown(now.problem)
        st.error(f"{problem} {formatting.files(now.waiting)} still waiting.")
        st.button("Try again", key="try_again", on_click=upload_queue().retry)
    if now.waiting:
        saved = now.files - now.waiting
        text = f"Receiving: {saved:,} of {formatting.files(now.files)} saved."
        st.progress(saved / now.files, text)
        return
    done, total = table_rows.done(entries), len(entries)
    notes = [f"{done:,} of {formatting.films(total)} done."]
    if refused := table_rows.refused(entries):
        notes.append(f"{refused:,} need{'s' if refused == 1 else ''} a person.")
    if known := sum(not arrival.is_new for arrival in now.arrivals.values()):
        notes.append(f"{known:,} already in the worklist.")
    if total:
        st.progress(done / total, " ".join(notes))
    if total and done == total:
        summary(entries)


def summary(entries: list[Entry]) -> None:
    """Show what became of the uploads, and lead to the list."""
    flagged = sum(bool(entry.flagged) for entry in entries)
    patients = {entry.header.patient_id for entry in entries if entry.header} - {""}
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(
            f"**All done:** {flagged:,} flagged of {formatting.films(len(entries))}, "
            f"{len(patients):,} patient{'' if len(patients) == 1 else 's'} by their headers."
        )
        st.page_link("views/worklist.py", label="Open the worklist", icon=":material/list_alt:")


def passed_over(names: Sequence[str]) -> None:
    """Show how many files are not films, and list them on demand."""
    verb = "is no film and was" if len(names) == 1 else "are no films and were"
    _listed(f"{formatting.files(len(names))} {verb} passed over.", _shown(names))


def repeated(names: Sequence[str]) -> None:
    """Show how many files had a film that another file had, and list them on demand."""
    verb = "has a film" if len(names) == 1 else "have films"
    _listed(
        f"{formatting.files(len(names))} {verb} that had arrived in other files: each film is "
        "listed once.",
        _shown(names),
    )


def lost(names: Sequence[str]) -> None:
    """Warn that the server no longer has files, and list them on demand."""
    is_one = len(names) == 1
    _listed(
        f"{formatting.files(len(names))} {'is' if is_one else 'are'} no longer on the server and "
        f"could not be received: upload {'it' if is_one else 'them'} again.",
        _shown(names),
        icon=WARNING,
    )


def missing(images: Sequence[str]) -> None:
    """Warn that a disc was not sent whole, and name its missing images on demand."""
    _listed(
        f"A disc lists {formatting.films(len(images))} that did not arrive: copy the whole disc "
        "again.",
        images,
        icon=WARNING,
    )


def _shown(names: Sequence[str]) -> list[str]:
    """Return names of files as they may be shown."""
    return [masking.file_name(name) for name in names]


def _listed(title: str, names: Sequence[str], icon: str | None = None) -> None:
    """List names on demand, if there are any."""
    if names:
        with st.expander(title, icon=icon):
            st.code("\n".join(names), language=None)


def row(entry: Entry, now: datetime, is_new: bool) -> dict[str, Any]:
    """Return the table row of an upload."""
    cells = table_rows.row(masking.shown(entry), now) | {"state": table_rows.upload_state(entry)}
    if not is_new:
        cells["remark"] = f"{DUPLICATE} {cells['remark']}".strip()
    return cells


def uploads() -> None:
    """List this session's uploads, the latest first, refreshing until all are scored."""
    now = upload_queue().status()
    order = sorted(now.arrivals, key=lambda entry_id: -now.arrivals[entry_id].batch)
    entries = resources.worklist().entries_by_ids(order)
    progress(now, entries)
    missing(now.missing)
    lost(now.lost)
    passed_over(now.passed_over)
    repeated(now.repeated)
    drawn = datetime.now(UTC)
    gesture = film_table(
        "uploads",
        table_rows.UPLOADS,
        [row(entry, drawn, now.arrivals[entry.id].is_new) for entry in entries],
        label="Uploaded films",
        look=TableLook("max(14rem, calc(100dvh - 19rem))"),
    )
    if gesture.opened:
        st.switch_page("views/film.py", query_params={"film": gesture.opened})
    if now.waiting or table_rows.done(entries) < len(entries):
        auto_refresh("follow_uploads", QUICK_SECONDS if len(entries) <= FEW else REFRESH_SECONDS)


st.title("Upload", anchor=False)
take_files()
if upload_queue().status().files:
    st.fragment(uploads)()
else:
    st.caption(
        "Each film is saved unchanged, added to the worklist and scored. A film that cannot be "
        "read does not hold up the others; the reason appears in the list below."
    )
