"""Films read by two readers: who sees what, where they differ, and what counts until it is settled.

Readers, verdicts and what is taken back are drawn at random; a second, simpler reckoning of where a
film stands is compared with what the worklist keeps.
"""

from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.destination import Destination, ResultKind
from cxr_app.errors import EntryNotFoundError, HandoverError
from cxr_app.radiograph import Header
from cxr_app.second_reading_rule import SecondReadingRule
from cxr_app.settings import Settings
from cxr_app.worklist import Cause, Query, Review, SecondReadingState, Verdict, Worklist
from tests.support.factories import dicom_bytes
from tests.support.outcomes import scored, sha256
from tests.support.scored_films import score_film
from tests.support.site import Clock

READERS = ("Ada", "Bela", "Cleo", "Dora")
ANSWERS = (True, False, Verdict.UNSURE, Verdict.UNUSABLE)
Step = tuple[str, str, bool | Verdict, Cause | None]
READINGS = Destination("A", "archive", 104, (ResultKind.READING,))

WAITING, AGREED = SecondReadingState.WAITING, SecondReadingState.AGREED
DISAGREED, SETTLED = SecondReadingState.DISAGREED, SecondReadingState.SETTLED

numbers = count()


def enter(desk: Worklist, probability: float = 0.8) -> str:
    """Enter a scored film with a name of its own; its threshold is 0.5."""
    number = next(numbers)
    desk.receive(sha256(number), f"{number}.dcm", Path(f"/kept/{number}"))
    return desk.record(scored(number, probability, header=Header(patient_id=f"P-{number}")))


def state(desk: Worklist, film: str) -> SecondReadingState | None:
    second = desk.room.second_readings.of_films([film]).get(film)
    return second.state if second else None


def listed(desk: Worklist, of: str, reader: str = "") -> list[str]:
    query = Query(state=of, reader=reader)  # type: ignore[arg-type]
    found = [entry.id for entry in desk.page(query)]
    assert desk.count(query) == len(found)
    for before, after in zip([None, *found], [*found, None], strict=True):
        if before is not None:
            assert desk.neighbours(query, before)[1] == after
    return found


def simple_state(reviews: list[Review]) -> SecondReadingState:
    """Reckon from the history, newest first, where a film stands."""
    gone = {each.takes_back for each in reviews}
    held = [each for each in reversed(reviews) if each.verdict and each.number not in gone]
    if any(each.settles for each in held):
        return SETTLED
    said = {each.reader: (each.verdict, each.cause if each.pneumonia else None) for each in held}
    if len(said) < 2:
        return WAITING if said else SecondReadingState.UNREAD
    verdicts = {verdict for verdict, _ in said.values()}
    causes = {cause for _, cause in said.values()} - {None, Cause.UNCLEAR}
    return AGREED if len(verdicts) == 1 and len(causes) < 2 else DISAGREED


def act(desk: Worklist, film: str, rule: SecondReadingRule, step: Step) -> None:
    """Do what a reader does on the film page."""
    deed, reader, answer, cause = step
    if deed == "answer":
        desk.room.second_readings.begin(film, rule)
        desk.reviews.add(film, reader, answer, cause=cause if answer is True else None)
    elif deed == "comment":
        desk.reviews.add(film, reader, comment="seen")
    elif deed == "ask" and state(desk, film) is None:
        desk.room.second_readings.ask(film, reader)
    elif deed == "take back":
        own = [each for each in desk.reviews.of_film(film) if each.reader == reader]
        held = [each for each in own if each.verdict and not each.is_taken_back]
        for each in held[:1]:
            desk.reviews.take_back([each.number], reader)


def check_who_sees_what(desk: Worklist, film: str) -> None:
    """Check that only the first reader sees what others said, until a second one has judged."""
    second = desk.room.second_readings.of_films([film])[film]
    for one in READERS:
        hidden = [each for each in READERS if second.hides(each, one)]
        is_blind = second.state is WAITING and one != second.first_reader
        assert hidden == [each for each in READERS if is_blind and each != one]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(("answer", "answer", "answer", "comment", "take back", "ask")),
            st.sampled_from(READERS),
            st.sampled_from(ANSWERS),
            st.sampled_from((None, *Cause)),
        ),
        max_size=10,
    ),
    by_rule=st.booleans(),
)
def test_whatever_is_done_the_film_stands_where_its_history_says(
    desk: Worklist, steps: list[Step], by_rule: bool
) -> None:
    film = enter(desk)
    rule = SecondReadingRule(asked=True, flagged=by_rule)
    for step in steps:
        act(desk, film, rule, step)
        reviews, now = desk.reviews.of_film(film), state(desk, film)
        if now is None:
            assert not any(each.settles for each in reviews)
        else:
            assert now is simple_state(reviews)
            check_who_sees_what(desk, film)
    now, judged = state(desk, film), {each.sha256 for each in desk.reviews.reviewed_films()}
    assert (film in listed(desk, "second_reading")) == (now is WAITING)
    assert (film in listed(desk, "disagreement")) == (now is DISAGREED)
    assert now is not DISAGREED or desk.entry(film).sha256 not in judged


