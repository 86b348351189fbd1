from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import EntryNotFoundError
from cxr_app.outcome import Priority, ScoringState
from cxr_app.radiograph import Header
from cxr_app.recall import recall
from cxr_app.worklist import Query, Worklist
from tests.support.lungs import two_lungs
from tests.support.outcomes import HEAT_SCALE, OPERATING_POINTS, prediction, refused, scored, sha256
from training.bench import million_entries

PATH = Path("/films/ab/film")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = Header(
    patient_id="P-1",
    patient_name="MÜLLER^ANNA",
    patient_age="011M",
    accession_number="A_100%",
    study_description="Thorax pa",
)


def receive(worklist: Worklist, film: object, received_at: datetime | None = None) -> str:
    return worklist.receive(sha256(film), f"ward/{film}.dcm", PATH, received_at)[0]


def test_the_same_film_received_twice_is_one_entry(worklist: Worklist) -> None:
    first, created = worklist.receive(sha256(1), "a.jpg", PATH)
    again, created_again = worklist.receive(sha256(1), "b.jpg", PATH)
    assert (created, created_again) == (True, False)
    assert first == again
    assert worklist.entry(first).source == "a.jpg"
    assert worklist.count(Query(state="all")) == 1


def test_a_received_film_waits_for_its_score(worklist: Worklist) -> None:
    entry = worklist.entry(receive(worklist, 1, NOON))
    assert entry.received_at == NOON
    assert entry.received_at.tzinfo is UTC
    assert (entry.state, entry.priority, entry.flagged, entry.header) == (None, None, None, None)
    assert worklist.next_received() == [entry]


def test_the_oldest_unscored_films_are_scored_next(worklist: Worklist) -> None:
    for film, age in enumerate((1, 3, 2, 4)):
        receive(worklist, film, NOON - timedelta(hours=age))
    worklist.record(scored(3))
    waiting = [entry.sha256 for entry in worklist.next_received(limit=2)]
    assert waiting == [sha256(1), sha256(2)]


def test_an_entry_has_the_whole_outcome_of_scoring(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    outcome = scored(1, 0.8, header=HEADER)
    assert worklist.record(outcome, NOON) == entry_id
    entry = worklist.entry(entry_id)
    assert (entry.state, entry.priority, entry.flagged) == (
        ScoringState.SCORED,
        Priority.HIGH,
        True,
    )
    assert (entry.pneumonia_probability, entry.bacterial_probability) == (0.8, 0.8)
    assert (entry.viral_probability, entry.reason) == (0.0, "")
    assert (entry.operating_point_name, entry.threshold) == ("balanced", 0.5)
    assert (entry.model_version, entry.scored_at, entry.header) == ("model-1", NOON, HEADER)
    assert (entry.file_format, entry.rows, entry.columns) == ("DICOM", 1000, 1400)
    assert entry.remarks == ("first of 3 frames",)
    assert entry.activation_map is not None
    assert entry.activation_map.dtype == np.float32
    np.testing.assert_array_equal(entry.activation_map, prediction(0.8).activation_map)
    assert entry.heat_scale == HEAT_SCALE
    assert worklist.scores(entry_id)[0].heat_scale == HEAT_SCALE


@pytest.mark.parametrize("found", [True, False])
def test_the_lungs_of_a_score_are_kept(worklist: Worklist, found: bool) -> None:
    lungs = two_lungs(found=found, first_column=0)
    outcome = scored(1)
    assert outcome.prediction is not None
    outcome = replace(outcome, prediction=replace(outcome.prediction, lungs=lungs))
    worklist.enter([(outcome, "-", Path("/film"))])
    entry = worklist.entry_by_sha256(sha256(1))
    assert entry is not None
    recalled = recall(worklist, sha256(1), "model-1", OPERATING_POINTS)
    assert recalled is not None
    assert recalled.prediction is not None
    for kept in (entry.lungs, worklist.scores(entry.id)[0].lungs, recalled.prediction.lungs):
        assert kept is not None
        np.testing.assert_array_equal(kept.mask, lungs.mask)
        assert (kept.found, kept.cut_off) == (found, lungs.cut_off)


def test_a_model_that_looks_for_no_lungs_leaves_none(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1))
    assert worklist.entry(entry_id).lungs is None


