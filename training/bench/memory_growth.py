"""Memory growth: whether a run takes more memory with every film."""

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
from training.drawing.phantom_films import draw_phantom, opacities_of

DRAWN = 8
SIDE = 320
SAMPLE_SECONDS = 1.0
FIRST_FILMS = 500
"""Number of films after which everything that is ever needed is in memory."""


def write_small_films(folder: Path, count: int) -> Path:
    """Write `count` small JPEG films with different contents, and return the folder."""
    folder.mkdir(parents=True)
    pictures = []
    for seed in range(DRAWN):
        film = draw_phantom(seed, SIDE, SIDE, opacities_of(seed))
        file = BytesIO()
        PillowImage.fromarray(np.rint(film * 255).astype(np.uint8)).save(file, "JPEG", quality=75)
        pictures.append(file.getvalue())
    for number in range(count):
        # After the end of the picture, which decoders ignore.
        (folder / f"{number:06}.jpg").write_bytes(pictures[number % DRAWN] + b"%d" % number)
    return folder


def follow_memory(folder: Path, settings: Mapping[str, str]) -> dict[str, Any]:
    """Score a folder by the command, and sample the memory of all its processes.

    Returns
    -------
    dict
        In MB: ``after_first`` and ``most``, see `growth_of`, and ``curve``: pairs of films and MB.
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
            seen = Progress.read(progress)
            if seen is not None and seen.total:
                curve.append((seen.done, _resident(run.pid)))
            time.sleep(SAMPLE_SECONDS)
    whole = [(done, megabytes) for done, megabytes in curve if megabytes]
    return {**growth_of(whole), "curve": whole}


def growth_of(curve: Sequence[tuple[int, float]]) -> dict[str, float]:
    """Return how far memory grows after the first `FIRST_FILMS` films.

    The highest of all later samples counts, not the last: by then processes have ended.

    Parameters
    ----------
    curve
        Pairs of films and MB, in order; at least one.

    Returns
    -------
    dict
        ``after_first`` at `FIRST_FILMS`, and ``most`` from then on, in MB.
    """
    later = [megabytes for done, megabytes in curve if done >= FIRST_FILMS]
    later = later or [curve[-1][1]]
    return {"after_first": later[0], "most": max(later)}


def _resident(pid: int) -> float:
    """Return the resident memory of a process and its children, in MB; 0 if it has ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        resident = sum(int(each.memory_info().rss) for each in family)
    except psutil.NoSuchProcess:
        return 0.0
    return round(resident / 2**20, 1)
