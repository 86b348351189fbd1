"""Upload: files from the browser into the worklist, and what became of each."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from cxr_app.ui import resources, rows, wording
from cxr_app.ui.film_table import film_table
from cxr_app.ui.reception import Reception
from cxr_app.worklist import Entry

REFRESH_SECONDS = 0.7
ALREADY_THERE = "Already in the worklist."


def reception() -> Reception:
    """Give this session's reception; it lives as long as the session."""
    if "reception" not in st.session_state:
        st.session_state["reception"] = Reception(
            resources.worklist(), resources.film_store(), resources.engine()
        )
    taken: Reception = st.session_state["reception"]
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


def progress(entries: list[Entry]) -> None:
    """Say how far receiving and scoring are."""
    here = reception()
    if here.problem:
        st.error(f"{wording.plain(here.problem)} {wording.files(here.waiting)} wait here.")
        st.button("Try again", key="try_again", on_click=here.retry)
    if here.waiting:
        done = here.files - here.waiting
        st.progress(done / here.files, f"Receiving: {done:,} of {wording.files(here.files)} kept.")
        return
    done, total = rows.done(entries), len(entries)
    notes = [f"{done:,} of {wording.films(total)} done."]
    if refused := rows.refused(entries):
        notes.append(f"{refused:,} need{'s' if refused == 1 else ''} a person.")
    if known := sum(not arrival.is_new for arrival in here.arrivals.values()):
        notes.append(f"{known:,} already in the worklist.")
    st.progress(done / total, " ".join(notes))


def row(entry: Entry, now: datetime, is_new: bool) -> dict[str, Any]:
    """Say what became of one upload."""
    said = rows.row(entry, now) | {"state": rows.upload_state(entry)}
    if not is_new:
        said["remark"] = f"{ALREADY_THERE} {said['remark']}".strip()
    return said


def uploads() -> None:
    """List what this session has sent, the latest upload on top, until all is scored."""
    arrivals = dict(reception().arrivals)
    order = sorted(arrivals, key=lambda entry_id: -arrivals[entry_id].turn)
    entries = resources.worklist().entries_by_ids(order)
    progress(entries)
    now = datetime.now(UTC)
    gesture = film_table(
        "uploads",
        rows.UPLOADS,
        [row(entry, now, arrivals[entry.id].is_new) for entry in entries],
        label="Uploaded films",
        height="max(14rem, calc(100dvh - 19rem))",
    )
    if gesture.opened:
        st.switch_page("views/film.py", query_params={"film": gesture.opened})
    if st.session_state.get("uploads_unfinished") and not unfinished(entries):
        st.rerun()  # ends the looking


def unfinished(entries: list[Entry]) -> bool:
    """Tell whether anything is still to happen to what was sent."""
    return bool(reception().waiting) or rows.done(entries) < len(entries)


st.title("Upload", anchor=False)
take_files()
if reception().files:
    sent = resources.worklist().entries_by_ids(list(reception().arrivals))
    st.session_state["uploads_unfinished"] = unfinished(sent)
    every = REFRESH_SECONDS if st.session_state["uploads_unfinished"] else None
    st.fragment(uploads, run_every=every)()
else:
    st.caption(
        "Each film is kept as it is, entered in the worklist and scored. A film that cannot be "
        "read holds up no other; the list that appears here says why."
    )
