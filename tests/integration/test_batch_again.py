"""A batch over films that this model has scored before counts them apart from those it scores."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxr_app.progress import Progress
from cxr_app.ui.text import job_text
from cxr_app.worklist import Job, JobState
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from training import batch

JOB = Job("0", "backlog", {"folder": "/"}, JobState.COMPLETED, datetime(2026, 1, 1, tzinfo=UTC))
FILMS = 3
"""Films that can be scored; one more file is damaged."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of films, and the settings of a run over it."""
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(write_tiny(tmp_path / "tiny.safetensors")))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    films = tmp_path / "films"
    films.mkdir()
    for number in range(FILMS):
        (films / f"{number}.jpeg").write_bytes(jpeg(number))
    (films / "damaged.jpeg").write_bytes(jpeg(9)[:200])
    return films


def run(folder: Path, out: Path, *options: object) -> tuple[Progress, dict[str, int]]:
    """Run the command; return its progress and the counts that the page shows."""
    path = folder.with_name("progress.json")
    words = [folder, "--out", out, "--progress", path, "--workers", "0", *options]
    assert batch.main(list(map(str, words))) == 1
    progress = Progress.read(path)
    assert progress is not None
    shown = job_text.counts(replace(JOB, progress=progress))
    return progress, {name: int(number) for name, number in shown.items()}


def states(counts: dict[str, int]) -> list[int]:
    return [counts[name] for name in ("Scored", "Already scored", "Rejected", "Failed")]


def test_films_with_a_score_in_the_worklist_count_as_already_scored(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    progress, counts = run(folder, first)
    assert states(counts) == [FILMS, 0, 0, 1]
    assert progress.rate > 0
    flagged = counts["Flagged"]
    assert "in the worklist" not in capsys.readouterr().out
    progress, counts = run(folder, second)
    assert states(counts) == [0, FILMS, 0, 1]
    assert sum(states(counts)) == progress.done == progress.total == FILMS + 1
    assert counts["Flagged"] == flagged
    assert sorted(second.read_text().splitlines()) == sorted(first.read_text().splitlines())
    assert f"{FILMS} of them had a score of this model in the worklist" in capsys.readouterr().out


def test_the_rate_is_of_the_films_that_the_run_scores(folder: Path, tmp_path: Path) -> None:
    (folder / "damaged.jpeg").unlink()
    words = [folder, "--workers", "0", "--progress", folder.with_name("progress.json")]
    for out in ("first.csv", "second.csv"):
        assert batch.main([*map(str, words), "--out", str(tmp_path / out)]) == 0
    progress = Progress.read(folder.with_name("progress.json"))
    assert progress is not None
    assert progress.rate == 0


@pytest.mark.parametrize("known", [False, True])
def test_the_counts_of_a_resumed_run_add_up_to_its_films(
    known: bool, folder: Path, tmp_path: Path
) -> None:
    """Whatever its first process did, of films that were scored before or not."""
    if known:
        run(folder, tmp_path / "first.csv")
    out = tmp_path / "second.csv"
    run_until(folder, out, limit=2)
    for _ in range(2):
        progress, counts = run(folder, out)
        assert sum(states(counts)) == progress.done == progress.total == FILMS + 1
        assert counts["Scored"] + counts["Already scored"] == FILMS
    assert counts["Scored"] == 0  # nothing was left for the last one


def run_until(folder: Path, out: Path, limit: int) -> None:
    words = [folder, "--out", out, "--workers", "0", "--limit", limit]
    assert batch.main(list(map(str, words))) in (0, 1)
