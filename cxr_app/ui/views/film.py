"""One film, read: the picture, what the model says of it, and what the file says of itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from cxr_app.errors import CxrError
from cxr_app.ui import address, film_facts, film_route, resources, wording
from cxr_app.ui.pulse import pulse
from cxr_app.ui.viewer import film_viewer
from cxr_app.worklist import Entry

LOOK = Path(__file__).parent.parent / "film_page.css"
REFRESH_SECONDS = 1.5
SIDE_WIDTH = 280
"""Pixels beside the film for words."""


def to_worklist() -> None:
    """Go back to the list, in the view that the reader came from."""
    st.switch_page("views/worklist.py", query_params=address.parameters())


def nothing(message: str) -> None:
    """Say why no film is shown, and what to do next."""
    st.title("Film", anchor=False)
    st.info(message)
    if st.button("Open the worklist", key="to_worklist", type="primary", shortcut="w"):
        to_worklist()


def act(action: Callable[[], None]) -> None:
    """Do what a button asks for; a worklist that cannot be changed says so."""
    try:
        action()
    except CxrError as error:
        st.toast(wording.plain(str(error)), icon=":material/error:", duration="long")


def top(entry: Entry, before: str | None, after: str | None) -> None:
    """Say whose film it is; offer what a reader does next."""
    with st.container(horizontal=True, vertical_alignment="center", key="film_top"):
        st.html(film_facts.heading(entry))
        step("Previous", "p", before)
        step("Next", "n", after)
        read = entry.read_at is None
        st.button(
            "Mark as read" if read else "Back to unread",
            key="mark_read",
            shortcut="m",
            on_click=act,
            args=(lambda: resources.worklist().mark_read(entry.id, read=read),),
        )
        if st.button("Worklist", key="to_worklist", shortcut="w"):
            to_worklist()


def step(label: str, shortcut: str, entry_id: str | None) -> None:
    """Offer the film before or after this one."""
    st.button(
        label,
        key=label.lower(),
        shortcut=shortcut,
        disabled=entry_id is None,
        on_click=lambda: st.query_params.update(film=entry_id or ""),
    )


def picture(entry: Entry, after: str | None) -> None:
    """Show the film, and have the next one brought ahead."""
    heat, note = heat_of(entry)
    prepare = []
    if after is not None:
        prepare = [film_route.film_address(after)]
        next_heat, _ = heat_of(resources.worklist().entry(after))
        prepare += [next_heat] if next_heat else []
    film_viewer(entry.id, film_route.film_address(entry.id), heat, note=note, prepare=prepare)


def heat_of(entry: Entry) -> tuple[str | None, str]:
    """Find the heatmap's address, or say why there is none."""
    heat = film_route.heat_address(entry)
    if heat is None:
        return None, "Not scored"
    if resources.engine().status().state != "ready":
        return None, "Not before the model is loaded"
    return heat, ""


def beside(entry: Entry) -> None:
    """Say what the model, the worklist and the file say of the film."""
    status = resources.engine().status()
    with st.container(border=True, gap="small"):
        if entry.state is None:
            waiting = status.message if status.state == "failed" else "Being scored …"
            st.html(film_facts.pending(waiting, active=status.state != "failed"))
        else:
            st.html(film_facts.verdict(entry) or film_facts.refusal(entry))
        st.html(film_facts.provenance(entry, status.device_name, datetime.now(UTC)))
        if past := film_facts.history(resources.worklist().scores(entry.id)):
            st.html(past)
    if entry.remarks:
        st.html(film_facts.remarks(entry.remarks))
    with st.expander("Film and header", key="facts"):
        st.html(film_facts.facts(entry))


def follow(entry: Entry, loaded: bool) -> None:
    """Look whether the film has been scored or the model loaded; then show the page anew."""
    current = resources.worklist().entry(entry.id)
    ready = resources.engine().status().state == "ready"
    if current.scored_at != entry.scored_at or ready != loaded:
        st.rerun()
    pulse("follow_film", REFRESH_SECONDS)


def film(entry: Entry) -> None:
    """Show one film."""
    before, after = resources.worklist().neighbours(address.query(), entry.id)
    top(entry, before, after)
    with st.container(horizontal=True, gap="small", key="film_body"):
        with st.container(key="film_picture"):
            picture(entry, after)
        with st.container(width=SIDE_WIDTH, key="film_side"):
            beside(entry)
    loaded = resources.engine().status().state == "ready"
    if entry.state is None or not loaded:
        st.fragment(follow)(entry, loaded)


def page() -> None:
    """Show the film that the address names."""
    st.html(LOOK)
    asked = st.query_params.get("film", "")
    if not asked:
        nothing("No film is open. Choose one in the worklist.")
        return
    try:
        entry = resources.worklist().entry(asked)
    except CxrError as error:
        nothing(wording.plain(str(error)))
        return
    film(entry)


page()
