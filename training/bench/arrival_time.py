"""Time from a film's C-STORE to its place on the list, and to its result in a real Orthanc.

    python -m training.benchmark --films 0 --arrivals 100

Films come one at a time, each when the one before has its result: waits between the parts count,
queues do not.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from cxr_app.worklist import Query, Worklist
from training.bench.archive_desk import ArchiveDesk
from training.bench.bench_films import COLUMNS, ROWS, write_study_films
from training.bench.dicom_peers import ORTHANC_PORT, RECEIVER_PORT, call_orthanc, orthanc, send

WARM_UP = 2
OBJECTS = 2
"""Report and picture."""
POLL_SECONDS = 0.02
LONGEST_SECONDS = 300.0


def arrival_times(folder: Path, count: int) -> dict[str, float]:
    """Send films, one after the other.

    Returns
    -------
    dict
        Seconds until a film is acknowledged, scored and on the list, and until its report and
        picture are in the archive: ``stored_s``, ``listed_s``, ``sent_s`` (medians), and the 95th
        percentile of each, ``..._p95_s``; ``films``.
    """
    paths = write_study_films(folder / "films", count + WARM_UP, ROWS, COLUMNS)
    settings = {
        "CXR_DATA_DIR": str(folder / "data"),
        "CXR_DICOM_PORT": str(RECEIVER_PORT),
        "CXR_RESULTS_TO": f"ORTHANC@127.0.0.1:{ORTHANC_PORT}",
    }
    taken: dict[str, list[float]] = {"stored": [], "listed": [], "sent": []}
    with orthanc(folder / "orthanc"):
        desk = ArchiveDesk(folder, settings)
        worklist = Worklist.open(f"sqlite:///{folder / 'data' / 'worklist.sqlite'}")
        try:
            desk.wait_until_receiving()
            for number, path in enumerate(paths, 1):
                begun = time.monotonic()
                if send([path], RECEIVER_PORT) != 0:
                    raise RuntimeError("the sender failed")
                taken["stored"].append(time.monotonic() - begun)
                _wait_for(lambda: _scored(worklist), number)
                taken["listed"].append(time.monotonic() - begun)
                _wait_for(lambda: len(call_orthanc("/instances") or []), OBJECTS * number)
                taken["sent"].append(time.monotonic() - begun)
        finally:
            worklist.close()
            desk.stop()
    found = {"films": float(count)}
    for name, seconds in taken.items():
        found[f"{name}_s"] = median(seconds[WARM_UP:])
        found[f"{name}_p95_s"] = quantiles(seconds[WARM_UP:], n=20, method="inclusive")[-1]
    return found


def _scored(worklist: Worklist) -> int:
    return worklist.count(Query(state="all")) - len(worklist.next_received(limit=1000))


def _wait_for(counted: Callable[[], int], wanted: int) -> None:
    """Wait until something has been counted so often.

    Raises
    ------
    RuntimeError
        If it takes too long.
    """
    deadline = time.monotonic() + LONGEST_SECONDS
    while counted() < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError("a film did not arrive")
        time.sleep(POLL_SECONDS)


def main() -> None:
    """Measure, and print the result as JSON."""
    with TemporaryDirectory() as name:
        print(json.dumps(arrival_times(Path(name), int(sys.argv[1]))))


if __name__ == "__main__":
    main()
