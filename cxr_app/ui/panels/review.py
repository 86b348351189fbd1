"""Reading one film: who has it open, what the reader says of it, and whether the heat is shown."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from cxr_app.errors import CxrError
from cxr_app.ui import current_reader, masking, resources
from cxr_app.ui.components.auto_refresh import auto_refresh
from cxr_app.ui.components.viewer import Keys
from cxr_app.ui.text import film_html, formatting
from cxr_app.worklist import Cause, Claim, Entry, Review, Verdict

CLAIMED = "claimed"
"""The session's key of the film that it has open, and whose."""
RENEW_SECONDS = 45
ASK_SECONDS = 0.5
"""From one look to the next whether the reader's browser has told the name."""
STEPS = 20
"""So many films in a row that others have open are passed over."""

CAUSES = {Cause.BACTERIAL: "Bacterial", Cause.VIRAL: "Viral", Cause.UNCLEAR: "Unclear"}
COMMENT_LENGTH = 2000
KEYS = Keys(
    listed=(
        ("N", "next film"),
        ("P", "previous film"),
        ("A", "agree with the flag"),
        ("D", "disagree"),
        ("U", "not a usable film"),
        ("C", "comment; Enter keeps it"),
        ("M", "mark as read, or unread"),
        ("E", "earlier film beside it"),
        ("T", "take the film over"),
        ("W", "back to the worklist"),
        ("H", "heat on or off"),
        ("O", "outline or colour"),
        ("I", "invert black and white"),
        ("1 – 5", "window presets"),
        ("L", "window by the left button"),
        ("+ -", "zoom"),
        ("0", "the whole film"),
        ("R", "as the film opened"),
        ("?", "this card"),
    ),
    focus={"c": ".st-key-comment input"},
    acts="admnpu",
)
VERDICTS = {"a": Verdict.AGREE, "d": Verdict.DISAGREE, "u": Verdict.UNUSABLE}


def act(action: Callable[[], object]) -> None:
    """Do what a button asks for; a worklist that cannot be changed says so."""
    try:
        action()
    except CxrError as error:
        st.toast(formatting.plain(str(error)), icon=":material/error:", duration="long")


def claim(entry: Entry) -> Claim | None:
    """Say that this reader has the film open; give another's claim where there is one."""
    if not current_reader.is_known():
        return None
    who = current_reader.name()
    if st.session_state.get(CLAIMED) not in (None, (entry.id, who)):
        release()
    stands = resources.worklist().claims.claim(entry.id, who)
    if stands.reader != who:
        return stands
    st.session_state[CLAIMED] = (entry.id, who)
    return None


def release() -> None:
    """Let go of the film that this session has open, if there is one."""
    if held := st.session_state.pop(CLAIMED, None):
        act(partial(resources.worklist().claims.release, *held))


def keep(entry: Entry, others: Claim | None) -> None:
    """Renew the claim as long as the film is open; show the page anew when it has changed hands."""
    now = claim(entry)
    if (now and now.reader) != (others and others.reader):
        st.rerun()
    auto_refresh("keep_claim", RENEW_SECONDS if current_reader.is_known() else ASK_SECONDS)


def is_free(entry: Entry) -> bool:
    """Tell whether no other reader has a film open."""
    return entry.claim is None or entry.claim.reader == current_reader.name()


def free(entry_id: str | None, step: Callable[[str], str | None]) -> Entry | None:
    """Give this film or, where another reader has it open, the first after it that is free."""
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
    """Find the last verdict of this reader."""
    mine = (each for each in reviews if each.verdict and each.reader == current_reader.name())
    return next(mine, None)


def may_see_heat(entry: Entry, reviews: list[Review] | None = None) -> bool:
    """Tell whether this site shows the heat now: at once, or after the reader's own verdict."""
    if resources.settings().heat == "at_once":
        return True
    if reviews is None:
        reviews = resources.worklist().reviews.of_film(entry.id)
    return own_verdict(reviews) is not None


def heat_was_seen(entry: Entry) -> None:
    """Remember that this reader has seen the heat of a film."""
    st.session_state.setdefault("heat_seen", set()).add(entry.id)


def panel(entry: Entry, reviews: list[Review], others: Claim | None) -> None:
    """Offer to say what the reader thinks of the film; where another has it, to take it over."""
    with st.container(border=True, gap="small", key="reading"):
        if others is not None:
            _held(entry, others)
        else:
            if entry.film_deleted_at is None:  # nobody judges what he cannot see
                _verdicts(entry, own_verdict(reviews))
            _comment(entry)
        if reviews:
            st.html(film_html.reviews(reviews))


