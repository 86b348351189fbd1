"""Thousands of damaged films: each ends in a state, and none ends the program."""

from pathlib import Path
from random import Random

import psutil
import pytest

from cxr_app.imaging.isolated_decoder import end_decoders
from cxr_app.model.classifier import Classifier
from cxr_app.outcome import ScoringState
from cxr_app.scoring import Scorer
from tests.support.checkpoints import write_tiny
from tests.unit.cxr_app.imaging.test_intake import small_films
from training import fuzz
from training.bench.mutants import count_states, mutant

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
STATES = {state.value for state in ScoringState}
MUTANTS = 1_000


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


@pytest.fixture(scope="module")
def scorer(checkpoint_path: Path) -> Scorer:
    return Scorer(Classifier.load(checkpoint_path, "cpu"))


def test_mutants_of_every_kind_of_film_end_in_a_state(scorer: Scorer) -> None:
    end_decoders()
    before = len(psutil.Process().children())
    counts = count_states(scorer, list(small_films().values()), range(MUTANTS), seed=0)
    assert counts.total() == MUTANTS
    assert counts.keys() <= STATES
    assert len(psutil.Process().children()) <= before + 1, "one film at a time, one decoder"


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data is not here")
def test_mutants_of_real_films_end_in_a_state(scorer: Scorer) -> None:
    dicom = [path for path in (REAL / "dicom").iterdir() if path.stat().st_size < 150_000]
    jpeg = sorted((REAL / "chest_xray" / "val").rglob("*.jpeg"))
    films = [path.read_bytes() for path in [*sorted(dicom), *jpeg]]
    counts = count_states(scorer, films, range(MUTANTS), seed=1)
    assert counts.total() == MUTANTS
    assert counts.keys() == STATES


def test_the_command_counts_the_states(
    checkpoint_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    folder = tmp_path / "films"
    folder.mkdir()
    for number, film in enumerate(small_films().values()):
        (folder / str(number)).write_bytes(film)
    command = [str(folder), "--mutants", "20", "--checkpoint", str(checkpoint_path)]
    assert fuzz.main(command) == 0
    assert "20 mutants of 12 films" in capsys.readouterr().out


def test_a_folder_without_films_is_named(
    checkpoint_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert fuzz.main([str(empty), "--checkpoint", str(checkpoint_path)]) == 2
    assert "holds no files" in capsys.readouterr().err


def test_the_same_seed_makes_the_same_mutants() -> None:
    film = next(iter(small_films().values()))
    one, other = (mutant(film, Random("0 7")) for _ in range(2))  # noqa: S311
    assert one == other != film