def test_a_film_waits_for_another_reader_and_not_for_the_first(desk: Worklist) -> None:
    film, other = enter(desk), enter(desk, 0.1)
    rule = SecondReadingRule(asked=True, flagged=True)
    for each in (film, other):
        desk.room.second_readings.begin(each, rule)
        desk.reviews.add(each, "Ada", True)
    assert listed(desk, "second_reading", "Ada") == []
    assert listed(desk, "second_reading", "Bela") == [film]
    desk.reviews.add(film, "Ada", False)  # the first reader changes her verdict
    assert state(desk, film) is WAITING
    desk.reviews.add(film, "Bela", True)
    assert listed(desk, "second_reading", "Bela") == []
    assert listed(desk, "disagreement", "Bela") == [film]


def test_another_readers_verdict_settles_it_and_counts_until_it_is_taken_back(
    desk: Worklist,
) -> None:
    film = enter(desk)
    desk.room.second_readings.ask(film, "Ada")
    desk.reviews.add(film, "Ada", True, cause=Cause.VIRAL)
    desk.reviews.add(film, "Bela", False)
    assert desk.reviews.reviewed_counts().disputed == 1
    assert desk.reviews.reviewed_counts().usable == 0
    assert desk.reviews.agreement(desk.entry(film).model_version) == []
    assert set(desk.drift.films(8).pneumonia) == {-1}
    settlement = desk.reviews.add(film, "Cleo", True, cause=Cause.BACTERIAL)
    assert settlement.settles
    assert state(desk, film) is SETTLED
    assert not desk.reviews.add(film, "Bela", False).settles  # too late
    (reviewed,) = desk.reviews.reviewed_films()
    assert (reviewed.pneumonia, reviewed.cause) == (True, Cause.BACTERIAL)
    counts = desk.reviews.reviewed_counts()
    assert (counts.bacterial, counts.disputed, counts.reviewed) == (1, 0, 1)
    assert set(desk.drift.films(8).pneumonia) == {1}
    desk.reviews.take_back([settlement.number], "Cleo")
    assert state(desk, film) is DISAGREED
    desk.reviews.add(film, "Ada", False)  # gives in
    assert state(desk, film) is AGREED


def test_a_film_can_be_asked_for_once_and_by_who_asked_taken_back(desk: Worklist) -> None:
    film = enter(desk)
    log = desk.room.second_readings
    log.ask(film, "Ada")
    with pytest.raises(HandoverError, match="already"):
        log.ask(film, "Bela")
    with pytest.raises(HandoverError, match="you can take back"):
        log.withdraw(film, "Bela")
    log.withdraw(film, "Ada")
    assert state(desk, film) is None
    desk.reviews.add(film, "Ada", True)
    desk.reviews.add(film, "Bela", False)
    log.ask(film, "Cleo")  # who sees that two differ already
    assert state(desk, film) is DISAGREED
    with pytest.raises(HandoverError, match="you can take back"):
        log.withdraw(film, "Cleo")
    with pytest.raises(EntryNotFoundError):
        log.ask("0" * 32, "Ada")


def test_all_servers_draw_the_same_films(desk: Worklist, worklist_url: str) -> None:
    other = Worklist.open(worklist_url)
    films = [enter(desk) for _ in range(20)]
    rule = SecondReadingRule(asked=True, share=0.5)
    for film in films:
        desk.room.second_readings.begin(film, rule)
    drawn = desk.room.second_readings.of_films(films).keys()
    for film in films:
        other.room.second_readings.begin(film, rule)
    assert desk.room.second_readings.of_films(films).keys() == drawn
    other.close()


def test_verdicts_are_sent_before_readers_differ_and_after_it_is_settled(
    desk: Worklist, clock: Clock, tmp_path: Path
) -> None:
    desk.outbox.open(READINGS)
    film = score_film(Settings(data_dir=tmp_path / "data"), desk, dicom_bytes())

    def step(reader: str, answer: bool) -> int:
        clock.now += timedelta(seconds=1)
        desk.reviews.add(film, reader, answer)
        return desk.outbox.fill(READINGS, clock.now - timedelta(minutes=10))

    desk.room.second_readings.ask(film, "Ada")
    assert step("Ada", True) == 1  # not yet fetched by the sender
    assert step("Bela", False) == 0
    assert desk.outbox.claim(READINGS.name) == [], "it is held while readers differ"
    assert step("Cleo", False) == 1
    (first,) = desk.outbox.claim(READINGS.name)
    desk.outbox.sent(first)
    (newest,) = desk.outbox.claim(READINGS.name)
    assert newest.predecessor_scored_at == first.scored_at
    assert newest.scored_at == clock.now
