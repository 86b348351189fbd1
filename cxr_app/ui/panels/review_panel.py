"""Reviewing a film: claims, verdicts and comments, and when the heatmap may be shown."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from cxr_app.errors import ReviewError
from cxr_app.permissions import Permission
from cxr_app.reports.facts import verdict_words
from cxr_app.ui import blinding, current_reader, masking, resources
from cxr_app.ui.access import guarded
from cxr_app.ui.actions import attempt
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.comment_box import FIELD, comment_box
from cxr_app.ui.components.viewer import Keys
from cxr_app.ui.panels import sitting
from cxr_app.ui.panels.sitting import Said
from cxr_app.ui.text import film_html, formatting
from cxr_app.worklist import Cause, Claim, Entry, Review, Verdict, last_verdict

CLAIMED = "claimed"
"""Session key of the film that is open and the reader's name."""
RENEW_SECONDS = 45
ASK_SECONDS = 0.5
"""Interval of looking for the reader's name, until the browser has sent it."""
STEPS = 20
"""Largest number of consecutive films, open with others, that are skipped."""

CAUSES = {Cause.BACTERIAL: "Bacterial", Cause.VIRAL: "Viral", Cause.UNCLEAR: "Unclear"}
BUTTONS = {"y": "pneumonia", "x": "no_pneumonia", "s": "unsure", "u": "unusable"}
"""What a verdict's button is called, by its key."""
KEYS = Keys(
    listed=(
        ("N", "next film"),
        ("P", "the film looked at before"),
        ("Y", "pneumonia"),
        ("X", "no pneumonia"),
        ("S", "unsure"),
        ("U", "not a usable film"),
        ("B V Q", "cause: bacterial, viral, unclear"),
        ("Z", "take the last verdict back"),
        ("C", "comment; Enter saves it, Esc leaves"),
        ("M", "mark as read, or unread"),
        ("E", "compare with an earlier film"),
        ("8", "beside, overlay, difference"),
        ("9", "link the films, or not"),
        ("K", "copy the report"),
        ("T", "take over the film"),
        ("W", "back to the worklist"),
        ("H", "heatmap on or off"),
        ("O", "outline or colour"),
        ("G", "lungs on or off"),
        ("I", "invert greyscale"),
        ("1 – 5", "window presets"),
        ("L", "window with the left button"),
        (", .", "turn left, right: for view only"),
        ("6", "mirror: for view only"),
        ("7", "magnifier"),
        ("D A J", "length, angle, cardiothoracic ratio"),
        ("*", "key image"),
        ("F", "full screen"),
        ("+ -", "zoom"),
        ("0", "fit the whole film"),
        ("R", "reset the view"),
        ("?", "this list"),
    ),
    focus={"c": FIELD},
    acts="bmnpqsuvxyz",
    clicks={name: key for key, name in BUTTONS.items()},
)
ANSWERS: dict[str, bool | Verdict] = {
    "y": True,
    "x": False,
    "s": Verdict.UNSURE,
    "u": Verdict.UNUSABLE,
}
"""What the key of a verdict says: whether the reader saw pneumonia, or why not."""
CAUSE_KEYS = {"b": Cause.BACTERIAL, "v": Cause.VIRAL, "q": Cause.UNCLEAR}


def claim(entry: Entry) -> Claim | None:
    """Claim the film for this reader; return another reader's claim if there is one."""
    if not current_reader.is_known():
        return None
    who = current_reader.name()
    if st.session_state.get(CLAIMED) not in (None, (entry.id, who)):
        release()
    current = resources.worklist().claims.claim(entry.id, who)
    if current.reader != who:
        return current
    st.session_state[CLAIMED] = (entry.id, who)
    return None


def release() -> None:
    """Release the film that this session has open, if any."""
    if claimed := st.session_state.pop(CLAIMED, None):
        attempt(partial(resources.worklist().claims.release, *claimed))


def renew_claim(entry: Entry, others: Claim | None) -> None:
    """Renew the claim while the film is open; rerun the page if someone else has taken over."""
    now = claim(entry)
    if (now and now.reader) != (others and others.reader):
        st.rerun()
    auto_refresh("keep_claim", RENEW_SECONDS if current_reader.is_known() else ASK_SECONDS)


def is_free(entry: Entry) -> bool:
    """Check that no other reader has the film open."""
    return entry.claim is None or entry.claim.reader == current_reader.name_if_known()


def first_free(entry_id: str | None, step: Callable[[str], str | None]) -> Entry | None:
    """Return this film or, if another reader has it open, the first free one after it."""
    entry = None
    for _ in range(STEPS + 1):
        if entry_id is None:
            return None
        entry = resources.worklist().entry(entry_id)
        if is_free(entry):
            break
        entry_id = step(entry_id)
    return entry


