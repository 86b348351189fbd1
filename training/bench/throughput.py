"""Throughput of this machine and of the program, in films a second.

Everything is measured on all cores that the program may use. Decoding and the network run as in the
program, one process with one thread a core, so that the rates can be compared.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import TypeVar

import numpy as np

from cxr_app.examined import Examined
from cxr_app.settings import PROJECT
from cxr_app.usable_cores import cores
from training.backlog.engines.contract import BacklogPlan
from training.backlog.engines.file_scoring import load_scorer, read_file
from training.backlog.folder import FolderScan
from training.bench.command_cost import cost_of

T = TypeVar("T")

BATCH_SIZES = (1, 4, 8, 16)
NETWORK_SECONDS = 4.0
"""How long one batch size is measured."""

Timing = tuple[int, float, float]
"""Number of films, and when a process began and finished them."""

_barriers: list[Barrier] = []


def decode_rate(folder: Path, plan: BacklogPlan) -> float:
    """Measure reading, decoding, screening and preparing, without the network."""
    return _rate(_decode, folder, plan)


def network_rate(folder: Path, plan: BacklogPlan, batch_size: int) -> float:
    """Measure the network alone, with probabilities and maps, on prepared films."""
    return _rate(_predict, folder, plan, batch_size)


def latency(folder: Path, plan: BacklogPlan) -> float:
    """Measure the seconds from bytes to outcome for one film on an idle server."""
    return in_fresh_process(_latency, folder, plan)


def command_rate(folder: Path, settings: Mapping[str, str]) -> float:
    """Measure the whole command with a new worklist, starting up counted."""
    with TemporaryDirectory() as name:
        command = [sys.executable, "-m", "training.batch", str(folder), "--out"]
        command.append(f"{name}/results.csv")
        spent = cost_of(command, PROJECT, {"CXR_DATA_DIR": name, **settings})
    return len(list(folder.iterdir())) / spent.seconds


def combined_rate(decode: float, network: float) -> float:
    """Return the highest rate of two tasks that share the same cores."""
    return 1 / (1 / decode + 1 / network)


def in_fresh_process(work: Callable[..., T], *arguments: object) -> T:
    """Call a function of this program in a new process, with all threads."""
    with ProcessPoolExecutor(1, get_context("forkserver")) as pool:
        return pool.submit(work, *arguments).result()


def _rate(work: Callable[..., Timing], folder: Path, *arguments: object) -> float:
    """Divide the films among one process a core; all start together."""
    context, count = get_context("forkserver"), cores()
    barrier = context.Barrier(count)
    with ProcessPoolExecutor(count, context, _keep, (barrier,)) as pool:
        shares = [pool.submit(work, folder, number, *arguments) for number in range(count)]
        timings = [share.result() for share in shares]
    films = sum(timing[0] for timing in timings)
    return films / (max(each[2] for each in timings) - min(each[1] for each in timings))


def _keep(barrier: Barrier) -> None:
    _barriers.append(barrier)


def _decode(folder: Path, number: int, plan: BacklogPlan) -> Timing:
    films = list(FolderScan(folder))[number :: cores()]
    read_file(films[0], plan)  # starts a decoder
    _barriers[0].wait()
    began = time.monotonic()
    for film in films:
        read_file(film, plan)
    return len(films), began, time.monotonic()


def _predict(folder: Path, _: int, plan: BacklogPlan, batch_size: int) -> Timing:
    scorer = load_scorer(plan, threads=1)
    films = _ready(folder, plan, batch_size)
    scorer.score_all(films)
    _barriers[0].wait()
    began, scored = time.monotonic(), 0
    while time.monotonic() - began < NETWORK_SECONDS:
        scorer.score_all(films)
        scored += len(films)
    return scored, began, time.monotonic()


def _ready(folder: Path, plan: BacklogPlan, count: int) -> list[Examined]:
    found = list(FolderScan(folder))[:count]
    return [
        film for film in (read_file(each, plan) for each in found) if isinstance(film, Examined)
    ]


def _latency(folder: Path, plan: BacklogPlan) -> float:
    scorer = load_scorer(plan)
    contents = [film.path.read_bytes() for film in list(FolderScan(folder))[:20]]
    scorer.score(contents[0])
    taken: Sequence[float] = [_seconds(scorer.score, content) for content in contents]
    return float(np.median(taken))


def _seconds(work: Callable[[bytes], object], content: bytes) -> float:
    began = time.monotonic()
    work(content)
    return time.monotonic() - began
