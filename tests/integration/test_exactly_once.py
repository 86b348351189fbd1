"""A backlog run that is killed, repeated or doubled loses nothing and scores nothing twice."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_app.worklist import Query, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from training import batch
from training.backlog.run import SAMPLED_FILMS
from training.bench.kill_test import run_kill_test

FILMS = 40
KILLS = 3
FILMS_ENDURED = 300
"""On a fast machine, a run of few films is done before the first kill."""
OUTS = ("one.csv", "other.csv")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_films(tmp_path_factory.mktemp("films"), FILMS)


@pytest.fixture(scope="module")
def many_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_films(tmp_path_factory.mktemp("many"), FILMS_ENDURED)


def write_films(folder: Path, count: int) -> Path:
    for number in range(count):
        (folder / f"{number:03}.jpg").write_bytes(jpeg(number))
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models."""
    folder = tmp_path_factory.mktemp("weights")
    return [write_tiny(folder / f"{seed}.safetensors", seed) for seed in (1, 2)]


@pytest.fixture
def run(tmp_path: Path, weights: list[Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(weights[0]))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    return lambda *arguments: batch.main([*map(str, arguments), "--workers", "0"])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def worklist_in(folder: Path) -> Worklist:
    return Worklist.open(f"sqlite:///{folder / 'data' / 'worklist.sqlite'}")


def test_a_run_that_is_killed_repeatedly_resumes_exactly(
    many_films: Path, tmp_path: Path, weights: list[Path], worklist_url: str
) -> None:
    settings = {
        "CXR_DATA_DIR": str(tmp_path / "data"),
        "CXR_DATABASE_URL": worklist_url,
        "CXR_CHECKPOINT": str(weights[0]),
        "CXR_DEVICE": "cpu",
    }
    endured = run_kill_test(
        many_films, tmp_path / "results.csv", settings, KILLS, ["--workers", "1"]
    )
    assert endured.films == FILMS_ENDURED
    assert endured.kills >= 1  # a fast run may be done before the last kill
    assert endured.is_exact, endured


def test_a_film_is_scored_once_by_each_model(
    films: Path, tmp_path: Path, weights: list[Path], run: Callable[..., int]
) -> None:
    run(films, "--out", tmp_path / "1.csv", "--limit", 5)
    worklist = worklist_in(tmp_path)
    entry = worklist.page(Query(state="all"))[0]
    before = worklist.scores(entry.id)
    run(films, "--out", tmp_path / "again.csv", "--limit", 5)
    assert worklist.scores(entry.id) == before
    assert rows_of(tmp_path / "again.csv") == rows_of(tmp_path / "1.csv")
    assert run(films, "--out", tmp_path / "1.csv", "--checkpoint", weights[1]) == 2
    run(films, "--out", tmp_path / "2.csv", "--checkpoint", weights[1], "--limit", 5)
    after = worklist.scores(entry.id)
    worklist.close()
    assert len(after) == 2
    assert after[1] == before[0]
    assert {row["model_version"] for row in rows_of(tmp_path / "2.csv")} == {after[0].model_version}


def test_rows_that_were_written_without_the_worklist_enter_it_later(
    films: Path, tmp_path: Path, run: Callable[..., int]
) -> None:
    out = tmp_path / "results.csv"
    run(films, "--out", out, "--no-worklist", "--limit", 5)
    before = out.read_bytes()
    run(films, "--out", out, "--limit", 5)
    worklist = worklist_in(tmp_path)
    count = worklist.count(Query(state="all"))
    worklist.close()
    assert count == 5
    assert out.read_bytes() == before


def test_a_changed_film_is_scored_again(tmp_path: Path, run: Callable[..., int]) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    for number in (1, 2, 2):
        (folder / "film.jpg").write_bytes(jpeg(number))
        run(folder, "--out", out)
        os.utime(out, (0, 0))  # long ago
    assert len({row["sha256"] for row in rows_of(out)}) == len(rows_of(out)) == 2


def test_a_film_changed_during_the_run_is_scored_again(
    tmp_path: Path, run: Callable[..., int]
) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    run(folder, "--out", out, "--limit", 1)
    (folder / "1.jpg").write_bytes(jpeg(3))
    later = time.time() + 5
    os.utime(out, (later, later))  # its second row came after the change
    run(folder, "--out", out)
    assert sorted(row["source"] for row in rows_of(out)) == ["1.jpg", "1.jpg", "2.jpg"]
    assert len({row["sha256"] for row in rows_of(out)}) == 3


def test_a_film_changed_during_a_run_without_worklist_is_scored_again(
    tmp_path: Path, run: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    folder, out = tmp_path / "films", tmp_path / "results.csv"
    folder.mkdir()
    for number in range(SAMPLED_FILMS + 1):
        (folder / f"{number:02d}.jpg").write_bytes(jpeg(number))
    run(folder, "--out", out, "--no-worklist")
    (folder / "01.jpg").write_bytes(jpeg(100))
    later = time.time() + 5
    os.utime(out, (later, later))  # rows of other films came after the change
    run(folder, "--out", out, "--no-worklist")
    assert [row["source"] for row in rows_of(out)].count("01.jpg") == 2
    assert len({row["sha256"] for row in rows_of(out)}) == len(rows_of(out)) == SAMPLED_FILMS + 2
    assert "rows of other films" not in caplog.text


@pytest.mark.parametrize("options", [[], ["--no-worklist"]])
def test_results_of_another_folder_hide_no_film(
    tmp_path: Path, run: Callable[..., int], options: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    out, later = tmp_path / "results.csv", time.time() + 5
    for number, name in enumerate(("one", "other")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "film.jpg").write_bytes(jpeg(number))
    run(tmp_path / "one", "--out", out, *options)
    before = rows_of(out)
    os.utime(out, (later, later))
    run(tmp_path / "other", "--out", out, *options)
    assert rows_of(out)[0] == before[0]
    assert len({row["sha256"] for row in rows_of(out)}) == len(rows_of(out)) == 2
    assert options == [] or "rows of other films under the names" in caplog.text


def test_two_runs_on_one_folder_at_the_same_time_end_right(
    films: Path, tmp_path: Path, weights: list[Path], worklist_url: str, project_root: Path
) -> None:
    settings = {
        "CXR_DATA_DIR": str(tmp_path / "data"),
        "CXR_DATABASE_URL": worklist_url,
        "CXR_CHECKPOINT": str(weights[0]),
    }
    command = [sys.executable, "-m", "training.batch", str(films), "--workers", "0", "--out"]
    runs = [
        subprocess.Popen(
            [*command, str(tmp_path / out)],
            cwd=project_root,
            env={**os.environ, **settings, "CXR_DEVICE": "cpu"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for out in OUTS
    ]
    page_text = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], page_text
    for out in OUTS:
        assert len({row["source"] for row in rows_of(tmp_path / out)}) == FILMS
        assert len(rows_of(tmp_path / out)) == FILMS
    worklist = Worklist.open(worklist_url)
    entries = worklist.page(Query(state="all"), limit=1000)
    assert len(entries) == FILMS
    assert all(len(worklist.scores(entry.id)) == 1 for entry in entries)
    worklist.close()
