"""The outbox: every result once for each archive, tried again until it is given up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from cxr_app.destination import Destination, ResultKind
from cxr_app.radiograph import Header
from cxr_app.worklist import OutgoingState, Verdict, Worklist
from tests.support.outcomes import INSTANCE, refused, scored, sha256
from tests.support.site import Clock

ARCHIVE = Destination("A", "archive", 104)
DAYS = timedelta(days=3)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def worklist(worklist_url: str, clock: Clock) -> Iterator[Worklist]:
    opened = Worklist.open(worklist_url, clock)
    yield opened
    opened.close()


def score(
    worklist: Worklist, film: object, model: str = "model-1", header: Header = INSTANCE
) -> str:
    worklist.receive(sha256(film), "a.dcm", Path("/film"))
    return worklist.record(scored(film, model_version=model, header=header))


def fill(
    worklist: Worklist, destination: Destination = ARCHIVE, *, after_reading: bool = False
) -> int:
    return worklist.outbox.fill(destination, LONG_AGO, after_reading=after_reading)


def test_a_result_is_added_once_for_each_archive_and_object(worklist: Worklist) -> None:
    other = Destination("B", "archive", 104, tuple(ResultKind))
    for destination in (ARCHIVE, other):
        worklist.outbox.open(destination)
    film = score(worklist, 1)
    assert [fill(worklist), fill(worklist), fill(worklist, other), fill(worklist, other)] == [
        2,
        0,
        4,
        0,
    ]
    assert len(worklist.outbox.of_film(film)) == 6


def test_only_results_made_since_an_archive_was_named_are_sent(
    worklist: Worklist, clock: Clock
) -> None:
    score(worklist, "before")
    clock.now += timedelta(seconds=1)
    worklist.outbox.open(ARCHIVE)
    clock.now += timedelta(seconds=1)
    after = score(worklist, "after")
    worklist.outbox.open(ARCHIVE)
    fill(worklist)
    assert {each.entry_id for each in worklist.outbox.newest()} == {after}


def test_films_without_result_or_header_have_nothing_to_send(worklist: Worklist) -> None:
    worklist.outbox.open(ARCHIVE)
    worklist.receive(sha256(1), "a.jpg", Path("/film"))
    worklist.record(scored(1))
    worklist.receive(sha256(2), "b.dcm", Path("/film"))
    worklist.record(refused(2))
    score(worklist, 3, header=Header(sop_instance_uid="1.2"))
    assert fill(worklist) == 0


def test_results_may_wait_until_a_person_has_read_the_film(
    worklist: Worklist, clock: Clock
) -> None:
    worklist.outbox.open(ARCHIVE)
    film = score(worklist, 1)
    assert fill(worklist, after_reading=True) == 0
    clock.now += timedelta(hours=1)
    worklist.reviews.add(film, "Weiss", Verdict.AGREE)
    assert worklist.outbox.fill(ARCHIVE, clock.now, after_reading=True) == 2
    clock.now += timedelta(hours=1)
    score(worklist, 1, "model-2")
    assert worklist.outbox.fill(ARCHIVE, clock.now, after_reading=True) == 2


def test_results_of_a_film_that_is_unread_again_wait_until_it_is_read(
    worklist: Worklist, clock: Clock
) -> None:
    archive = Destination("A", "archive", 104, (ResultKind.REPORT, ResultKind.READING))
    worklist.outbox.open(archive)

    def step() -> list[ResultKind]:
        """Send what may leave; return of what kinds it is."""
        clock.now += timedelta(seconds=1)
        fill(worklist, archive, after_reading=True)
        kinds = []
        while claimed := worklist.outbox.claim(archive.name, after_reading=True):
            kinds += [each.kind for each in claimed]
            for each in claimed:
                worklist.outbox.sent(each)
        return kinds

    film = score(worklist, 1)
    verdict = worklist.reviews.add(film, "Weiss", Verdict.AGREE)
    fill(worklist, archive, after_reading=True)
    clock.now += timedelta(seconds=1)
    worklist.reviews.take_back([verdict.number], "Weiss")
    assert step() == []
    verdict = worklist.reviews.add(film, "Weiss", Verdict.DISAGREE)
    sent = step()
    assert sent.count(ResultKind.REPORT) == 1
    assert sent.count(ResultKind.READING) == 3
    worklist.reviews.take_back([verdict.number], "Weiss")
    assert step() == [ResultKind.READING], "the archive has the verdict, so it must go there too"


def test_what_waits_for_a_reader_does_not_hold_up_the_others(
    worklist: Worklist, clock: Clock
) -> None:
    """Each film that waits is looked up by its number: no list is read as a whole."""
    worklist.outbox.open(ARCHIVE)
    films = [score(worklist, film) for film in range(3)]
    fill(worklist)
    worklist.reviews.add(films[-1], "Weiss", Verdict.AGREE)
    plans: list[str] = []
    engine = worklist._database.engine
    event.listen(engine, "before_cursor_execute", partial(explain, plans))
    claimed = worklist.outbox.claim(ARCHIVE.name, after_reading=True)
    assert {each.entry_id for each in claimed} == {films[-1]}
    if engine.dialect.name == "sqlite":
        assert plans
        assert not [step for step in plans if step.startswith("SCAN worklist_")]


def explain(plans: list[str], *execution: Any) -> None:
    """Note how SQLite executes a query."""
    connection, cursor, statement, parameters, *_ = execution
    if connection.dialect.name == "sqlite" and statement.startswith("SELECT"):
        steps = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        plans += [step[3] for step in steps]


def test_a_new_score_names_its_predecessor_also_when_an_old_model_returns(
    worklist: Worklist, clock: Clock
) -> None:
    worklist.outbox.open(ARCHIVE)
    moments = []
    for model in ("model-1", "model-2", "model-1"):
        clock.now += timedelta(minutes=1)
        film = score(worklist, 1, model)
        moments.append(clock.now)
        fill(worklist)
        for each in worklist.outbox.claim(ARCHIVE.name):
            worklist.outbox.sent(each)
    chain = {each.scored_at: each for each in worklist.outbox.of_film(film)}
    assert sorted(chain) == moments
    before = [chain[moment].predecessor_scored_at for moment in moments]
    assert before == [None, *moments[:2]]
    assert [chain[moment].model_version for moment in moments] == ["model-1", "model-2", "model-1"]


@pytest.mark.parametrize("fate", ["sent", "given up", "skipped", "sent elsewhere"])
def test_a_report_replaces_only_what_its_archive_has(
    worklist: Worklist, clock: Clock, fate: str
) -> None:
    other = Destination("B", "archive", 104)
    for destination in (ARCHIVE, other):
        worklist.outbox.open(destination)
    score(worklist, 1, "model-1")
    first, box = clock.now, worklist.outbox
    fill(worklist, other if fate == "sent elsewhere" else ARCHIVE)
    claimed = [each for name in "AB" for each in box.claim(f"{name}@archive:104")]
    assert len(claimed) == 2
    for each in claimed:
        if fate.startswith("sent"):
            box.sent(each)
        elif fate == "skipped":
            box.skip(each, "Nothing to show.")
        else:
            box.fail(each, "refused", timedelta() if fate == "given up" else DAYS)
    clock.now += timedelta(seconds=1)
    score(worklist, 1, "model-2")
    fill(worklist)
    replaced = {each.predecessor_scored_at for each in box.claim(ARCHIVE.name)}
    assert replaced == {first if fate == "sent" else None}


@pytest.mark.parametrize("kind", [ResultKind.REPORT, ResultKind.READING])
@pytest.mark.parametrize("is_refused", [True, False], ids=["refused", "in flight"])
def test_a_newer_document_waits_for_the_one_that_it_replaces(
    worklist: Worklist, clock: Clock, kind: ResultKind, is_refused: bool
) -> None:
    archive, box = Destination("A", "archive", 104, (kind,)), worklist.outbox
    box.open(archive)
    film = score(worklist, 1, "model-1")
    moments = []
    for step in (1, 2):
        clock.now += timedelta(seconds=1)
        if kind is ResultKind.READING:
            worklist.reviews.add(film, "Weiss", step == 1)
        elif step == 2:
            score(worklist, 1, "model-2")
        fill(worklist, archive)
        if step == 1:
            (first,) = box.claim(archive.name)
            moments.append(first.scored_at)
            if is_refused:
                box.fail(first, "refused", DAYS)
    assert box.claim(archive.name) == []
    if is_refused:
        clock.now += timedelta(hours=1)
        (first,) = box.claim(archive.name)
    assert first.scored_at == moments[0]
    box.sent(first)
    (newer,) = box.claim(archive.name)
    assert newer.scored_at > first.scored_at
    assert newer.predecessor_scored_at == first.scored_at


def test_a_server_whose_clock_is_behind_shortens_no_pause(
    worklist_url: str, worklist: Worklist, clock: Clock
) -> None:
    worklist.outbox.open(ARCHIVE)
    score(worklist, 1)
    fill(worklist)
    behind = Worklist.open(worklist_url, lambda: clock.now - timedelta(minutes=5))
    for _ in range(10):
        clock.now += timedelta(hours=1)
        for each in worklist.outbox.claim(ARCHIVE.name):
            worklist.outbox.fail(each, "refused", DAYS)
        assert behind.outbox.claim(ARCHIVE.name) == []
    behind.close()


def test_a_failure_pauses_longer_each_time(worklist: Worklist, clock: Clock) -> None:
    worklist.outbox.open(ARCHIVE)
    score(worklist, 1)
    fill(worklist)
    pauses = []
    for _ in range(9):
        refuse(worklist, DAYS)
        due = worklist.outbox.newest()[0].due_at
        pauses.append(due - clock.now)
        clock.now = due
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=30), timedelta(hours=1))


def test_what_an_archive_refuses_for_long_is_given_up_and_retried_by_a_person(
    worklist: Worklist, clock: Clock
) -> None:
    worklist.outbox.open(ARCHIVE)
    score(worklist, 1)
    fill(worklist)
    clock.now += 10 * DAYS  # before the first try
    first = clock.now
    while worklist.outbox.archives()[0].counts.get(OutgoingState.WAITING):
        assert clock.now - first < DAYS + timedelta(hours=1)
        assert refuse(worklist, DAYS) == 2
        clock.now = worklist.outbox.newest()[0].due_at
    assert clock.now - first >= DAYS
    assert worklist.outbox.claim(ARCHIVE.name) == []
    given_up = worklist.outbox.newest(OutgoingState.GIVEN_UP)
    assert [each.problem for each in given_up] == ["refused"] * 2
    assert worklist.outbox.retry(each.number for each in given_up) == 2
    assert refuse(worklist, DAYS) == 2, "it counts from then"
    assert worklist.outbox.archives()[0].counts == {OutgoingState.WAITING: 2}


def test_time_in_which_an_archive_refused_nothing_does_not_count(
    worklist: Worklist, clock: Clock
) -> None:
    """Nor held, nor unreachable, nor a server that was off: the next try is one of many."""
    worklist.outbox.open(ARCHIVE)
    score(worklist, 1)
    fill(worklist)
    for _ in range(1000):
        for each in worklist.outbox.claim(ARCHIVE.name):
            worklist.outbox.postpone(each, "unreachable")
    for _ in range(3):
        clock.now += 10 * DAYS
        assert refuse(worklist, DAYS) == 2
    assert worklist.outbox.archives()[0].counts == {OutgoingState.WAITING: 2}


def refuse(worklist: Worklist, give_up_after: timedelta) -> int:
    """Let an archive refuse the objects of one film; return how many."""
    claimed = worklist.outbox.claim(ARCHIVE.name)
    for each in claimed:
        worklist.outbox.fail(each, "refused", give_up_after)
    return len(claimed)


def test_what_was_sent_is_never_sent_again(worklist: Worklist) -> None:
    worklist.outbox.open(ARCHIVE)
    score(worklist, 1)
    fill(worklist)
    for each in worklist.outbox.claim(ARCHIVE.name):
        worklist.outbox.sent(each)
    assert worklist.outbox.retry(each.number for each in worklist.outbox.newest()) == 0
    assert worklist.outbox.claim(ARCHIVE.name) == []


def test_the_state_of_each_archive_is_known(worklist: Worklist, clock: Clock) -> None:
    worklist.outbox.open(ARCHIVE)
    score(worklist, 1)
    fill(worklist)
    worklist.outbox.reached(ARCHIVE.name)
    worklist.outbox.unreachable(ARCHIVE.name, "it does not answer")
    (state,) = worklist.outbox.archives()
    assert (state.reached_at, state.problem) == (clock.now, "it does not answer")
    assert state.counts == {OutgoingState.WAITING: 2}


def test_all_servers_of_a_worklist_are_one_installation(
    worklist_url: str, worklist: Worklist
) -> None:
    other = Worklist.open(worklist_url)
    assert other.outbox.installation_id() == worklist.outbox.installation_id()
    other.close()
