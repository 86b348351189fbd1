"""Who has a film open, how readers judged it, and what is counted from that."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cxr_app.errors import EntryNotFoundError, ReviewError
from cxr_app.pose import Pose
from cxr_app.radiograph import Header
from cxr_app.worklist import (
    Agreement,
    Cause,
    Query,
    ReadingDay,
    ReviewedCounts,
    Verdict,
    Worklist,
)
from cxr_app.worklist.claims import CLAIM_LIFETIME
from tests.support.outcomes import refused, scored, sha256
from tests.support.site import NOON, Clock

SECOND = timedelta(seconds=1)


def enter(desk: Worklist, number: int, probability: float = 0.8, **header: str) -> str:
    """Enter a scored film; its threshold is 0.5."""
    desk.receive(sha256(number), f"{number}.dcm", Path(f"/kept/{number}"))
    return desk.record(scored(number, probability, header=Header(**header)))


def test_a_film_is_open_with_one_reader_until_he_is_silent(desk: Worklist, clock: Clock) -> None:
    film = enter(desk, 1)
    assert desk.claims.claim(film, "Weiss").reader == "Weiss"
    clock.now += CLAIM_LIFETIME - SECOND
    assert desk.claims.claim(film, "Braun").reader == "Weiss"
    again = desk.claims.claim(film, "Weiss")
    assert (again.since, again.until) == (NOON, clock.now + CLAIM_LIFETIME)
    assert desk.entry(film).claim == again
    assert desk.page(Query())[0].claim == again
    clock.now += CLAIM_LIFETIME
    assert desk.entry(film).claim is None
    taken = desk.claims.claim(film, "Braun")
    assert (taken.reader, taken.since) == ("Braun", clock.now)


def test_a_claim_is_let_go_by_who_has_it_alone(desk: Worklist) -> None:
    film = enter(desk, 1)
    desk.claims.claim(film, "Weiss")
    desk.claims.release(film, "Braun")
    assert desk.claims.claim(film, "Braun").reader == "Weiss"
    desk.claims.release(film, "Weiss")
    assert desk.claims.claim(film, "Braun").reader == "Braun"


def test_taking_over_is_possible_and_recorded(
    desk: Worklist, worklist_url: str, clock: Clock
) -> None:
    film = enter(desk, 1)
    desk.claims.claim(film, "Weiss")
    clock.now += SECOND
    claim = desk.claims.claim(film, "Braun", take_over=True)
    assert (claim.reader, claim.since) == ("Braun", clock.now)
    desk.claims.claim(film, "Braun", take_over=True)  # her own: nothing to record
    desk.unmasking.record("Braun")
    engine = create_engine(worklist_url)
    with engine.connect() as connection:
        requested = "SELECT kind, reader, detail FROM worklist_event ORDER BY number"
        events = connection.execute(text(requested)).all()
    engine.dispose()
    assert [tuple(event) for event in events] == [
        ("TAKEN_OVER", "Braun", "Weiss"),
        ("UNMASKED", "Braun", None),
    ]


def test_of_many_readers_who_open_a_film_at_once_one_has_it(desk: Worklist) -> None:
    film = enter(desk, 1)
    names = [f"reader {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as readers:
        holders = set(readers.map(lambda name: desk.claims.claim(film, name).reader, names))
    assert len(holders) == 1


def test_a_review_is_kept_with_the_score_of_the_model(desk: Worklist, clock: Clock) -> None:
    film = enter(desk, 1, 0.8)
    desk.reviews.add(film, "Weiss", comment="<b>left</b> base\x00")
    assert desk.entry(film).read_at is None
    clock.now += SECOND
    desk.reviews.add(film, "Weiss", Verdict.AGREE, cause=Cause.VIRAL, heat_seen=True)
    clock.now += SECOND
    desk.reviews.add(film, "Braun", Verdict.DISAGREE)
    reviews = desk.reviews.of_film(film)
    assert [review.reader for review in reviews] == ["Braun", "Weiss", "Weiss"]
    assert [review.pneumonia for review in reviews] == [False, True, None]
    assert [review.heat_seen for review in reviews] == [False, True, False]
    assert reviews[2].comment == "<b>left</b> base\N{REPLACEMENT CHARACTER}"
    assert (reviews[0].model_version, reviews[0].flagged) == ("model-1", True)
    assert (reviews[0].pneumonia_probability, reviews[0].threshold) == (0.8, 0.5)
    entry = desk.entry(film)
    assert (entry.read_at, entry.read_by) == (NOON + SECOND, "Weiss")


def test_a_review_is_unchanged_by_another_model(desk: Worklist) -> None:
    film = enter(desk, 1, 0.8)
    desk.reviews.add(film, "Weiss", Verdict.AGREE)
    desk.record(scored(1, 0.1, model_version="model-2"))
    (review,) = desk.reviews.of_film(film)
    assert (review.model_version, review.flagged) == ("model-1", True)
    assert desk.reviews.agreement("model-2") == []


def test_a_flag_that_does_not_exist_cannot_be_judged(desk: Worklist) -> None:
    desk.receive(sha256(1), "1.dcm", Path("/kept/1"))
    film = desk.record(refused(1))
    with pytest.raises(ValueError, match="flagged"):
        desk.reviews.add(film, "Weiss", Verdict.AGREE)
    with pytest.raises(ValueError, match="neither"):
        desk.reviews.add(film, "Weiss")
    desk.reviews.add(film, "Weiss", Verdict.UNUSABLE)
    assert desk.entry(film).read_by == "Weiss"


def test_reviewed_films_have_their_last_verdict(desk: Worklist) -> None:
    flagged, clear, doubtful = (
        enter(desk, number, probability, patient_id=f"P-{number}")
        for number, probability in ((1, 0.9), (2, 0.2), (3, 0.9))
    )
    enter(desk, 4)  # nobody has spoken
    desk.reviews.add(flagged, "Weiss", Verdict.AGREE, cause=Cause.BACTERIAL)
    desk.reviews.add(flagged, "Weiss", Verdict.DISAGREE, cause=Cause.BACTERIAL)
    desk.reviews.add(flagged, "Weiss", comment="Only rotated.")
    desk.reviews.add(clear, "Weiss", Verdict.DISAGREE, cause=Cause.VIRAL)
    desk.reviews.add(doubtful, "Weiss", Verdict.AGREE)
    desk.reviews.add(doubtful, "Braun", Verdict.UNUSABLE)
    films = list(desk.reviews.reviewed_films())
    assert [(film.patient_id, film.pneumonia, film.cause) for film in films] == [
        ("P-1", False, None),
        ("P-2", True, Cause.VIRAL),
    ]
    assert (films[0].sha256, films[0].path) == (sha256(1), Path("/kept/1"))


def test_judged_films_are_counted_by_what_a_retraining_can_do_with_them(desk: Worklist) -> None:
    answers: tuple[tuple[Verdict | bool, Cause | None], ...] = (
        *((False, None), (True, Cause.BACTERIAL), (True, Cause.VIRAL), (True, Cause.VIRAL)),
        *((True, None), (True, Cause.UNCLEAR), (Verdict.UNSURE, None), (Verdict.UNUSABLE, None)),
    )
    for number, (answer, cause) in enumerate(answers):
        film = enter(desk, number, 0.9 if number % 2 else 0.1)
        desk.reviews.add(film, "Weiss", not answer if isinstance(answer, bool) else False)
        desk.reviews.add(film, "Weiss", answer, cause=cause)
    turned = enter(desk, 20)
    desk.attestations.give(turned, "Weiss", Pose(2))
    desk.record(replace(scored(20, 0.9), pose=Pose(2)))
    desk.reviews.add(turned, "Weiss", True, cause=Cause.VIRAL)
    found = desk.reviews.reviewed_counts()
    assert found == ReviewedCounts(1, 1, 2, without_cause=2, unsure=1, unusable=1, turned=1)
    listed = list(desk.reviews.reviewed_films())
    assert len(listed) == found.usable + found.without_cause


def test_agreement_is_counted_by_week_and_each_film_once(desk: Worklist, clock: Clock) -> None:
    films = [enter(desk, number, 0.9 if number < 4 else 0.1) for number in range(8)]
    clock.now = datetime(2026, 10, 11, 23, 59, 59, tzinfo=UTC)  # a Sunday
    for film in films:
        desk.reviews.add(film, "Weiss", Verdict.AGREE)
    clock.now += SECOND
    desk.reviews.add(films[0], "Weiss", Verdict.DISAGREE)
    desk.reviews.add(films[5], "Weiss", Verdict.DISAGREE)
    desk.reviews.add(films[6], "Weiss", Verdict.UNUSABLE)
    assert desk.reviews.agreement("model-1") == [
        Agreement(date(2026, 10, 5), true_positive=3, true_negative=2),
        Agreement(date(2026, 10, 12), false_positive=1, false_negative=1, unusable=1),
    ]
    assert desk.reviews.agreement("model-2") == []


def test_earlier_films_are_the_same_patients(desk: Worklist) -> None:
    def film(number: int, study_date: str, birth: str = "", patient_id: str = "P-1") -> str:
        dates = {"study_date": study_date, "patient_birth_date": birth}
        return enter(desk, number, 0.8, patient_id=patient_id, **dates)

    now = film(1, "20261007", "20230101")
    older, newer = film(2, "20240101"), film(3, "20250101", "20230101")
    film(4, "20261008")
    film(5, "20250101", "20220101")
    film(6, "20250101", patient_id="P-11")
    desk.mark_read(older, "Weiss")
    found = desk.earlier_films(desk.entry(now))
    assert [entry.id for entry in found] == [newer, older]
    nobody = enter(desk, 7)
    enter(desk, 8)
    assert desk.earlier_films(desk.entry(nobody)) == []


def test_the_same_id_of_another_issuer_is_another_patient(desk: Worklist) -> None:
    def film(number: int, study_date: str, issuer: str) -> str:
        facts = {"patient_id": "1001", "study_date": study_date, "issuer_of_patient_id": issuer}
        return enter(desk, number, 0.8, patient_birth_date="20210304", **facts)

    film(1, "20250101", "HOSP_A")
    own = film(2, "20250201", "HOSP_B")
    now = film(3, "20250601", "HOSP_B")
    assert [film.id for film in desk.earlier_films(desk.entry(now))] == [own]


def test_films_of_one_day_are_earlier_by_their_time(desk: Worklist) -> None:
    def film(number: int, time: str, date: str = "20250601") -> str:
        return enter(desk, number, patient_id="P-1", study_date=date, study_time=time)

    now = film(1, "083000")
    earlier = film(2, "0829")
    for number, time in enumerate(("083000", "0831", "", "08"), start=3):
        film(number, time)
    film(7, "080000", date="")
    assert [film.id for film in desk.earlier_films(desk.entry(now))] == [earlier]
    undated = film(8, "083000", date="")
    assert desk.earlier_films(desk.entry(undated)) == []


@pytest.mark.parametrize(("waits", "middle"), [([], None), ([5, 90, 10], 10.0), ([4, 6], 5.0)])
def test_the_day_counts_how_long_films_waited(
    desk: Worklist, clock: Clock, waits: list[int], middle: float | None
) -> None:
    desk.mark_read(enter(desk, 99), "Weiss")  # yesterday
    clock.now += timedelta(days=1)
    for number, wait in enumerate(waits):
        received = clock.now - wait * SECOND
        film, _ = desk.receive(sha256(number), "film", Path("/kept"), received)
        desk.mark_read(film, "Weiss")
    assert desk.reviews.read_since(clock.now) == ReadingDay(len(waits), middle)


def test_all_servers_of_a_worklist_mask_alike(desk: Worklist, worklist_url: str) -> None:
    other = Worklist.open(worklist_url)
    ask: Callable[[Worklist], bytes] = lambda each: each.unmasking.masking_key()  # noqa: E731
    with ThreadPoolExecutor(8) as servers:
        keys = set(servers.map(ask, [desk, other] * 4))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    other.close()


def test_what_there_is_not_cannot_be_read(desk: Worklist) -> None:
    for act in (
        lambda: desk.claims.claim("0" * 32, "Weiss"),
        lambda: desk.reviews.add("0" * 32, "Weiss", Verdict.UNUSABLE),
    ):
        with pytest.raises(EntryNotFoundError, match="00000000"):
            act()
    desk.claims.release("0" * 32, "Weiss")
    assert replace(desk.reviews.read_since(NOON), read=0).median_seconds is None


def test_a_verdict_that_was_taken_back_counts_nowhere_and_stays_in_the_history(
    desk: Worklist,
) -> None:
    film = enter(desk, 1)
    given = desk.reviews.add(film, "Ada", True)
    assert desk.reviews.take_back([given.number], "Ada") == film
    assert desk.entry(film).read_at is None
    assert list(desk.reviews.reviewed_films()) == []
    assert desk.reviews.agreement(desk.entry(film).model_version) == []
    newest, oldest = desk.reviews.of_film(film)
    assert (newest.takes_back, newest.verdict) == (given.number, None)
    assert oldest.is_taken_back
    with pytest.raises(ReviewError):
        desk.reviews.take_back([given.number], "Ada")


def test_the_verdict_before_counts_again(desk: Worklist) -> None:
    film = enter(desk, 1)
    desk.reviews.add(film, "Ada", True)
    second = desk.reviews.add(film, "Bela", False)
    desk.reviews.take_back([second.number], "Bela")
    assert desk.entry(film).read_by == "Ada"
    (reviewed,) = desk.reviews.reviewed_films()
    assert reviewed.pneumonia


def test_nobody_takes_back_the_verdict_of_another_or_a_comment(desk: Worklist) -> None:
    film = enter(desk, 1)
    given = desk.reviews.add(film, "Ada", True)
    comment = desk.reviews.add(film, "Bela", comment="rotated")
    for number in (given.number, comment.number, 10_000):
        with pytest.raises(ReviewError):
            desk.reviews.take_back([number], "Bela")
    assert desk.entry(film).read_by == "Ada"
