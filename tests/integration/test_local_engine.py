"""The engine of this machine: processes that share nothing, and the death of one of them."""

import os
import signal
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cxr_app.errors import CheckpointMismatchError
from cxr_app.model import checkpoint, compile_networks
from cxr_app.model.classifier import Classifier
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.scoring import Scorer
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from training.backlog import engines
from training.backlog.engines import local
from training.backlog.engines.contract import BacklogPlan, FoundFile, ScoredFile

FILMS = 21


class DeadlyPath(type(Path())):  # type: ignore[misc]  # the class that a system's paths have
    """A file that kills the process that opens it, as a broken decoder does."""

    def open(self, *_: Any, **__: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def films(tmp_path: Path) -> list[FoundFile]:
    found = [FoundFile(tmp_path / f"{number}.jpg", str(number)) for number in range(FILMS)]
    for number, film in enumerate(found):
        film.path.write_bytes(jpeg(number))
    return found


@pytest.fixture
def plan(tmp_path: Path) -> BacklogPlan:
    path = write_tiny(tmp_path / "tiny.safetensors")
    source = checkpoint.load(path)
    spec = source.description.input_spec
    return BacklogPlan(path, source.model_version, spec, "cpu", workers=0, batch_size=4)


def score(plan: BacklogPlan, films: list[FoundFile]) -> dict[str, Outcome]:
    """Score films; each comes back once."""
    with closing(engines.start("local", plan)) as engine:
        results = [result for some in engine.score(films) for result in some]
    assert sorted(result.found.source for result in results) == sorted(
        film.source for film in films
    )
    return {
        result.found.source: result.outcome for result in results if isinstance(result, ScoredFile)
    }


def assert_scored_as_alone(
    outcomes: dict[str, Outcome], films: list[FoundFile], plan: BacklogPlan
) -> None:
    scorer = Scorer(Classifier.load(plan.checkpoint, "cpu"))
    for film in films:
        alone = scorer.score(film.path.read_bytes()).prediction
        together = outcomes[film.source].prediction
        assert alone is not None
        assert together is not None
        assert together.pneumonia_probability == pytest.approx(
            alone.pneumonia_probability, abs=1e-5
        )


def test_only_the_file_that_ends_its_process_fails(
    films: list[FoundFile], plan: BacklogPlan, caplog: pytest.LogCaptureFixture
) -> None:
    deadly = list(films)
    deadly[7] = replace(films[7], path=DeadlyPath(films[7].path))
    outcomes = score(replace(plan, workers=1), deadly)
    refused = outcomes.pop("7")
    assert refused.state is ScoringState.FAILED
    assert "ended the process that read it" in refused.reason
    assert_scored_as_alone(outcomes, films[:7] + films[8:], plan)
    assert "A scoring process ended unexpectedly" in caplog.text


def test_with_a_gpu_the_workers_only_read(
    films: list[FoundFile], plan: BacklogPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one network still runs on the CPU: this machine may have no GPU.
    monkeypatch.setattr(local, "runs_on_cpu", lambda _: False)
    assert_scored_as_alone(score(plan, films), films, plan)


def test_a_known_film_is_not_scored_again(films: list[FoundFile], plan: BacklogPlan) -> None:
    first = score(plan, films[:1])["0"]
    assert score(replace(plan, known=frozenset({first.sha256})), films).keys() == {
        film.source for film in films[1:]
    }


def test_workers_do_not_try_again_what_openvino_cannot(
    films: list[FoundFile], plan: BacklogPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def failing(path: Path, _: float | None) -> bytes:
        tried.append(path)
        return b""

    monkeypatch.setattr(compile_networks, "read_compiled", lambda _: None)
    monkeypatch.setattr(compile_networks, "_compiled_elsewhere", failing)
    assert_scored_as_alone(score(replace(plan, runtime="auto"), films), films, plan)
    assert len(tried) == 1


def test_weights_replaced_during_a_run_stop_it(plan: BacklogPlan) -> None:
    write_tiny(plan.checkpoint, seed=9)
    with pytest.raises(CheckpointMismatchError, match="Put it back, or start again"):
        engines.start("local", replace(plan, workers=1))
