"""CPU time per received film: our receiver and Orthanc side by side, each film durable in both.

    python -m training.benchmark --receive 40

The same sender (storescu) sends the same films to both in turns, so that other work on the machine
disturbs both alike; CPU time is counted, not time.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from training.bench.bench_films import write_study_films
from training.bench.dicom_peers import (
    ORTHANC_PORT,
    RECEIVER_PORT,
    cpu_seconds,
    orthanc,
    running,
    send,
)

ROWS, COLUMNS = 2330, 2190
"""A film of 10.2 MB."""
A_ROUND = 5
WARM_UP = 2
RECEIVER = [sys.executable, "-m", "cxr_app.pacs.receiver"]


def receive_cost(folder: Path, count: int) -> dict[str, float]:
    """Measure both.

    Returns
    -------
    dict
        ``megabytes`` of a film; ``ours_ms`` and ``orthanc_ms`` of CPU time a film, medians over
        rounds; ``share`` of ours in Orthanc's.
    """
    films = write_study_films(folder / "films", count + WARM_UP, ROWS, COLUMNS)
    ours = {"CXR_DATA_DIR": str(folder / "data"), "CXR_DICOM_PORT": str(RECEIVER_PORT)}
    with (
        orthanc(folder / "orthanc") as archive,
        running(RECEIVER, folder / "receiver.log", RECEIVER_PORT, ours) as receiver,
    ):
        peers = {
            "ours_ms": (receiver.pid, RECEIVER_PORT),
            "orthanc_ms": (archive.pid, ORTHANC_PORT),
        }
        for _, port in peers.values():
            send(films[:WARM_UP], port)
        rounds: dict[str, list[float]] = {name: [] for name in peers}
        for start in range(WARM_UP, len(films), A_ROUND):
            batch = films[start : start + A_ROUND]
            for name, (pid, port) in peers.items():
                rounds[name].append(_cost(pid, port, batch))
    costs = {name: median(found) for name, found in rounds.items()}
    size = films[0].stat().st_size / 1e6
    return {**costs, "share": costs["ours_ms"] / costs["orthanc_ms"], "megabytes": size}


def _cost(pid: int, port: int, films: Sequence[Path]) -> float:
    """Return the milliseconds of CPU time that a process takes for a film."""
    before = cpu_seconds(pid)
    if send(films, port) != 0:
        raise RuntimeError("the sender failed")
    return 1000 * (cpu_seconds(pid) - before) / len(films)


def main() -> None:
    """Measure, and print the result as JSON."""
    with TemporaryDirectory() as name:
        print(json.dumps(receive_cost(Path(name), int(sys.argv[1]))))


if __name__ == "__main__":
    main()
