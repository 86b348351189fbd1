"""One film, read: the picture, what the model says of it, and what the file says of itself."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from cxr_app.errors import CxrError
from cxr_app.ui import masking, resources, view_state
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.viewer import ViewerFilm, film_viewer
from cxr_app.ui.panels import review
from cxr_app.ui.server import film_route
from cxr_app.ui.text import film_html, formatting
from cxr_app.worklist import Claim, Entry, Review

LOOK = Path(__file__).parent.parent / "film_page.css"
REFRESH_SECONDS = 1.5
SIDE_WIDTH = 280
"""Pixels beside the film for words."""


def to_worklist() -> None:
    """Go back to the list, in the view that the reader came from."""
    st.switch_page("views/worklist.py", query_params=view_state.parameters())


def nothing(message: str) -> None:
    """Say why no film is shown, and what to do next."""
    st.title("Film", anchor=False)
    st.info(message)
    if st.button("Open the worklist", key="to_worklist", type="primary", shortcut="w"):
        to_worklist()


def top(entry: Entry, before: Entry | None, after: Entry | None) -> None:
    """Say whose film it is, and beside that what can be done next."""
    with st.container(horizontal=True, vertical_alignment="center", key="film_top"):
        st.html(film_html.heading(entry))
        with st.container(horizontal=True, width="content", gap="small"):
            steps(entry, before, after)


def steps(entry: Entry, before: Entry | None, after: Entry | None) -> None:
    """Offer what a reader does next."""
    step("Previous", "p", before)
    step("Next", "n", after)
    read = entry.read_at is None
    st.button(
        "Mark as read" if read else "Back to unread",
        key=f"mark_read_{entry.id}",
        shortcut="m",
        disabled=entry.film_deleted_at is not None,
        on_click=review.act,
        args=(lambda: review.mark_read(entry, read),),
    )
    if st.button("Worklist", key="to_worklist", shortcut="w"):
        to_worklist()


def step(label: str, shortcut: str, other: Entry | None) -> None:
    """Offer the film before or after this one."""
    st.button(
        label,
        key=label.lower(),
        shortcut=shortcut,
        disabled=other is None,
        on_click=lambda: st.query_params.update(film=other.id if other else ""),
    )


def handle_key(letter: str, entry_id: str) -> None:
    """Do what a key means for the film that was in sight when it was pressed."""
    if letter in "np":
        before, after = around(entry_id)
        other = after if letter == "n" else before
        st.query_params["film"] = other.id if other else entry_id
    elif letter == "m":
        entry = resources.worklist().entry(entry_id)
        if entry.film_deleted_at is None:
            review.mark_read(entry, entry.read_at is None)
    else:
        review.record_verdict(letter, entry_id)


def act_on_key(letter: str, entry_id: str) -> None:
    """Do what a key means; what stands in the way is said."""
    review.act(lambda: handle_key(letter, entry_id))


KEYS = replace(review.KEYS, act=act_on_key)


def picture(entry: Entry, reviews: list[Review], after: Entry | None) -> None:
    """Show the film, and have the next one brought ahead."""
    heat, note = heat_of(entry, reviews)
    prepare = []
    if after is not None:
        next_heat, _ = heat_of(after)
        prepare = [film_route.film_address(after.id), *filter(None, [next_heat])]
    shown = ViewerFilm(entry.id, film_route.film_address(entry.id), heat, note, prepare)
    if film_viewer(shown, keys=KEYS):
        review.heat_was_seen(entry)


def heat_of(entry: Entry, reviews: list[Review] | None = None) -> tuple[str | None, str]:
    """Find the heatmap's address, or say why there is none; None: the reviews may be looked up."""
    if entry.film_deleted_at is not None:
        return None, "The film was deleted"
    heat = film_route.heat_address(entry)
    if heat is None:
        return None, "Not scored"
    if not review.may_see_heat(entry, reviews):
        return None, "After your verdict"
    if film_route.scale_of(entry) is not None:
        return heat, ""
    if resources.engine().status().state != "ready":
        return None, "Not before the model is loaded"
    return None, "No heat: scored by an earlier model"


def picture_of_earlier(entry: Entry) -> None:
    """Show an earlier film of the patient, without heat: it is there to be compared with."""
    st.html(film_html.caption(entry))
    film_viewer(ViewerFilm(entry.id, film_route.film_address(entry.id)), key="earlier_viewer")


def side_panel(entry: Entry) -> None:
    """Say what the model says of the film."""
    status = resources.engine().status()
    with st.container(border=True, gap="small"):
        if entry.state is None:
            waiting = status.message if status.state == "failed" else "Being scored …"
            st.html(film_html.pending(waiting, active=status.state != "failed"))
        else:
            st.html(film_html.verdict(entry) or film_html.refusal(entry))
        st.html(film_html.provenance(entry, status, datetime.now(UTC)))
        if past := film_html.history(resources.worklist().scores(entry.id)):
            st.html(past)
    if entry.film_deleted_at is not None:
        st.html(film_html.deleted(entry.film_deleted_at))
    if entry.remarks:
        st.html(film_html.remarks(entry.remarks))


def follow(entry: Entry, loaded: bool) -> None:
    """Look whether the film has been scored or the model loaded; then show the page anew."""
    current = resources.worklist().entry(entry.id)
    ready = resources.engine().status().state == "ready"
    if current.scored_at != entry.scored_at or ready != loaded:
        st.rerun()
    auto_refresh("follow_film", REFRESH_SECONDS)


def film(entry: Entry) -> None:
    """Show one film."""
    others = review.claim(entry)
    reviews = resources.worklist().reviews.of_film(entry.id)
    before, after = around(entry.id)
    top(masking.shown(entry), before, after)
    with st.container(horizontal=True, gap="small", key="film_body"):
        place = st.container(key="film_picture")
        with st.container(width=SIDE_WIDTH, key="film_side"):
            earlier = side(entry, reviews, others)
        with place:
            pictures(entry, reviews, after, earlier)
    loaded = resources.engine().status().state == "ready"
    if entry.state is None or not loaded:
        st.fragment(follow)(entry, loaded)
    st.fragment(review.keep)(entry, others)


def around(entry_id: str) -> tuple[Entry | None, Entry | None]:
    """Give the films before and after this one, but for those that others have open."""
    query = view_state.query()
    before, after = resources.worklist().neighbours(query, entry_id)
    return (
        review.free(before, lambda film: resources.worklist().neighbours(query, film)[0]),
        review.free(after, lambda film: resources.worklist().neighbours(query, film)[1]),
    )


def side(entry: Entry, reviews: list[Review], others: Claim | None) -> Entry | None:
    """Say everything beside the film; give the earlier film that the reader wants to see."""
    shown = masking.shown(entry)
    side_panel(shown)
    review.panel(shown, reviews, others)
    earlier = review.earlier(entry)  # found by the patient's own id, which may be masked
    with st.expander("Film and header", key="facts"):
        st.html(film_html.facts(shown))
    return earlier


def pictures(
    entry: Entry, reviews: list[Review], after: Entry | None, earlier: Entry | None
) -> None:
    """Show the film, beside an earlier one where the reader wants that."""
    if earlier is None:
        picture(entry, reviews, after)
        return
    left, right = st.columns(2, gap="small")
    with left:
        st.html(film_html.caption(masking.shown(entry)))
        picture(entry, reviews, after)
    with right:
        picture_of_earlier(earlier)


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
        nothing(formatting.plain(str(error)))
        return
    film(entry)


page()