def own_verdict(reviews: list[Review]) -> Review | None:
    """Return this reader's latest verdict."""
    who = current_reader.name_if_known()
    return last_verdict(each for each in reviews if each.reader == who)


def may_see_heat(entry: Entry, reviews: list[Review] | None = None) -> bool:
    """Check whether the heatmap may be shown: at once, or after the reader's own verdict."""
    if resources.settings().heat == "at_once":
        return True
    if reviews is None:
        reviews = blinding.reviews_of(entry.id)
    return own_verdict(reviews) is not None


def note_heat_seen(entry: Entry) -> None:
    """Record in the session that the reader has seen the heatmap of a film."""
    st.session_state.setdefault("heat_seen", set()).add(entry.id)


def review_panel(entry: Entry, reviews: list[Review], others: Claim | None) -> None:
    """Offer verdicts and a comment or, if another reader has the film, to take it over."""
    with st.container(border=True, gap="small", key="reading"):
        if others is not None:
            _claimed(entry, others)
        else:
            with st.container(gap="small", key="verdicts"):
                if entry.film_deleted_at is None:  # no verdict on an invisible film
                    _verdicts(entry, own_verdict(reviews))
            comment_box(entry.id, store_comment)
        # What comes and goes has a place of its own: a run that a key interrupts would otherwise
        # leave the browser without an element that the next one counts on.
        with st.container(key="undo"):
            undo_line(entry, reviews)
        with st.container(key="given"):
            if reviews:
                st.html(film_html.reviews(reviews))


def record_key(letter: str, entry_id: str) -> None:
    """Record what a key says of the film that was in view when it was pressed.

    Raises
    ------
    ReviewError
        If this reader may not judge the film now.
    """
    if letter in CAUSE_KEYS:
        _judgeable(entry_id, True)
        st.session_state[_cause_key(entry_id)] = CAUSE_KEYS[letter]
        _repeat_with_cause(entry_id)
    else:
        _answer(entry_id, ANSWERS[letter])


def _judgeable(entry_id: str, answer: bool | Verdict) -> Entry:
    """Return the film as it is now, which the page of a reader may not show yet."""
    entry, reader = resources.worklist().entry(entry_id), current_reader.name()
    if entry.claim is not None and entry.claim.reader != reader:
        raise ReviewError(f"Open with {entry.claim.reader}. Take it over first (key T).")
    if entry.film_deleted_at is not None:
        raise ReviewError(formatting.film_deleted(entry.film_deleted_at))
    if entry.flagged is None and answer is not Verdict.UNUSABLE:
        raise ReviewError("This film has no score: only Not usable (key U) can be said of it.")
    return entry


def take_back_verdict() -> None:
    """Withdraw all that this reader said of the last film since the page was loaded; show it."""
    given = sitting.current()
    if given.last is None:
        st.toast("There is no verdict to take back.")
        return
    entry_id, _ = given.last
    reader = current_reader.name()
    st.query_params["film"] = entry_id
    st.session_state.pop(_cause_key(entry_id), None)
    _withdraw(entry_id, given.numbers, reader)
    given.forget_last()


@guarded(Permission.REVIEW)
def _withdraw(entry_id: str, numbers: list[int], reader: str) -> None:  # the audit notes the film
    resources.worklist().reviews.take_back(numbers, reader)


def undo_line(entry: Entry, reviews: list[Review]) -> None:
    """Offer quietly to take the last verdict back; say what stands once it was."""
    given = sitting.current()
    if given.last is not None:
        st.button(
            "Take the last verdict back",
            key=f"undo_{given.numbers[-1]}",
            type="tertiary",
            shortcut="z",
            on_click=attempt,
            args=(take_back_verdict,),
            help=(
                "Its film is shown again, unread. All that you said of it since you loaded this "
                "page is taken back, and stays in its history."
            ),
        )
    elif given.taken_back == entry.id and (words := _what_stands(entry, reviews)):
        st.caption(words)


def _what_stands(entry: Entry, reviews: list[Review]) -> str:
    """Return what counts of a film whose verdict was taken back; empty if nothing does."""
    if own := own_verdict(reviews):
        return f"Your earlier verdict on this film stands: {verdict_words(own)}."
    if entry.read_at is not None:
        return "The film stays read: another verdict on it stands, or it was marked as read."
    return ""


@guarded(Permission.REVIEW)
def mark_read(entry_id: str, read: bool | None = None) -> None:
    """Mark a film as read or unread; by default as what it is not.

    Raises
    ------
    ReviewError
        If the film was deleted.
    """
    entry, reader = resources.worklist().entry(entry_id), current_reader.name()
    if entry.film_deleted_at is not None:
        raise ReviewError(formatting.film_deleted(entry.film_deleted_at))
    read = entry.read_at is None if read is None else read
    resources.worklist().mark_read(entry_id, reader, read=read)


