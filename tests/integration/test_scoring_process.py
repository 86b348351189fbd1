"""The process that scores beside the server: it may end, and no film and no page ends with it."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cxr_app import scoring_process
from cxr_app.film_store import FilmStore
from cxr_app.jobs import companion
from cxr_app.low_priority import NICENESS
from cxr_app.measured import ERRORS, REGISTRY
from cxr_app.outcome import ScoringState
from cxr_app.scoring_process import MOST_ENDS, ScoringProcess
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from tests.support import deadly_scorer
from tests.support.checkpoints import write_tiny
from tests.support.films import jpeg

DEADLY = "tests.support.deadly_scorer"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    checkpoint = write_tiny(tmp_path / "tiny.safetensors")
    return Settings.read(data_dir=tmp_path / "data", checkpoint=checkpoint, device="cpu")


@pytest.fixture
def worklist(settings: Settings) -> Iterator[Worklist]:
    settings.data_dir.mkdir()
    opened = Worklist.open(settings.worklist_url)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_PAUSE_SECONDS", "LONGEST_PAUSE_SECONDS", "WATCH_SECONDS"):
        monkeypatch.setattr(companion, name, 0.05)


@contextmanager
def scoring(settings: Settings, worklist: Worklist) -> Iterator[ScoringProcess]:
    process = ScoringProcess(settings, worklist)
    assert process.status().state == "loading"
    process.start()
    try:
        yield process
    finally:
        process.stop()


def receive(settings: Settings, worklist: Worklist, film: bytes) -> str:
    store = FilmStore(settings.films_dir)
    sha256 = store.keep(film)
    return worklist.receive(sha256, "film.jpeg", store.path(sha256))[0]


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def scored_films() -> float:
    return REGISTRY.get_sample_value("cxr_scoring_seconds_count") or 0.0


def test_films_are_scored_beside_the_server_and_their_seconds_counted_in_it(
    settings: Settings, worklist: Worklist
) -> None:
    before = receive(settings, worklist, jpeg(1))
    counted = scored_films()
    with scoring(settings, worklist) as process:
        wait_for(lambda: worklist.entry(before).state is ScoringState.SCORED)
        status = process.status()
        assert (status.state, status.device_name) == ("ready", "CPU · OpenVINO")
        assert status.checkpoint == settings.checkpoint.resolve()
        entry = worklist.entry(before)
        assert entry.model_version == status.model_version
        assert entry.threshold == status.operating_points["balanced"].threshold
        after = receive(settings, worklist, jpeg(2))
        process.wake()
        wait_for(lambda: worklist.entry(after).state is ScoringState.SCORED)
        wait_for(lambda: scored_films() == counted + 2)
        pid = process.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_a_film_waits_for_no_poll_when_the_process_is_woken(
    settings: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(deadly_scorer.IDLE, "600")
    monkeypatch.setattr(scoring_process, "MODULE", DEADLY)
    with scoring(settings, worklist) as process:
        wait_for(lambda: process.status().state == "ready")
        film = receive(settings, worklist, jpeg(1))
        process.wake()
        wait_for(lambda: worklist.entry(film).state is ScoringState.SCORED)


def test_a_killed_process_is_started_again_and_scores_what_waits(
    settings: Settings, worklist: Worklist
) -> None:
    with scoring(settings, worklist) as process:
        wait_for(lambda: process.status().state == "ready")
        ready, first = process.status(), process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: process.status().state == "loading")
        assert process.status().model_version == ready.model_version, "pages need its facts"
        process.wake()
        film = receive(settings, worklist, jpeg(1))
        wait_for(lambda: worklist.entry(film).state is ScoringState.SCORED)
        assert process.status() == ready


def test_a_film_that_ends_the_process_again_and_again_holds_up_no_other(
    settings: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring_process, "MODULE", DEADLY)
    monkeypatch.setenv(deadly_scorer.DEADLY, hashlib.sha256(jpeg(1)).hexdigest())
    deadly = receive(settings, worklist, jpeg(1))
    sound = receive(settings, worklist, jpeg(2))
    with scoring(settings, worklist):
        wait_for(lambda: worklist.entry(sound).state is ScoringState.SCORED)
    entry = worklist.entry(deadly)
    assert entry.state is ScoringState.FAILED
    assert f"{MOST_ENDS} times" in entry.reason
    assert "person must look" in entry.reason


def test_errors_in_its_log_are_counted_and_what_libraries_print_disturbs_nothing(
    settings: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring_process, "MODULE", DEADLY)
    monkeypatch.setenv(deadly_scorer.FAULTY, hashlib.sha256(jpeg(1)).hexdigest())
    faulty = receive(settings, worklist, jpeg(1))
    sound = receive(settings, worklist, jpeg(2))
    counted = ERRORS._value.get()
    with scoring(settings, worklist):
        wait_for(lambda: worklist.entry(sound).state is ScoringState.SCORED)
        wait_for(lambda: ERRORS._value.get() == counted + 1)
    assert "program itself failed" in worklist.entry(faulty).reason


def test_without_a_checkpoint_it_says_what_to_do(settings: Settings, worklist: Worklist) -> None:
    nowhere = settings.model_copy(update={"checkpoint": Path("none.safetensors")})
    with scoring(nowhere, worklist) as process:
        wait_for(lambda: process.status().state == "failed")
        assert "CXR_CHECKPOINT" in process.status().message


def test_one_that_ends_before_the_model_is_loaded_has_failed(
    settings: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring_process, "MODULE", "tests.support.no_such_program")
    with scoring(settings, worklist) as process:
        wait_for(lambda: process.status().state == "failed")
        assert "log" in process.status().message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has threads with priorities")
def test_it_yields_to_pages_in_all_that_computes(
    settings: Settings, worklist: Worklist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with scoring(settings, worklist) as process:
        wait_for(lambda: process.status().state == "ready")
        running = psutil.Process(process.pid)
        expected = min(psutil.Process().nice() + NICENESS, 19)
        priorities = [
            os.getpriority(os.PRIO_PROCESS, thread.id)
            for thread in running.threads()
            if thread.user_time > 0.05
        ]
        assert running.nice() == expected
        assert set(priorities) == {expected}
        assert running.environ()["OMP_NUM_THREADS"] == "2"


def test_it_ends_if_the_server_is_killed(settings: Settings, worklist: Worklist) -> None:
    program = (
        "import sys, time; from cxr_app.settings import Settings;"
        "from cxr_app.scoring_process import ScoringProcess; from cxr_app.worklist import Worklist;"
        "settings = Settings.model_validate_json(sys.argv[1]);"
        "process = ScoringProcess(settings, Worklist.open(settings.worklist_url));"
        "process.start()\nwhile process.status().state != 'ready': time.sleep(0.05)\n"
        "print(process.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, settings.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        child = psutil.Process(int(server.stdout.readline()))
        server.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
