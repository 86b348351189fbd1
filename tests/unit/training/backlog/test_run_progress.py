"""A batch without a terminal is not silent until its end."""

import time
from pathlib import Path

import pytest

from cxr_app.progress import Progress
from training.backlog.run import Tally
from training.backlog.run_progress import LINE_SECONDS, BatchProgress


def test_a_line_is_printed_every_few_seconds_where_no_terminal_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    tally = Tally(due=1000)
    progress = BatchProgress(None)
    progress.follow(tally, {})
    for second in range(35):
        now[0] = 100.0 + second
        tally.done += 10
        progress.update()
    lines = [line for line in capsys.readouterr().err.splitlines() if "films a second" in line]
    assert len(lines) == 34 // int(LINE_SECONDS)
    assert lines[0].startswith("110 of 1,000 files")


@pytest.mark.parametrize("followed", [False, True])
def test_a_run_that_ends_before_it_has_found_its_films_names_no_total(
    tmp_path: Path, followed: bool
) -> None:
    progress = BatchProgress(tmp_path / "progress.json")
    if followed:
        progress.follow(Tally(earlier=216), {"SCORED": 200, "FAILED": 16})
    progress.end(2, "No such model.")
    written = Progress.read(tmp_path / "progress.json")
    assert written is not None
    assert (written.done, written.total, written.exit_status) == (0, None, 2)


def test_a_run_with_nothing_left_to_do_has_done_all(tmp_path: Path) -> None:
    progress = BatchProgress(tmp_path / "progress.json")
    progress.follow(Tally(earlier=216), {"SCORED": 200, "FAILED": 16})
    progress.end(1)
    written = Progress.read(tmp_path / "progress.json")
    assert written is not None
    assert (written.done, written.total) == (216, 216)