def test_a_list_does_not_load_activation_maps(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1))
    assert worklist.page(Query())[0].activation_map is None
    assert worklist.entries_by_ids([entry_id])[0].activation_map is None
    found = worklist.entry_by_sha256(sha256(1))
    assert found is not None
    assert found.activation_map is not None


def test_scoring_twice_with_one_model_changes_nothing(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1), NOON)
    before = worklist.entry(entry_id), worklist.scores(entry_id)
    worklist.record(scored(1), NOON + timedelta(hours=1))
    assert (worklist.entry(entry_id), worklist.scores(entry_id)) == before


def test_another_model_adds_to_the_history_and_becomes_current(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1, 0.8, "model-1"), NOON)
    worklist.record(scored(1, 0.3, "model-2"), NOON + timedelta(hours=1))
    entry = worklist.entry(entry_id)
    assert (entry.model_version, entry.pneumonia_probability) == ("model-2", 0.3)
    assert (entry.flagged, entry.priority) == (False, Priority.MEDIUM)
    history = worklist.scores(entry_id)
    assert [score.model_version for score in history] == ["model-2", "model-1"]
    assert [score.pneumonia_probability for score in history] == [0.3, 0.8]
    assert history[1].activation_map is not None
    np.testing.assert_array_equal(history[1].activation_map, prediction(0.8).activation_map)
    assert worklist.scored_by("model-1") == {sha256(1)}
    assert worklist.scored_by("model-2") == {sha256(1)}
    assert worklist.scored_by("model-3") == set()


def test_an_earlier_score_that_arrives_late_does_not_become_current(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1, 0.8, "model-2"), NOON)
    worklist.record(scored(1, 0.1, "model-1"), NOON - timedelta(hours=1))
    assert worklist.entry(entry_id).model_version == "model-2"
    assert len(worklist.scores(entry_id)) == 2


