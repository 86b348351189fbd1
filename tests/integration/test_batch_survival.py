"""A batch run notices a worklist that is gone and a clock that was behind, and keeps to itself."""

import math
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cxr_app.errors import WorklistAwayError
from cxr_app.worklist import Query, Worklist
from tests.integration.conftest import running_postgres
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg
from training import batch
from training.backlog import engines, patience

PROJECT = Path(__file__).resolve().parents[2]
YEAR = 365 * 24 * 3600


@pytest.fixture
def backlog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three films, and the settings of a run over them."""
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(write_tiny(tmp_path / "tiny.safetensors")))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    folder = tmp_path / "backlog"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpeg").write_bytes(jpeg(number))
    return folder


def run(*arguments: object) -> int:
    """Run the command in this process."""
    return batch.main([*map(str, arguments), "--workers", "0"])


@pytest.mark.parametrize("options", [[], ["--no-worklist"]])
def test_films_of_a_run_whose_clock_was_behind_are_not_scored_again(
    backlog: Path, tmp_path: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.csv"
    assert run(backlog, "--out", out, *options) == 0
    ahead = time.time() + YEAR  # as seen by a clock that was a year behind
    for film in backlog.iterdir():
        os.utime(film, (ahead, ahead))
    monkeypatch.setattr(engines, "start", lambda *_: pytest.fail("nothing is due"))
    assert run(backlog, "--out", out, *options) == 0
    assert out.read_text().count("\n") == 4


@pytest.mark.parametrize("options", [[], ["--no-worklist"]])
def test_a_film_that_has_changed_is_scored_whatever_the_clock(
    backlog: Path, tmp_path: Path, options: list[str]
) -> None:
    out = tmp_path / "results.csv"
    run(backlog, "--out", out, *options)
    changed = backlog / "1.jpeg"
    changed.write_bytes(jpeg(77))
    ahead = time.time() + YEAR
    os.utime(changed, (ahead, ahead))
    assert run(backlog, "--out", out, *options) == 0
    assert out.read_text().count("\n") == 5


def test_only_the_user_can_read_the_results(backlog: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    before = os.umask(0o022)
    try:
        run(backlog, "--out", out, "--no-worklist")
    finally:
        os.umask(before)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.parametrize("replaced", [False, True])
def test_a_worklist_that_disappears_during_a_run_is_told(
    backlog: Path,
    tmp_path: Path,
    replaced: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database = tmp_path / "data" / "worklist.sqlite"
    enter = Worklist.enter

    def lose_then_enter(self: Worklist, films: object) -> None:
        for path in database.parent.glob("worklist.sqlite*"):
            path.unlink()
        if replaced:
            Worklist.open(f"sqlite:///{database}").close()
        enter(self, films)  # type: ignore[arg-type]

    monkeypatch.setattr(Worklist, "enter", lose_then_enter)
    assert run(backlog, "--out", tmp_path / "results.csv") == 2
    printed = capsys.readouterr().err
    assert "was deleted or replaced while the program had it open" in printed
    assert database.exists() == replaced, "no new one is begun"


@pytest.mark.parametrize("called", ["enter", "scored_at"])
def test_a_database_that_is_restarted_during_a_run_is_waited_for(
    backlog: Path, tmp_path: Path, called: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = getattr(Worklist, called)
    with running_postgres() as server:
        server.create("worklist", "template1")
        monkeypatch.setenv("CXR_DATABASE_URL", server.url("worklist"))

        def stop_then_ask(self: Worklist, films: object) -> object:
            monkeypatch.setattr(Worklist, called, ask)
            server.stop()
            return ask(self, films)

        def start(_: float) -> None:
            server.start()

        monkeypatch.setattr(Worklist, called, stop_then_ask)
        own_time = SimpleNamespace(monotonic=time.monotonic, sleep=start)
        monkeypatch.setattr(patience, "time", own_time)
        assert run(backlog, "--out", tmp_path / "results.csv") == 0
        monkeypatch.undo()
        worklist = Worklist.open(server.url("worklist"))
        assert worklist.count(Query(state="all")) == 3
        worklist.close()
    assert (tmp_path / "results.csv").read_text().count("\n") == 4


def test_a_database_that_stays_away_ends_a_run_but_not_a_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    own_time = SimpleNamespace(
        monotonic=lambda: clock[0], sleep=lambda _: clock.append(clock.pop() + 60)
    )
    monkeypatch.setattr(patience, "time", own_time)

    def away() -> None:
        if clock[0] > 86_400:
            raise KeyboardInterrupt
        raise WorklistAwayError

    with pytest.raises(WorklistAwayError):
        patience.patiently(away, patience.LONGEST_SECONDS)
    assert patience.LONGEST_SECONDS < clock[0] < 2 * patience.LONGEST_SECONDS
    with pytest.raises(KeyboardInterrupt):
        patience.patiently(away, math.inf)
    clock[0], stop = 0.0, threading.Event()
    stop.set()
    with pytest.raises(WorklistAwayError):
        patience.patiently(away, math.inf, stop)
    assert clock[0] == 0, "nothing waits any longer"


def test_a_lost_worklist_stops_the_command_before_it_begins(backlog: Path, tmp_path: Path) -> None:
    film = tmp_path / "data" / "films" / "ab" / ("ab" * 32)
    film.parent.mkdir(parents=True)
    film.write_bytes(b"film")
    command = [sys.executable, "-m", "training.batch", str(backlog), "--out", str(tmp_path / "o")]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "The worklist is empty" in ended.stderr
    assert "reenter" in ended.stderr
    worklist = Worklist.open(f"sqlite:///{tmp_path / 'data' / 'worklist.sqlite'}")
    assert worklist.count(Query(state="all")) == 0
    worklist.close()
