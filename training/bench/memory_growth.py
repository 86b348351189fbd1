"""Whether a run swells with its films, or slows down with the entries of the list."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
from PIL import Image as PillowImage

from cxr_app.progress import Progress
from cxr_app.settings import PROJECT
from cxr_app.worklist import Worklist
from training.bench import million_entries
from training.drawing.phantom_films import draw_phantom, opacities_of

DRAWN = 8
SIDE = 320
LOOK_SECONDS = 1.0
FIRST_FILMS = 500
"""So many films bring everything into memory that is ever needed."""
ENTERED, FAR = 400, 10**9
"""So many films are timed, and where the numbers begin of those that no other has."""
TOGETHER = 8
"""Films that enter the list in one transaction, as in a run."""


def write_small_films(folder: Path, count: int) -> Path:
    """Write so many small JPEG films, each of other content; return the folder."""
    folder.mkdir(parents=True)
    pictures = []
    for seed in range(DRAWN):
        film = draw_phantom(seed, SIDE, SIDE, opacities_of(seed))
        file = BytesIO()
        PillowImage.fromarray(np.rint(film * 255).astype(np.uint8)).save(file, "JPEG", quality=75)
        pictures.append(file.getvalue())
    for number in range(count):
        # After the picture's end, where no decoder looks.
        (folder / f"{number:06}.jpg").write_bytes(pictures[number % DRAWN] + b"%d" % number)
    return folder


def follow_memory(folder: Path, settings: Mapping[str, str]) -> dict[str, Any]:
    """Score a folder by the command, and follow the memory of all its processes.

    Returns
    -------
    dict
        In MB: ``after_first`` and ``most``, as `swelling` says, and ``curve``: pairs of films and
        MB.
    """
    curve: list[tuple[int, float]] = []
    with TemporaryDirectory() as name:
        progress = Path(name) / "progress.json"
        command = [sys.executable, "-m", "training.batch", str(folder)]
        command += ["--out", f"{name}/results.csv", "--progress", str(progress)]
        environment = {**os.environ, "CXR_DATA_DIR": name, **settings}
        run = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL
        )
        while run.poll() is None:
            told = Progress.read(progress)
            if told is not None and told.total:
                curve.append((told.done, _resident(run.pid)))
            time.sleep(LOOK_SECONDS)
    whole = [(done, megabytes) for done, megabytes in curve if megabytes]
    return {**growth_of(whole), "curve": whole}


def growth_of(curve: Sequence[tuple[int, float]]) -> dict[str, float]:
    """Say how far memory grows once everything that is ever needed is in it.

    The highest of all later samples counts, and not the last: by then processes have ended.

    Parameters
    ----------
    curve
        Pairs of films and MB, in their order; one at least.

    Returns
    -------
    dict
        ``after_first``, when `FIRST_FILMS` were scored, and ``most`` from then on, in MB.
    """
    later = [megabytes for done, megabytes in curve if done >= FIRST_FILMS]
    later = later or [curve[-1][1]]
    return {"after_first": later[0], "most": max(later)}


def _resident(pid: int) -> float:
    """Sum the resident memory of a process and all below it, in MB; 0 once it has ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        resident = sum(int(each.memory_info().rss) for each in family)
    except psutil.NoSuchProcess:
        return 0.0
    return round(resident / 2**20, 1)


def fill(file: Path, entries: int) -> dict[str, Any]:
    """Fill a worklist, see whether it takes films in more slowly, and how soon it answers.

    Returns
    -------
    dict
        ``empty_ms`` and ``full_ms``, for one film; ``times`` the one of the other; ``answers``,
        the ms of each question.
    """
    worklist = Worklist.open(f"sqlite:///{file}")
    try:
        empty = _enter(worklist, range(ENTERED))
        million_entries.fill_worklist(worklist, file, entries)
        full = _enter(worklist, range(FAR, FAR + ENTERED))
        answers = million_entries.question_times(worklist)
    finally:
        worklist.close()
    return {"empty_ms": empty, "full_ms": full, "times": full / empty, "answers": answers}


def _enter(worklist: Worklist, numbers: range) -> float:
    """Enter films as a run does; give the time that one takes, in ms."""
    began = time.monotonic()
    for start in range(numbers.start, numbers.stop, TOGETHER):
        worklist.enter(million_entries.made_up_films(range(start, start + TOGETHER)))
    return (time.monotonic() - began) / len(numbers) * 1000