def _claimed(entry: Entry, others: Claim) -> None:
    st.html(film_html.claimed(others))
    st.button(
        "Take over",
        key="take_over",
        shortcut="t",
        on_click=attempt,
        args=(partial(_take_over, entry),),
        width="stretch",
        help=f"{formatting.escape_markdown(others.reader)} sees this when their page refreshes.",
    )


@guarded(Permission.REVIEW)
def _take_over(entry: Entry) -> None:
    who = current_reader.name()
    resources.worklist().claims.claim(entry.id, who, take_over=True)
    st.session_state[CLAIMED] = (entry.id, who)


def _verdicts(entry: Entry, own: Review | None) -> None:
    if entry.flagged is not None:
        st.caption("Flagged by the model" if entry.flagged else "Not flagged by the model")
        left, right = st.columns(2, gap="small")
        with left:
            _button(entry, "Pneumonia", "y", own)
        with right:
            _button(entry, "No pneumonia", "x", own)
        _cause(entry, own)
    left, right = st.columns(2, gap="small")
    if entry.flagged is not None:
        with left:
            _button(entry, "Unsure", "s", own)
    with right:
        _button(entry, "Not usable", "u", own)


def _button(entry: Entry, label: str, shortcut: str, own: Review | None) -> None:
    answer = ANSWERS[shortcut]
    given = own and (own.verdict if isinstance(answer, Verdict) else own.pneumonia)
    st.button(
        label,
        key=f"{BUTTONS[shortcut]}_{entry.id}",  # a late click counts for the film it was made on
        type="primary" if own is not None and given is answer else "secondary",
        shortcut=shortcut,
        width="stretch",
        on_click=attempt,
        args=(partial(_answer, entry.id, answer),),
    )


def _cause(entry: Entry, own: Review | None) -> None:
    """Offer the causes; one chosen after the verdict is recorded with the verdict again."""
    key = _cause_key(entry.id)
    st.session_state.setdefault(key, own.cause if own else None)
    st.pills(
        "Cause, if pneumonia is present",
        list(CAUSES),
        format_func=CAUSES.__getitem__,
        key=key,
        on_change=_cause_changed,
        args=(entry.id,),
    )


def _cause_key(entry_id: str) -> str:
    """Return the widget key of the cause: each reader's own, for readers may share a window."""
    return f"cause_{entry_id}_{current_reader.name_if_known()}"


def _cause_changed(entry_id: str) -> None:
    attempt(partial(_repeat_with_cause, entry_id))


def _repeat_with_cause(entry_id: str) -> None:
    given = own_verdict(blinding.reviews_of(entry_id))
    if given is not None and given.pneumonia:
        _answer(entry_id, True)


def store_comment(entry_id: str, text: str) -> None:
    """Store a comment on the film that it was typed at, which may no longer be in view."""
    attempt(partial(_comment, entry_id, text))


@guarded(Permission.REVIEW)
def _comment(entry_id: str, text: str) -> None:
    resources.worklist().reviews.add(
        entry_id, current_reader.name(), comment=text, heat_seen=_has_seen_heat(entry_id)
    )


@guarded(Permission.REVIEW)
def _answer(entry_id: str, answer: bool | Verdict) -> None:
    """Record what the reader saw, and whether the reader had seen the heatmap before."""
    entry, reader = _judgeable(entry_id, answer), current_reader.name()
    given = sitting.current()
    cause = st.session_state.get(_cause_key(entry_id)) if isinstance(answer, bool) else None
    heat_seen = _has_seen_heat(entry_id)
    log = resources.worklist().reviews
    review = given.same(entry, Said(reader, answer, cause), log.of_film(entry_id))
    if review is None:
        resources.worklist().room.second_readings.begin(
            entry_id, resources.settings().second_reading_rule
        )
        review = log.add(entry_id, reader, answer, cause=cause, heat_seen=heat_seen)
    given.note(review, entry_id)


def _has_seen_heat(entry_id: str) -> bool:
    return entry_id in st.session_state.get("heat_seen", set())


def earlier(entry: Entry) -> Entry | None:
    """Offer the patient's earlier films; return the one to show beside this one."""
    films = {film.id: film for film in resources.worklist().earlier_films(entry)}
    if not films:
        return None
    chosen = st.pills(
        "Earlier films",
        list(films),
        format_func=lambda film: film_html.day(films[film]),
        key=f"earlier_{entry.id}",
    )
    st.button(
        "Hide the earlier film" if chosen else "Compare with an earlier film",
        key="earlier",
        shortcut="e",
        width="stretch",
        on_click=lambda: st.session_state.update(
            {f"earlier_{entry.id}": None if chosen else next(iter(films))}
        ),
    )
    return masking.shown(films[chosen]) if chosen else None