def record_verdict(letter: str, entry_id: str) -> None:
    """Say by a key what the reader thinks of the film that was in sight."""
    entry = resources.worklist().entry(entry_id)
    verdict = VERDICTS[letter]
    held = entry.claim
    if held is not None and held.reader != current_reader.name():
        st.toast(
            f"Open with {formatting.plain(held.reader)}. Take it over first: T.", duration="long"
        )
    elif entry.film_deleted_at is not None:
        st.toast(formatting.plain(formatting.film_deleted(entry.film_deleted_at)), duration="long")
    elif verdict is Verdict.UNUSABLE or entry.flagged is not None:
        _review(entry, verdict)


def mark_read(entry: Entry, read: bool) -> None:
    """Say that the film has been read, or has not after all."""
    resources.worklist().mark_read(entry.id, current_reader.name(), read=read)


def _held(entry: Entry, others: Claim) -> None:
    st.html(film_html.held(others))
    st.button(
        "Take over",
        key="take_over",
        shortcut="t",
        on_click=act,
        args=(partial(_take_over, entry),),
        width="stretch",
        help=f"{formatting.plain(others.reader)} sees it as soon as the page there refreshes.",
    )


def _take_over(entry: Entry) -> None:
    who = current_reader.name()
    resources.worklist().claims.claim(entry.id, who, take_over=True)
    st.session_state[CLAIMED] = (entry.id, who)


def _verdicts(entry: Entry, mine: Review | None) -> None:
    said = mine.verdict if mine else None
    if entry.flagged is not None:
        left, right = st.columns(2, gap="small")
        with left:
            _verdict(entry, "Agree", "a", Verdict.AGREE, said)
        with right:
            _verdict(entry, "Disagree", "d", Verdict.DISAGREE, said)
        _cause(entry, mine)
    _verdict(entry, "Not a usable film", "u", Verdict.UNUSABLE, said)


def _verdict(
    entry: Entry, label: str, shortcut: str, verdict: Verdict, said: Verdict | None
) -> None:
    st.button(
        label,
        key=f"{verdict.name.lower()}_{entry.id}",  # a late click is about the film it was made at
        type="primary" if said is verdict else "secondary",
        shortcut=shortcut,
        width="stretch",
        on_click=act,
        args=(partial(_review, entry, verdict),),
    )


def _cause(entry: Entry, mine: Review | None) -> None:
    """Offer the causes; a choice after the verdict is said with the verdict once more."""
    key = f"cause_{entry.id}"
    st.session_state.setdefault(key, mine.cause if mine else None)
    st.pills(
        "Cause, where there is pneumonia",
        list(CAUSES),
        format_func=CAUSES.__getitem__,
        key=key,
        on_change=_cause_changed,
        args=(entry, mine.verdict if mine else None),
    )


def _cause_changed(entry: Entry, said: Verdict | None) -> None:
    if said in (Verdict.AGREE, Verdict.DISAGREE):
        act(partial(_review, entry, said))


def _comment(entry: Entry) -> None:
    st.text_input(
        "Comment",
        key="comment",
        placeholder="Comment: C, Enter keeps it",
        label_visibility="collapsed",
        on_change=_commented,
        args=(entry,),
    )


def _commented(entry: Entry) -> None:
    words = str(st.session_state["comment"]).strip()[:COMMENT_LENGTH]
    st.session_state["comment"] = ""
    if words:
        act(partial(_review, entry, None, words))


def _review(entry: Entry, verdict: Verdict | None, comment: str = "") -> None:
    """Add what the reader says now, beside whether the heat had been in sight."""
    cause = st.session_state.get(f"cause_{entry.id}")
    resources.worklist().reviews.add(
        entry.id,
        current_reader.name(),
        verdict,
        cause=cause if verdict in (Verdict.AGREE, Verdict.DISAGREE) else None,
        comment=comment,
        heat_seen=entry.id in st.session_state.get("heat_seen", set()),
    )


def earlier(entry: Entry) -> Entry | None:
    """Offer the earlier films of the patient; give the one to show beside this one."""
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
        "Hide the earlier film" if chosen else "Earlier film beside it",
        key="earlier",
        shortcut="e",
        width="stretch",
        on_click=lambda: st.session_state.update(
            {f"earlier_{entry.id}": None if chosen else next(iter(films))}
        ),
    )
    return masking.shown(films[chosen]) if chosen else None
