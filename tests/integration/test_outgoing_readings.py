"""Readers' verdicts on their way to archives: none before there is one, each change once."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cxr_app.destination import Destination, ResultKind
from cxr_app.pacs.sender import Sender
from cxr_app.settings import Settings
from cxr_app.worklist import Cause, Outgoing, OutgoingState, Verdict, Worklist
from tests.support.archives import Peer, listening
from tests.support.factories import dicom_bytes
from tests.support.scored_films import score_film
from tests.support.site import Clock

READINGS = Destination("A", "archive", 104, (ResultKind.READING,))
BOTH = Destination("B", "archive", 104, (ResultKind.REPORT, ResultKind.READING))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def worklist(worklist_url: str, clock: Clock) -> Iterator[Worklist]:
    opened = Worklist.open(worklist_url, clock)
    yield opened
    opened.close()


def fill(worklist: Worklist, destination: Destination, clock: Clock) -> int:
    return worklist.outbox.fill(destination, clock.now - timedelta(minutes=10))


def readings(worklist: Worklist, film: str, destination: Destination) -> list[Outgoing]:
    """Return the verdicts for an archive, oldest first."""
    of_film = reversed(worklist.outbox.of_film(film))
    return [
        each
        for each in of_film
        if (each.kind, each.destination) == (ResultKind.READING, destination.name)
    ]


def send_all(worklist: Worklist, destination: Destination) -> None:
    while claimed := worklist.outbox.claim(destination.name):
        for each in claimed:
            worklist.outbox.sent(each)


def test_each_change_after_the_first_verdict_is_sent_once_and_names_the_one_before(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    for destination in (READINGS, BOTH):
        worklist.outbox.open(destination)
    film = score_film(settings, worklist, dicom_bytes())
    worklist.reviews.add(film, "Weiss", comment="Look at this.")
    assert fill(worklist, READINGS, clock) == 0
    moments = []
    for step in ("verdict", "comment", "take back"):
        clock.now += timedelta(seconds=1)
        if step == "verdict":
            verdict = worklist.reviews.add(film, "Weiss", Verdict.AGREE)
        elif step == "comment":
            worklist.reviews.add(film, "Quist", comment="Agreed.")
        else:
            worklist.reviews.take_back([verdict.number], "Weiss")
        moments.append(clock.now)
        if step != "comment":  # the next two are found together
            assert fill(worklist, READINGS, clock) == (1 if step == "verdict" else 2)
    assert fill(worklist, READINGS, clock) == 0
    assert fill(worklist, BOTH, clock) == 4
    for destination in (READINGS, BOTH):
        send_all(worklist, destination)
        found = readings(worklist, film, destination)
        assert [each.scored_at for each in found] == moments
        assert [each.predecessor_scored_at for each in found] == [None, *moments[:2]]


def test_reviews_of_before_an_archive_was_named_are_not_sent(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    film = score_film(settings, worklist, dicom_bytes())
    worklist.reviews.add(film, "Weiss", Verdict.AGREE)
    clock.now += timedelta(seconds=1)
    worklist.outbox.open(READINGS)
    assert fill(worklist, READINGS, clock) == 0
    clock.now += timedelta(seconds=1)
    worklist.reviews.add(film, "Quist", Verdict.DISAGREE)
    assert fill(worklist, READINGS, clock) == 1


def test_a_score_made_after_the_verdict_is_sent_as_if_there_were_none(
    settings: Settings, worklist: Worklist, clock: Clock
) -> None:
    worklist.outbox.open(BOTH)
    data = dicom_bytes()
    film = score_film(settings, worklist, data)
    assert fill(worklist, BOTH, clock) == 1
    clock.now += timedelta(seconds=1)
    worklist.reviews.add(film, "Weiss", Verdict.AGREE)
    assert fill(worklist, BOTH, clock) == 1
    (report,) = [each for each in worklist.outbox.of_film(film) if each.kind is ResultKind.REPORT]
    assert report.predecessor_scored_at is None


def test_an_archive_receives_the_verdict_after_the_report_and_both_once(
    settings: Settings,
) -> None:
    worklist = Worklist.open(settings.worklist_url)
    with listening(Peer()) as peer:
        sender = Sender(settings, worklist, peer.destination(ResultKind.REPORT, ResultKind.READING))
        film = score_film(settings, worklist, dicom_bytes())
        assert sender.send_once()
        verdict = worklist.reviews.add(film, "Weiß", Verdict.DISAGREE, comment="Nipple shadow.")
        assert sender.send_once()
        worklist.reviews.take_back([verdict.number], "Weiß")
        assert sender.send_once()
        assert not sender.send_once()
    assert {each.state for each in worklist.outbox.newest()} == {OutgoingState.SENT}
    report, first, second = peer.received
    assert "PredecessorDocumentsSequence" not in report
    assert "PredecessorDocumentsSequence" not in first
    (named,) = second.PredecessorDocumentsSequence
    assert str(first.SOPInstanceUID) in str(named)
    assert "Verdict taken back" in str(second)
    assert first.StudyInstanceUID == report.StudyInstanceUID
    worklist.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("after_reading", [False, True])
def test_a_verdict_that_is_taken_back_before_it_is_sent_does_not_leave_as_if_it_stood(
    settings: Settings, after_reading: bool
) -> None:
    settings = settings.model_copy(update={"results_after_reading": after_reading})
    kinds = (ResultKind.REPORT, ResultKind.PICTURE, ResultKind.READING)
    with listening(Peer()) as peer:
        pass
    with closing(Worklist.open(settings.worklist_url)) as worklist:
        sender = Sender(settings, worklist, peer.destination(*kinds))
        film = score_film(settings, worklist, dicom_bytes())
        verdict = worklist.reviews.add(film, "Weiss", Verdict.AGREE)
        assert not sender.send_once()
        worklist.reviews.take_back([verdict.number], "Weiss")
        with listening(peer):
            sender.send_once()
            assert len(peer.received) == (0 if after_reading else 3)
            worklist.reviews.add(film, "Weiss", Verdict.DISAGREE)
            sender.send_once()
    said = "".join(map(str, peer.received))
    assert len(peer.received) == 4
    assert "Agrees" not in said
    assert "Verdict taken back" in said
    assert "Disagrees" in said


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("is_sent", [False, True])
def test_verdicts_that_are_taken_back_together_leave_as_one_object(
    settings: Settings, is_sent: bool
) -> None:
    with closing(Worklist.open(settings.worklist_url)) as worklist, listening(Peer()) as peer:
        sender = Sender(settings, worklist, peer.destination(ResultKind.READING))
        film = score_film(settings, worklist, dicom_bytes())
        given = []
        for cause in (None, Cause.BACTERIAL):
            given.append(worklist.reviews.add(film, "Weiss", True, cause=cause).number)
            if is_sent:
                assert sender.send_once()
        worklist.reviews.take_back(given, "Weiss")
        while sender.send_once():
            pass
        states = [each.state for each in worklist.outbox.of_film(film)]
    *before, newest = peer.received
    assert len(before) == (2 if is_sent else 0)
    assert "Verdict taken back" in str(newest)
    assert "Agrees" not in str(newest)
    skipped = [] if is_sent else [OutgoingState.SKIPPED] * 2
    assert states == [OutgoingState.SENT, *(skipped or [OutgoingState.SENT] * 2)]
    if is_sent:
        assert str(before[1].SOPInstanceUID) in str(newest.PredecessorDocumentsSequence)