def test_a_model_that_scores_again_after_another_is_current_again(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    for hours, model in enumerate(("model-1", "model-2", "model-1")):
        worklist.record(scored(1, 0.8, model), NOON + timedelta(hours=hours))
    assert worklist.entry(entry_id).model_version == "model-1"
    assert [score.model_version for score in worklist.scores(entry_id)] == ["model-1", "model-2"]


@pytest.mark.parametrize("state", [ScoringState.REJECTED, ScoringState.FAILED])
def test_a_refused_film_keeps_its_reason_until_it_is_scored(
    worklist: Worklist, state: ScoringState
) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(refused(1, state, "It is a hand."), NOON)
    entry = worklist.entry(entry_id)
    assert (entry.state, entry.reason) == (state, "It is a hand.")
    assert (entry.flagged, entry.priority) == (None, Priority.MEDIUM)
    assert worklist.page(Query(state="needs_a_person")) == [entry]
    worklist.record(scored(1), NOON + timedelta(hours=1))
    assert (worklist.entry(entry_id).state, worklist.entry(entry_id).reason) == (
        ScoringState.SCORED,
        "",
    )
    assert worklist.count(Query(state="needs_a_person")) == 0


def test_refusals_are_part_of_the_history_once_each(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    for reason in ("truncated", "truncated", "no decoder"):
        worklist.record(refused(1, reason=reason))
    worklist.record(scored(1))
    worklist.record(refused(1, reason="truncated"))
    answer = [score.reason or score.model_version for score in worklist.scores(entry_id)]
    assert answer == ["truncated", "model-1", "no decoder", "truncated"]
    assert worklist.entry(entry_id).reason == "truncated"
    assert worklist.entry(entry_id).pneumonia_probability is None


def test_a_refusal_recorded_again_with_its_own_time_is_not_written_twice(
    worklist: Worklist,
) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(refused(1), NOON)
    worklist.record(scored(1), NOON + timedelta(hours=1))
    worklist.record(refused(1), NOON)
    assert len(worklist.scores(entry_id)) == 2
    assert worklist.entry(entry_id).state is ScoringState.SCORED


def test_a_film_that_can_no_longer_be_read_keeps_its_header(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1, header=HEADER))
    worklist.record(refused(1))
    entry = worklist.entry(entry_id)
    assert (entry.header, entry.rows, entry.file_format) == (HEADER, 1000, "DICOM")


def test_reading_takes_a_film_off_the_unread_and_back(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.mark_read(entry_id)
    read_at = worklist.entry(entry_id).read_at
    assert read_at is not None
    assert (worklist.count(Query()), worklist.count(Query(state="read"))) == (0, 1)
    worklist.mark_read(entry_id)
    assert worklist.entry(entry_id).read_at == read_at
    worklist.mark_read(entry_id, read=False)
    assert worklist.entry(entry_id).read_at is None
    assert (worklist.count(Query()), worklist.count(Query(state="read"))) == (1, 0)


def test_scoring_again_does_not_make_a_read_film_unread(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1))
    worklist.mark_read(entry_id)
    worklist.record(scored(1, 0.1, "model-2"))
    assert worklist.entry(entry_id).read_at is not None


def test_counts_describe_the_list(worklist_url: str) -> None:
    worklist = Worklist.open(worklist_url, clock=lambda: NOON)
    assert worklist.counts().longest_wait is None
    ids = [receive(worklist, film, NOON - timedelta(hours=film)) for film in range(7)]
    worklist.record(scored(0, 0.9))
    worklist.record(scored(1, 0.3))
    worklist.record(refused(2))
    worklist.record(scored(6, 0.9))
    worklist.mark_read(ids[6])
    counts = worklist.counts()
    worklist.close()
    assert (counts.unread, counts.read, counts.in_progress) == (6, 1, 3)
    assert (counts.flagged_unread, counts.needs_a_person) == (1, 1)
    assert counts.longest_wait == timedelta(hours=5)


def test_entries_come_in_the_requested_order(worklist: Worklist) -> None:
    ids = [receive(worklist, film) for film in range(5)]
    requested = [ids[3], "0" * 32, ids[0], ids[4]]
    assert [entry.id for entry in worklist.entries_by_ids(requested)] == [ids[3], ids[0], ids[4]]
    assert worklist.entries_by_ids([]) == []


def test_what_is_not_there_is_named(worklist: Worklist) -> None:
    for ask in (worklist.entry, worklist.scores, worklist.mark_read):
        with pytest.raises(EntryNotFoundError, match="no entry 00000000"):
            ask("0" * 32)
    with pytest.raises(EntryNotFoundError, match="of this name"):
        worklist.neighbours(Query(), "<script>")
    with pytest.raises(EntryNotFoundError, match="Receive it"):
        worklist.record(scored("never received"))
    assert worklist.entry_by_sha256(sha256("never received")) is None


def test_a_closed_and_reopened_worklist_has_lost_nothing(worklist_url: str) -> None:
    worklist = Worklist.open(worklist_url)
    ids = [receive(worklist, film) for film in range(5)]
    worklist.record(scored(1, header=HEADER))
    worklist.record(refused(2))
    worklist.mark_read(ids[3])
    before = [worklist.entry(each) for each in ids], [worklist.scores(each) for each in ids]
    worklist.close()
    again = Worklist.open(worklist_url)
    assert ([again.entry(each) for each in ids], [again.scores(each) for each in ids]) == before
    again.close()


def test_a_time_without_a_zone_is_refused(worklist: Worklist) -> None:
    naive = datetime(2026, 3, 1)
    with pytest.raises(ValueError, match="without a time zone"):
        worklist.receive(sha256(1), "a", PATH, naive)


def test_operating_points_are_those_of_the_score(worklist: Worklist) -> None:
    entry_id = receive(worklist, 1)
    worklist.record(scored(1, 0.3, operating_point="high_sensitivity"))
    entry = worklist.entry(entry_id)
    assert (entry.flagged, entry.priority) == (True, Priority.MEDIUM)
    assert entry.threshold == OPERATING_POINTS["high_sensitivity"].threshold
    assert [each.id for each in worklist.page(Query(flag="flagged"))] == [entry_id]


def test_entering_films_is_receiving_and_recording_them(worklist: Worklist) -> None:
    films = [scored(1, 0.8), scored(2, 0.3), scored(1, 0.8), refused(3)]
    for _ in range(2):
        worklist.enter((film, f"{film.sha256[:4]}.jpg", Path(film.sha256)) for film in films)
    assert worklist.count(Query(state="all")) == 3
    assert worklist.scored_by("model-1") == {sha256(1), sha256(2)}
    judged = worklist.scored_at(map(sha256, range(5)))
    assert judged.keys() == {sha256(1), sha256(2), sha256(3)}
    assert set(judged.values()) <= {each.scored_at for each in worklist.page(Query(state="all"))}
    receive(worklist, 4)
    worklist.record(scored(4, 0.8))
    entered, received = (worklist.entry_by_sha256(sha256(film)) for film in (1, 4))
    assert entered is not None
    assert received is not None
    assert entered.pneumonia_probability == received.pneumonia_probability
    assert (entered.state, entered.flagged, entered.priority) == (
        received.state,
        received.flagged,
        received.priority,
    )
    assert len(worklist.scores(entered.id)) == 1


def test_a_film_entered_is_in_every_column_as_one_received_and_recorded(
    worklist_url: str, tmp_path: Path
) -> None:
    films = list(
        million_entries.synthetic_films(range(60))
    )  # with headers and without, scored and refused
    entering = Worklist.open(worklist_url, lambda: NOON)
    receiving = Worklist.open(f"sqlite:///{tmp_path / 'other.sqlite'}", lambda: NOON)
    entering.enter(films)
    for outcome, source, path in films:
        receiving.receive(outcome.sha256, source, path)
        receiving.record(outcome)
    assert entering.counts() == receiving.counts()
    for outcome, _, _ in films:
        entered, received = (each.entry_by_sha256(outcome.sha256) for each in (entering, receiving))
        assert entered is not None
        assert received is not None
        assert replace(entered, id="") == replace(received, id="")
        if entered.activation_map is not None:
            assert received.activation_map is not None
            assert np.array_equal(entered.activation_map, received.activation_map)
        assert (entered.activation_map is None) == (received.activation_map is None)
        assert entering.scores(entered.id) == receiving.scores(received.id)
        if entered.header is not None:
            assert entered in entering.page(Query(state="all", text=entered.header.patient_id))
    entering.close()
    receiving.close()


def test_runs_that_enter_the_same_films_at_once_enter_each_once(worklist: Worklist) -> None:
    films = [scored(number, number / 40) for number in range(40)]

    def enter(seed: int) -> None:
        order = [films[place] for place in np.random.default_rng(seed).permutation(len(films))]
        for start in range(0, len(order), 8):
            together = order[start : start + 8]
            worklist.enter((film, "film.jpg", Path(film.sha256)) for film in together)

    with ThreadPoolExecutor(4) as runs:
        list(runs.map(enter, range(4)))
    entries = worklist.page(Query(state="all"), limit=100)
    assert len(entries) == 40
    assert all(len(worklist.scores(entry.id)) == 1 for entry in entries)


def test_a_clock_that_was_ahead_does_not_put_a_film_last(worklist_url: str) -> None:
    now = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
    clock = [now + timedelta(days=61)]
    with closing(Worklist.open(worklist_url, lambda: clock[0])) as worklist:
        worklist.receive(sha256(1), "ahead", PATH)
        worklist.receive(sha256(2), "read", PATH)
        read = worklist.page(Query(text="read"))[0].id
        worklist.mark_read(read)
        clock[0] = now
        worklist.receive(sha256(3), "right", PATH)
        clock[0] += timedelta(seconds=1)
        worklist.enter([(scored(4), "entered", PATH)])
        times = {film.source: film.received_at for film in worklist.page(Query(state="all"))}
        assert times["ahead"] == times["right"] == now
        assert times["read"] == now + timedelta(days=61)
        order = [film.source for film in worklist.page(Query(sort="received_at"))]
        assert (set(order[:2]), order[2]) == ({"ahead", "right"}, "entered")  # two of one moment
