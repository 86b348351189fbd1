"""Films that are copied slowly into a watched folder: judged when they are whole, and once."""

import csv
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes
from tests.support.films import jpeg
from training import batch
from training.backlog import folder as folder_module
from training.backlog.folder import STALL_SECONDS

ENDS = 5 * STALL_SECONDS


class Clock:
    """A clock that the pauses of the watch advance; what happens at a time, happens in them."""

    def __init__(self) -> None:
        self._now = 0.0
        self.events: list[tuple[float, Callable[[], object]]] = [(ENDS, interrupt)]

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        due = [event for event in self.events if event[0] <= self._now]
        self.events = [event for event in self.events if event[0] > self._now]
        for _, event in due:
            event()


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(folder_module, "time", clock)
    return clock


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The watched folder."""
    monkeypatch.setenv("CXR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_CHECKPOINT", str(write_tiny(tmp_path / "tiny.safetensors")))
    monkeypatch.setenv("CXR_DEVICE", "cpu")
    films = tmp_path / "films"
    films.mkdir()
    return films


def watched(films: Path, *options: str) -> int:
    out = films.parent / "results.csv"
    return batch.main([str(films), "--out", str(out), "--workers", "0", *options])


def states(films: Path) -> list[tuple[str, str]]:
    """Return source and state of every row so far."""
    with (films.parent / "results.csv").open(newline="", encoding="utf-8") as file:
        return [(row["source"], row["state"]) for row in csv.DictReader(file)]


def entries(films: Path) -> int:
    settings = Settings(data_dir=films.parent / "data")
    with closing(Worklist.open(settings.worklist_url)) as worklist:
        return worklist.count(Query(state="all"))


def copied(path: Path, data: bytes, share: float = 1.0) -> Callable[[], object]:
    return lambda: path.write_bytes(data[: round(share * len(data))])


@pytest.mark.parametrize("film", [jpeg(1), dicom_bytes()], ids=["jpeg", "dicom"])
@pytest.mark.parametrize("share", [0.0, 0.015, 0.5])
def test_a_copy_that_stands_still_has_one_row_and_one_entry(
    films: Path, clock: Clock, capsys: pytest.CaptureFixture[str], film: bytes, share: float
) -> None:
    copied(films / "film.dcm", film, share)()
    clock.events += [
        (STALL_SECONDS / 2, copied(films / "film.dcm", film, 0.7)),
        (STALL_SECONDS * 1.4, copied(films / "film.dcm", film)),
    ]

    watched(films, "--watch")

    (row,) = states(films)
    assert row[0] == "film.dcm"
    assert row[1] != "FAILED"
    assert entries(films) == 1
    assert "1 files: " in capsys.readouterr().out


def test_a_film_that_stays_damaged_gets_its_row_and_delays_no_other(
    films: Path, clock: Clock
) -> None:
    found: list[list[tuple[str, str]]] = []
    (films / "cut.jpg").write_bytes(jpeg(1)[:900])
    (films / "whole.jpg").write_bytes(jpeg(2))
    clock.events += [
        (STALL_SECONDS / 2, lambda: found.append(states(films))),
        (STALL_SECONDS / 2, copied(films / "later.jpg", jpeg(3))),
        (STALL_SECONDS * 0.8, lambda: found.append(states(films))),
    ]

    assert watched(films, "--watch") == 1

    assert found[0] == [("whole.jpg", "SCORED")]
    assert found[1] == [("whole.jpg", "SCORED"), ("later.jpg", "SCORED")]
    assert states(films)[2:] == [("cut.jpg", "FAILED")]
    assert entries(films) == 3


def test_a_copy_that_stands_still_for_longer_is_a_film_of_its_own(
    films: Path, clock: Clock
) -> None:
    copied(films / "film.jpg", jpeg(1), 0.5)()
    clock.events.append((2 * STALL_SECONDS, copied(films / "film.jpg", jpeg(1))))
    assert watched(films, "--watch") == 1
    assert states(films) == [("film.jpg", "FAILED"), ("film.jpg", "SCORED")]


def test_a_watch_that_ends_before_says_what_it_left_and_the_next_run_judges_it(
    films: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "cut.jpg").write_bytes(jpeg(1)[:900])
    clock.events.append((STALL_SECONDS / 2, interrupt))
    assert watched(films, "--watch") == 0
    assert "1 file could not be scored and may still have been" in capsys.readouterr().out
    assert states(films) == []
    assert watched(films) == 1
    assert states(films) == [("cut.jpg", "FAILED")]


def test_a_partial_name_that_the_copy_gives_up_leaves_nothing(films: Path, clock: Clock) -> None:
    partial = films / ".film.jpg.Xy12"
    partial.write_bytes(jpeg(1)[:900])
    clock.events += [
        (STALL_SECONDS / 2, copied(films / "film.jpg", jpeg(1))),
        (STALL_SECONDS / 2, partial.unlink),
    ]
    assert watched(films, "--watch") == 0
    assert states(films) == [("film.jpg", "SCORED")]


def test_a_limit_counts_the_films_that_have_a_row(films: Path, clock: Clock) -> None:
    (films / "cut.jpg").write_bytes(jpeg(1)[:900])
    clock.events.append((STALL_SECONDS / 4, copied(films / "whole.jpg", jpeg(2))))
    assert watched(films, "--watch", "--limit", "1") == 0
    assert states(films) == [("whole.jpg", "SCORED")]
