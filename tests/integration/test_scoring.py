import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxr_app import scoring_engine
from cxr_app.errors import ShortageError
from cxr_app.film_store import FilmStore
from cxr_app.imaging import isolated_decoder
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.model.screening import NO_LUNGS, UNRELIABLE
from cxr_app.outcome import Outcome, Priority, ScoringState
from cxr_app.prediction import Prediction
from cxr_app.scoring import Scorer
from cxr_app.scoring_engine import EngineStatus, ScoringEngine
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from tests.support.lungs import two_lungs


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def scorer(checkpoint_path: Path) -> Scorer:
    return Scorer(Classifier.load(checkpoint_path, "cpu"))


@pytest.fixture
def settings(tmp_path: Path, checkpoint_path: Path) -> Settings:
    return Settings.read(data_dir=tmp_path, checkpoint=checkpoint_path, device="cpu")


@pytest.fixture
def list_of_films(settings: Settings) -> Iterator[Worklist]:
    worklist = Worklist.open(settings.worklist_url)
    yield worklist
    worklist.close()


@pytest.fixture
def receive(settings: Settings, list_of_films: Worklist) -> Callable[[bytes], str]:
    """Enter a film as the upload page does."""
    store = FilmStore(settings.films_dir)

    def receive(data: bytes) -> str:
        sha256 = store.keep(data)
        entry_id, _ = list_of_films.receive(sha256, "film", store.path(sha256))
        return entry_id

    return receive


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so, and fail where it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_a_film_gets_a_probability_an_operating_point_and_a_tier(scorer: Scorer) -> None:
    outcome = scorer.score(jpeg(1, "bacterial"))

    assert outcome.state is ScoringState.SCORED
    assert outcome.prediction is not None
    assert outcome.operating_point == scorer.classifier.operating_points["balanced"]
    assert outcome.flagged == (outcome.prediction.pneumonia_probability >= 0.5)
    assert (outcome.priority is Priority.HIGH) == outcome.flagged
    assert (outcome.rows, outcome.columns, outcome.file_format) == (128, 128, "JPEG")


