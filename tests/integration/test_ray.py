"""A backlog scored by a real Ray cluster on this machine gives the rows of the local engine."""

import csv
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from tests.conftest import PROJECT
from tests.integration.test_nothing_leaks import MARKS, films
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.films import jpeg

NO_RAY = "Ray is not installed; install it with: pip install -r requirements-ray.txt"
START_SECONDS = 120.0
RUN_SECONDS = 240.0
FILMS = 160

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""Secret token of this cluster, so that no other process can join it."""

NUMBERS = {"pneumonia_probability", "bacterial_probability", "viral_probability"}

DEADLY = """
import json, os, sys
from pathlib import Path, PosixPath
from cxr_app.model import checkpoint
from training.backlog import engines
from training.backlog.engines.contract import BacklogPlan, FoundFile

class Deadly(PosixPath):
    "A file that ends the process that opens it."
    def open(self, *arguments, **options):
        os._exit(1)

folder, weights, out = map(Path, sys.argv[1:])
source = checkpoint.load(weights)
spec = source.description.input_spec
plan = BacklogPlan(
    weights, source.model_version, spec, "cpu", "auto", workers=2, batch_size=4
)
films = [FoundFile(path, path.name) for path in sorted(folder.iterdir())]
films.insert(5, FoundFile(Deadly("/deadly"), "deadly"))
engine = engines.start("ray", plan)
done = [result for results in engine.score(films) for result in results]
out.write_text(json.dumps([[each.found.source, each.outcome.state.value] for each in done]))
engine.close()
"""


@pytest.fixture(scope="module")
def cluster_folder() -> Iterator[Path]:
    """Folder of the cluster's logs; a short path, because it also holds sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ray-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(cluster_folder: Path) -> Iterator[str]:
    """A head node for this test run; it claims to have a GPU, so that both ways are tested."""
    if find_spec("ray") is None:
        pytest.skip(NO_RAY)
    address = f"127.0.0.1:{_free_port()}"
    options = ["--num-cpus=2", "--num-gpus=1", "--object-store-memory=100000000"]
    options += [
        "--disable-usage-stats",
        "--include-dashboard=false",
        f"--temp-dir={cluster_folder}",
    ]
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    with (cluster_folder / "start.txt").open("wb") as log:
        head = subprocess.Popen(
            [*start, "--node-ip-address=127.0.0.1", f"--port={address.split(':')[1]}", *options],
            stdout=log,
            stderr=log,
            env={**os.environ, **TOKEN},
        )
    try:
        _wait_for(cluster_folder / "start.txt", head)
        yield address
    finally:
        with suppress(psutil.NoSuchProcess):
            for process in [*psutil.Process(head.pid).children(recursive=True), head]:
                process.kill()
        head.wait(START_SECONDS)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("weights") / "tiny.safetensors")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(log: Path, head: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Ray runtime started" not in log.read_text():
        if head.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"Ray did not start:\n{log.read_text()}")
        time.sleep(0.1)


def command(folder: Path, out: Path, *options: str) -> list[str]:
    files = [str(folder), "--out", str(out), "--no-worklist"]
    return [sys.executable, "-m", "training.batch", *files, *options]


def environment(weights: Path, address: str = "") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    named = {"RAY_ADDRESS": address, **TOKEN} if address else {}
    return kept | named | {"CXR_CHECKPOINT": str(weights), "CXR_DEVICE": "auto"}


def run(
    arguments: list[str], weights: Path, address: str = ""
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        arguments,
        cwd=PROJECT,
        env=environment(weights, address),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["source"] for row in rows})  # each once
    return {row["source"]: row for row in rows}


@dataclass(frozen=True, slots=True)
class Both:
    """One folder scored by both engines: rows by source, and the output of the cluster's run."""

    local: dict[str, dict[str, str]]
    cluster: dict[str, dict[str, str]]
    printed: str


