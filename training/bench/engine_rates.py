"""Films a second of both engines on the same cores, after each has begun.

    python -m training.bench.engine_rates [--films 800]

The whole command runs on the first films and on all of them, with one engine and the other in turn;
the difference is what the films after the first take. Ray needs a cluster of this machine alone:
``ray start --head``, and its address in RAY_ADDRESS.
"""

import argparse
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_app.settings import PROJECT
from training.backlog.engines import ENGINES
from training.bench.bench_films import write_bench_films
from training.bench.command_cost import cost_of
from training.command_line.number_types import whole_number

FIRST = 200
"""Films that an engine begins with."""
ROUNDS = 3


def engine_rates(folder: Path, count: int) -> dict[str, float]:
    """Return the films a second of each engine, the median over the rounds.

    Parameters
    ----------
    folder
        `FIRST` films and `count` more.
    """
    rounds = [
        {name: _seconds(folder, name) - _seconds(folder, name, FIRST) for name in sorted(ENGINES)}
        for _ in range(ROUNDS)
    ]
    return {name: count / statistics.median(found[name] for found in rounds) for name in rounds[0]}


def _seconds(folder: Path, engine: str, limit: int | None = None) -> float:
    """Return how long the command takes, with a new worklist."""
    with TemporaryDirectory() as name:
        command = [sys.executable, "-m", "training.batch", str(folder), "--engine", engine]
        command += ["--out", f"{name}/results.csv"]
        command += [] if limit is None else ["--limit", str(limit)]
        return cost_of(command, PROJECT, {"CXR_DATA_DIR": name, "CXR_DEVICE": "cpu"}).seconds


def main() -> None:
    """Print both rates and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m training.bench.engine_rates")
    parser.add_argument("--films", type=whole_number(1, 10**6), default=800, metavar="N")
    count = parser.parse_args().films
    with TemporaryDirectory() as name:
        folder = write_bench_films(Path(name) / "films", "jpeg", FIRST + count)
        rates = engine_rates(folder, count)
    for engine, rate in rates.items():
        print(f"{engine}: {rate:.1f} films a second after the first {FIRST}")
    print(f"ray against local: {rates['ray'] / rates['local']:.2f}")


if __name__ == "__main__":
    main()
