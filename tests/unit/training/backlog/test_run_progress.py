"""A batch without a terminal is not silent until its end."""

import time

import pytest

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