def test_a_film_without_two_lungs_is_scored_with_a_remark(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = scorer.classifier.predict

    def without_lungs(inputs: Sequence[NetworkInput]) -> list[Prediction]:
        return [replace(each, lungs=two_lungs(found=False)) for each in predict(inputs)]

    before = scorer.score(jpeg(1))
    monkeypatch.setattr(scorer.classifier, "predict", without_lungs)
    outcome = scorer.score(jpeg(1))
    assert outcome.remarks == (f"{NO_LUNGS} {UNRELIABLE}", *before.remarks)
    assert outcome.prediction is not None
    assert outcome.prediction.lungs is not None


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", "empty"),
        (b"just a text", "not a film"),
        (jpeg(1)[:700], "truncated|damaged|incomplete|broken|cut"),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_a_reason(
    scorer: Scorer, data: bytes, answer: str
) -> None:
    outcome = scorer.score(data)

    assert outcome.state is ScoringState.FAILED
    assert outcome.priority is Priority.MEDIUM
    assert outcome.prediction is None
    assert re.search(answer, outcome.reason), outcome.reason


def test_bad_files_between_good_ones_change_nothing(scorer: Scorer) -> None:
    files = [jpeg(1), b"no film", jpeg(2, "viral"), b"", jpeg(3, "bacterial")]

    together = scorer.score_all([scorer.examine(data) for data in files])

    for data, outcome in zip(files, together, strict=True):
        assert_same(outcome, scorer.score(data))


def test_twenty_at_once_each_get_what_one_alone_gets(scorer: Scorer) -> None:
    films = [jpeg(seed, cause) for seed in range(7) for cause in ("", "bacterial", "viral")][:20]
    alone = [scorer.score(film) for film in films]

    with ThreadPoolExecutor(max_workers=20) as sessions:
        for _ in range(2):
            for outcome, expected in zip(sessions.map(scorer.score, films), alone, strict=True):
                assert_same(outcome, expected)


def assert_same(outcome: Outcome, expected: Outcome) -> None:
    """The same fate, the same probabilities and the same heat."""
    assert (outcome.sha256, outcome.state, outcome.reason) == (
        expected.sha256,
        expected.state,
        expected.reason,
    )
    if expected.prediction is None or outcome.prediction is None:
        assert outcome.prediction is expected.prediction
        return
    for name in ("bacterial_probability", "viral_probability"):
        found, wanted = (getattr(one.prediction, name) for one in (outcome, expected))
        assert found == pytest.approx(wanted, abs=1e-5)
    np.testing.assert_allclose(
        outcome.prediction.activation_map, expected.prediction.activation_map, atol=1e-4
    )


def test_the_engine_scores_what_was_received_before_and_after_it_starts(
    settings: Settings, list_of_films: Worklist, receive: Callable[[bytes], str], scorer: Scorer
) -> None:
    before = receive(jpeg(1, "viral"))
    engine = ScoringEngine(settings, list_of_films)
    assert engine.status().state == "loading"
    engine.start()
    try:
        after = receive(jpeg(2))
        broken = receive(b"no film at all")
        engine.wake()
        wait_for(lambda: not list_of_films.next_received())
        status = engine.status()
    finally:
        engine.stop()

    assert status.state == "ready"
    assert status.device_name == "CPU · OpenVINO"
    assert status.model_version == scorer.classifier.model_version
    for entry_id, film in ((before, jpeg(1, "viral")), (after, jpeg(2))):
        entry = list_of_films.entry(entry_id)
        expected = scorer.score(film).prediction
        assert expected is not None
        assert entry.pneumonia_probability == pytest.approx(
            expected.pneumonia_probability, abs=1e-5
        )
    assert list_of_films.entry(broken).state is ScoringState.FAILED


def score_what_waits(settings: Settings, list_of_films: Worklist) -> None:
    """Run an engine until nothing waits for a score."""
    engine = ScoringEngine(settings, list_of_films)
    engine.start()
    try:
        wait_for(lambda: not list_of_films.next_received())
    finally:
        engine.stop()


def test_a_film_lost_from_the_store_fails_alone(
    settings: Settings, list_of_films: Worklist, receive: Callable[[bytes], str]
) -> None:
    lost = receive(jpeg(1))
    FilmStore(settings.films_dir).path(list_of_films.entry(lost).sha256).unlink()
    kept = receive(jpeg(2))
    score_what_waits(settings, list_of_films)

    assert list_of_films.entry(lost).state is ScoringState.FAILED
    assert "cannot be read" in list_of_films.entry(lost).reason
    assert list_of_films.entry(kept).state is ScoringState.SCORED


def test_a_picture_that_ends_its_decoder_stops_neither_the_server_nor_another_film(
    settings: Settings,
    list_of_films: Worklist,
    receive: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deadly, sound = receive(jpeg(1)), receive(jpeg(2))
    request = isolated_decoder._Child.request

    def killed_by_one(
        child: isolated_decoder._Child, message: isolated_decoder.Message
    ) -> isolated_decoder.Message | None:
        if message[1] == jpeg(1):
            child._process.kill()
        return request(child, message)

    monkeypatch.setattr(isolated_decoder._Child, "request", killed_by_one)
    score_what_waits(settings, list_of_films)

    assert list_of_films.entry(deadly).state is ScoringState.FAILED
    assert "damaged" in list_of_films.entry(deadly).reason
    assert list_of_films.entry(sound).state is ScoringState.SCORED


def test_a_fault_of_the_program_stops_no_other_film(
    settings: Settings,
    list_of_films: Worklist,
    receive: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    faulty, sound = receive(jpeg(1)), receive(jpeg(2))
    original = Scorer.score

    def score(scorer: Scorer, data: bytes, *pose: Any) -> Outcome:
        if data == jpeg(1):
            raise ZeroDivisionError
        return original(scorer, data, *pose)

    monkeypatch.setattr(Scorer, "score", score)
    with caplog.at_level(logging.ERROR):
        score_what_waits(settings, list_of_films)

    assert "program itself failed" in list_of_films.entry(faulty).reason
    assert list_of_films.entry(sound).state is ScoringState.SCORED
    assert faulty in caplog.text


@pytest.mark.parametrize("shortage", [MemoryError(), ShortageError("short")], ids=repr)
def test_film_waits_until_there_is_memory_and_others_are_scored_meanwhile(
    settings: Settings,
    list_of_films: Worklist,
    receive: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    shortage: Exception,
) -> None:
    waiting, sound = receive(jpeg(1)), receive(jpeg(2))
    original = Scorer.score
    tries: list[ScoringState | None] = []

    def score(scorer: Scorer, data: bytes, *pose: Any) -> Outcome:
        if data == jpeg(1):
            tries.append(list_of_films.entry(sound).state)
            if len(tries) < 3:
                raise shortage
        return original(scorer, data, *pose)

    monkeypatch.setattr(Scorer, "score", score)
    monkeypatch.setattr(scoring_engine, "IDLE_SECONDS", 0.01)
    score_what_waits(settings, list_of_films)

    assert tries == [None, ScoringState.SCORED, ScoringState.SCORED]
    assert list_of_films.entry(waiting).state is ScoringState.SCORED


def test_film_fails_with_the_true_reason_if_memory_stays_short(
    settings: Settings,
    list_of_films: Worklist,
    receive: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def score(*_: object) -> Outcome:
        raise MemoryError

    film = list_of_films.entry(receive(jpeg(1)))
    monkeypatch.setattr(Scorer, "score", score)
    monkeypatch.setattr(scoring_engine, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(scoring_engine, "SHORTAGE_SECONDS", 0.05)
    score_what_waits(settings, list_of_films)

    failed = list_of_films.entry(film.id)
    assert failed.state is ScoringState.FAILED
    assert "server ran short of memory" in failed.reason


def test_without_a_checkpoint_the_engine_says_what_to_do(
    settings: Settings, list_of_films: Worklist, receive: Callable[[bytes], str]
) -> None:
    entry_id = receive(jpeg(1))
    nowhere = Settings.read(data_dir=settings.data_dir, checkpoint=Path("none.safetensors"))
    engine = ScoringEngine(nowhere, list_of_films)
    engine.start()
    wait_for(lambda: engine.status().state != "loading")
    engine.stop()

    assert engine.status() == EngineStatus("failed", engine.status().message)
    assert "CXR_CHECKPOINT" in engine.status().message
    assert list_of_films.entry(entry_id).state is None  # still waiting, not lost
