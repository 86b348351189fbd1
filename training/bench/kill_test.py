"""Kill test: kill a backlog run repeatedly, resume it, and count lost and repeated results."""

import csv
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxr_app.jobs.csv_cells import text_of
from cxr_app.settings import PROJECT
from cxr_app.worklist import Query, Worklist
from training.backlog.folder import FolderScan

POLL_SECONDS = 0.02
START_SECONDS = 3.0
SOME_FILMS = 2000
"""Bytes of the head of the results file and of some rows."""


@dataclass(frozen=True, slots=True)
class KillTestResult:
    """State of the results and of the worklist after the last run.

    Parameters
    ----------
    kills
        How often the run was killed before it was finished.
    films
        Files of the folder.
    rows_lost, rows_twice
        Files without a row, and rows beyond the first of a file.
    entries_lost, entries_twice
        Films without an entry or score in the worklist, and scores beyond the first.
    """

    kills: int
    films: int
    rows_lost: int
    rows_twice: int
    entries_lost: int
    entries_twice: int

    @property
    def is_exact(self) -> bool:
        """Whether nothing is lost and nothing is repeated."""
        return not any((self.rows_lost, self.rows_twice, self.entries_lost, self.entries_twice))


def run_kill_test(
    folder: Path, out: Path, environment: Mapping[str, str], kills: int, options: Sequence[str] = ()
) -> KillTestResult:
    """Score a folder of sound films; kill the run `kills` times at random moments.

    Every other kill ends the whole group of processes, the others only the writing process.

    Parameters
    ----------
    folder
        Films that can be scored, with different contents.
    out
        The results file.
    environment
        Settings of the runs, with an empty data folder or database.
    kills
        How often.
    options
        Further options of the command.
    """
    chance = random.Random(kills)  # noqa: S311 - no secret
    command = [sys.executable, "-m", "training.batch", str(folder), "--out", str(out), *options]
    films = [found.source for found in FolderScan(folder)]
    killed = sum(
        _run_and_kill(command, out, environment, chance, whole_group=number % 2 == 0)
        for number in range(kills)
    )
    finished = subprocess.run(  # noqa: S603 - our own command
        command, cwd=PROJECT, env=_environment(environment), check=False
    )
    if finished.returncode != 0:
        raise RuntimeError(f"the last run ended with status {finished.returncode}")
    return _count(films, out, environment, killed)


def _run_and_kill(
    command: Sequence[str],
    out: Path,
    environment: Mapping[str, str],
    chance: random.Random,
    *,
    whole_group: bool,
) -> bool:
    """Start a run and kill it, while it starts or some films later; False if it had finished."""
    size = _size(out)
    grown = chance.choice([0, 0, 1, SOME_FILMS, 3 * SOME_FILMS])
    run = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=PROJECT,
        env=_environment(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if grown:
        _wait(run, out, size + grown, math.inf)
        time.sleep(chance.uniform(0.0, 0.2))
    else:  # a fast machine would be done with the films before the time is over
        _wait(run, out, size + SOME_FILMS, chance.uniform(0.0, START_SECONDS))
    if run.poll() is not None:
        return False
    os.killpg(run.pid, signal.SIGKILL) if whole_group else run.kill()
    run.wait()
    return True


def _wait(run: subprocess.Popen[bytes], out: Path, size: int, seconds: float) -> None:
    """Wait until the results file has a size, the time is over or the run has ended."""
    end = time.monotonic() + seconds
    while run.poll() is None and time.monotonic() < end and _size(out) < size:
        time.sleep(POLL_SECONDS)


def _size(out: Path) -> int:
    return out.stat().st_size if out.exists() else 0


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("CXR_")}
    return {**own, **settings}


def _count(
    films: list[str], out: Path, environment: Mapping[str, str], kills: int
) -> KillTestResult:
    with out.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = Counter(text_of(row["source"]) for row in csv.DictReader(file))
    scores = _scores(environment)
    return KillTestResult(
        kills=kills,
        films=len(films),
        rows_lost=len(set(films) - rows.keys()),
        rows_twice=sum(rows.values()) - len(rows),
        entries_lost=max(0, len(films) - sum(1 for number in scores if number)),
        entries_twice=max(0, len(scores) - len(films)) + sum(max(0, each - 1) for each in scores),
    )


def _scores(environment: Mapping[str, str]) -> list[int]:
    """Count the scores of every entry."""
    url = environment.get("CXR_DATABASE_URL") or (
        f"sqlite:///{Path(environment['CXR_DATA_DIR']) / 'worklist.sqlite'}"
    )
    worklist = Worklist.open(url)
    try:
        query = Query(state="all")
        entries = worklist.page(query, limit=worklist.count(query))
        return [len(worklist.scores(entry.id)) for entry in entries]
    finally:
        worklist.close()
