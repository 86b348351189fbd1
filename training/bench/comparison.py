"""This program beside an earlier commit of it and beside a peer, turn by turn in one run."""

import json
import statistics
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from cxr_app.usable_cores import cores
from training.bench.bench_films import SUFFIXES, write_bench_films
from training.bench.command_cost import Cost, cost_of
from training.bench.film_latency import __file__ as LATENCY_SCRIPT  # noqa: N812 - a path
from training.bench.idle_server import start_and_measure
from training.bench.peer import install_peer, peer_command
from training.bench.revision import HERE, ProgramCopy, check_out

ROUNDS = 3
LATENCY_FILMS = 40
CHECKPOINT = Path("weights") / "pneumonia.safetensors"


class Ratio(NamedTuple):
    """A ratio of this program to another, beside what was asked for.

    Parameters
    ----------
    work
        What was done.
    ratio
        The median over the rounds.
    wanted
        In words, with the same unit.
    detail
        Both figures, for the reader.
    """

    work: str
    ratio: float
    wanted: str
    detail: str


def compare(revision: str, count: int, report: Callable[[str], None]) -> list[Ratio]:
    """Compare this program with an earlier commit and with the peer.

    Parameters
    ----------
    revision
        The commit, as git takes it.
    count
        Films of each format.
    report
        Told what is measured next.

    Raises
    ------
    SettingsError
        As `check_out`.
    """
    with TemporaryDirectory() as name:
        workspace = Path(name)
        report(f"Checking out {revision}")
        earlier = check_out(revision, workspace / "earlier")
        report("Drawing films")
        folders = {kind: write_bench_films(workspace / kind, kind, count) for kind in SUFFIXES}
        ratios: list[Ratio] = []
        for kind, folder in folders.items():
            report(f"The whole command on {kind}, turn by turn")
            ratios += _backlog(kind, folder, earlier, count)
        report("TorchXRayVision")
        ratios += _peer(workspace / "peer", folders["jpeg"], count)
        report("One film at a time")
        ratios += _latency(folders["jpeg"], earlier)
        report("Idle servers")
        ratios += _idle(workspace, earlier)
    return ratios


def _backlog(kind: str, folder: Path, earlier: ProgramCopy, count: int) -> list[Ratio]:
    pairs = [(_command(HERE, folder), _command(earlier, folder)) for _ in range(ROUNDS + 1)][1:]
    wanted = {"jpeg": "3.0", "dicom": "2.5", "jpeg2000": "1.6"}[kind]
    wall = statistics.median(then.seconds / now.seconds for now, then in pairs)
    cpu = statistics.median(then.cpu_seconds / now.cpu_seconds for now, then in pairs)
    rates = [count / statistics.median(each[who].seconds for each in pairs) for who in (0, 1)]
    spent = [
        1000 * statistics.median(each[who].cpu_seconds for each in pairs) / count for who in (0, 1)
    ]
    return [
        Ratio(
            f"backlog, {kind}: films/s",
            wall,
            f"at least {wanted}",
            f"{rates[0]:.1f} against {rates[1]:.1f} films/s, starting up counted",
        ),
        Ratio(
            f"backlog, {kind}: films a CPU second",
            cpu,
            f"at least {wanted}",
            f"{spent[0]:.0f} against {spent[1]:.0f} ms of CPU a film",
        ),
    ]


def _peer(packages: Path, folder: Path, count: int) -> list[Ratio]:
    if not install_peer(packages):
        return [Ratio("against TorchXRayVision", float("nan"), "at least 4.5", "not installed")]
    films = sorted(folder.iterdir())
    walls, cpus, details = [], [], []
    for _ in range(ROUNDS):
        ours = _command(HERE, folder)
        theirs = cost_of(*peer_command(packages, films, cores()))
        walls.append(theirs.seconds / ours.seconds)
        cpus.append(theirs.cpu_seconds / ours.cpu_seconds)
        spent = [1000 * each.cpu_seconds / count for each in (ours, theirs)]
        details.append(f"{spent[0]:.0f} against {spent[1]:.0f} ms of CPU a film")
    return [
        Ratio("against TorchXRayVision: films/s", statistics.median(walls), "at least 4.5", ""),
        Ratio(
            "against TorchXRayVision: films a CPU second",
            statistics.median(cpus),
            "at least 4.5",
            details[-1],
        ),
    ]


def _latency(folder: Path, earlier: ProgramCopy) -> list[Ratio]:
    films = [str(film) for film in sorted(folder.iterdir())[:LATENCY_FILMS]]
    taken: Mapping[ProgramCopy, list[float]] = {HERE: [], earlier: []}
    for _ in range(ROUNDS):
        for program, times in taken.items():
            command = [program.python, LATENCY_SCRIPT, str(CHECKPOINT), *films]
            done = subprocess.run(  # noqa: S603 - our own script
                command, cwd=program.folder, capture_output=True, check=True
            )
            times += json.loads(done.stdout)
    ratios = []
    for share in (50, 95):
        now, then = (float(np.percentile(taken[who], share)) for who in (HERE, earlier))
        detail = f"{now:.0f} against {then:.0f} ms"
        ratios.append(Ratio(f"one film, p{share}", now / then, "at most 0.4", detail))
    return ratios


def _idle(workspace: Path, earlier: ProgramCopy) -> list[Ratio]:
    start_and_measure(HERE, workspace / "first")  # compiles the networks, which is kept
    pairs = [
        [
            start_and_measure(program, workspace / f"server-{number}-{who}")
            for who, program in enumerate((HERE, earlier))
        ]
        for number in range(ROUNDS)
    ]
    seconds = [statistics.median(pair[who].seconds for pair in pairs) for who in (0, 1)]
    memory = [statistics.median(pair[who].megabytes for pair in pairs) for who in (0, 1)]
    return [
        Ratio(
            "idle server: memory",
            memory[0] / memory[1],
            "at most 0.5",
            f"{memory[0]:.0f} against {memory[1]:.0f} MB",
        ),
        Ratio(
            "cold start to ready",
            seconds[0] / seconds[1],
            "at most 0.5",
            f"{seconds[0]:.1f} against {seconds[1]:.1f} s",
        ),
    ]


def _command(program: ProgramCopy, folder: Path) -> Cost:
    """Score a folder by the whole command, with a new worklist."""
    with TemporaryDirectory() as name:
        words = ["-m", "training.batch", str(folder), "--out", f"{name}/results.csv"]
        environment = {"CXR_DATA_DIR": name, "CXR_DEVICE": "cpu"}
        return cost_of([program.python, *words], program.folder, environment)