@pytest.fixture(scope="module")
def both(cluster: str, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Films of every state, of a patient whose name is searched for, scored by both engines."""
    place = tmp_path_factory.mktemp("both")
    folder = place / "films"
    (folder / "deep").mkdir(parents=True)
    for seed in range(20):
        (folder / "deep" / f"{seed}.jpeg").write_bytes(jpeg(seed))
    (folder / "same.jpeg").write_bytes(jpeg(3))
    lateral = radiograph_dataset(film_pixels(200, 200), ViewPosition="LL", AccessionNumber="=1+1")
    (folder / "lateral.dcm").write_bytes(dicom_bytes(lateral))
    (folder / "broken.dcm").write_text("no film")
    for name, data in films().items():
        (folder / f"{name}.dcm").write_bytes(data)
    local = run(command(folder, place / "local.csv", "--workers", "0"), weights)
    ray = run(command(folder, place / "ray.csv", "--engine", "ray"), weights, cluster)
    assert (local.returncode, ray.returncode) == (1, 1), ray.stderr
    printed = ray.stdout + ray.stderr
    return Both(rows_of(place / "local.csv"), rows_of(place / "ray.csv"), printed)


def test_a_cluster_gives_the_rows_of_the_local_engine(both: Both) -> None:
    assert len(both.local) == len(both.cluster) == 23 + len(films())
    assert {row["state"] for row in both.cluster.values()} == {"SCORED", "REJECTED", "FAILED"}
    for source, row in both.local.items():
        given = both.cluster[source]
        for name in NUMBERS:
            assert float(given[name] or -1) == pytest.approx(float(row[name] or -1), abs=2e-6)
        assert without_numbers(given) == without_numbers(row)


def without_numbers(row: dict[str, str]) -> dict[str, str]:
    """Leave out the numbers of a row, which two machines compute slightly differently."""
    return {name: text for name, text in row.items() if name not in NUMBERS}


def test_no_node_stores_a_patients_name(both: Both, cluster_folder: Path) -> None:
    kept = {
        str(file): file.read_bytes()
        for file in cluster_folder.rglob("*")
        if file.is_file() and not file.is_symlink()
    }
    assert any("worker" in name for name in kept)
    for place, content in {**kept, "output": both.printed.encode()}.items():
        found = [mark for mark in MARKS if mark in content.lower()]
        assert not found, f"{found} in {place}"


def test_killing_a_worker_loses_and_repeats_nothing(
    cluster: str, weights: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    drawn = [jpeg(seed) for seed in range(8)]
    for number in range(FILMS):
        film = drawn[number % 8] + b"\0" * number
        (folder / f"{number}.jpeg").write_bytes(film)
    out = tmp_path / "results.csv"
    arguments = command(folder, out, "--engine", "ray", "--device", "cpu", "--batch-size", "4")
    with (tmp_path / "log.txt").open("wb") as log:
        running = subprocess.Popen(
            arguments, cwd=PROJECT, env=environment(weights, cluster), stdout=log, stderr=log
        )
    _kill_a_worker_once_some_films_are_scored(out, running)
    assert running.wait(RUN_SECONDS) == 0, (tmp_path / "log.txt").read_text()
    rows = rows_of(out)
    assert len(rows) == FILMS
    assert {row["state"] for row in rows.values()} == {"SCORED"}


def _kill_a_worker_once_some_films_are_scored(
    out: Path, running: "subprocess.Popen[bytes]"
) -> None:
    deadline = time.monotonic() + RUN_SECONDS
    while not out.exists() or out.read_bytes().count(b"\n") < 8:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workers = [each for each in psutil.process_iter(["cmdline"]) if _scores(each)]
    assert workers
    workers[0].kill()
    assert out.read_bytes().count(b"\n") < FILMS


def _scores(process: psutil.Process) -> bool:
    return "_Worker" in " ".join(process.info["cmdline"] or [])


def test_only_the_file_that_ends_its_workers_fails(
    cluster: str, weights: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for seed in range(12):
        (folder / f"{seed}.jpeg").write_bytes(jpeg(seed))
    out = tmp_path / "results.json"
    done = run(
        [sys.executable, "-c", DEADLY, str(folder), str(weights), str(out)], weights, cluster
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(out.read_text())
    assert len(results) == 13  # each once
    states = dict(results)
    assert states.pop("deadly") == "FAILED"
    assert set(states.values()) == {"SCORED"}
    assert len(states) == 12


def test_without_a_cluster_the_message_says_what_is_needed(weights: Path, tmp_path: Path) -> None:
    if find_spec("ray") is None:
        pytest.skip(NO_RAY)
    (tmp_path / "a.jpeg").write_bytes(jpeg(1))
    done = run(command(tmp_path, tmp_path / "results.csv", "--engine", "ray"), weights)
    assert done.returncode == 2
    assert "RAY_ADDRESS" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_ray_the_message_says_how_to_install_it(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpeg").write_bytes(jpeg(1))
    without = "import sys; sys.modules['ray'] = None; from training import batch; "
    without += "sys.exit(batch.main(sys.argv[1:]))"
    arguments = command(tmp_path, tmp_path / "results.csv", "--engine", "ray")[3:]
    done = run([sys.executable, "-c", without, *arguments], weights)
    assert done.returncode == 2
    assert "pip install -r requirements-ray.txt" in done.stderr
