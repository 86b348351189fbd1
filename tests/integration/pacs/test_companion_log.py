"""What the DICOM processes log is in the file of CXR_LOG_FILE, or they do not start."""

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from cxr_app.jobs.companion import Companion
from cxr_app.jobs.companion_program import USAGE
from cxr_app.settings import Settings
from tests.support.peers import WAIT_SECONDS, free_port, receiving, run_to_its_end

PROGRAMS = ("receiver", "sender", "prefetcher")


def records(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def wait_for(what: Callable[[], object]) -> None:
    deadline = monotonic() + WAIT_SECONDS
    while not what():
        assert monotonic() < deadline
        sleep(0.05)


def test_a_receiver_alone_writes_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with receiving(tmp_path / "data", log_file=str(log), dicom_callers="ROOM1") as receiver:
        assert receiver.echo("STRANGER") is None
        wait_for(lambda: len(records(log)) == 2)
    begun, refused = records(log)
    assert begun["message"].startswith("Receiving films as CXR")
    assert "STRANGER@127.0.0.1 rejected" in refused["message"]
    assert begun["process"] == receiver.process.pid


@pytest.mark.parametrize("program", PROGRAMS)
def test_why_a_program_does_not_run_is_in_the_log(tmp_path: Path, program: str) -> None:
    log = tmp_path / "log.jsonl"
    run = run_to_its_end(program, data_dir=tmp_path / "data", log_file=log)
    assert run.returncode == USAGE
    (record,) = records(log)
    assert (record["logger"], record["level"]) == (f"cxr_app.pacs.{program}", "ERROR")
    assert "CXR_" in record["message"]
    assert record["message"] in run.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_program_runs_without_the_log_that_is_asked_for(tmp_path: Path, program: str) -> None:
    named = {
        "dicom_port": free_port(),
        "results_to": "A@127.0.0.1:1",
        "films_from": "A@127.0.0.1:1",
    }
    run = run_to_its_end(
        program, data_dir=tmp_path / "data", log_file=tmp_path / "none" / "log.jsonl", **named
    )
    assert run.returncode == USAGE
    assert "CXR_LOG_FILE cannot be written: No such file or directory." in run.stderr


def test_processes_that_a_server_starts_share_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    settings = Settings(
        data_dir=tmp_path / "data",
        log_file=log,
        dicom_port=free_port(),
        results_to="A@127.0.0.1:1",
    )
    started = [Companion(f"cxr_app.pacs.{each}", settings) for each in ("receiver", "prefetcher")]
    for each in started:
        each.start()
    wait_for(lambda: len({record["process"] for record in records(log)}) == len(started))
    for each in started:
        each.stop()
    assert {record["logger"] for record in records(log)} == {
        "cxr_app.pacs.store_server",
        "cxr_app.pacs.prefetcher",
    }
