"""Kill receiver, sender and server at random moments, and count films and results in an archive.

    python -m training.benchmark --films 0 --archive-kills 50

A modality (storescu) sends each film until it is acknowledged. At the end each film must be on the
list once and scored once, and its report and picture in a real Orthanc once each.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_app.worklist import OutgoingState, Query, Worklist
from training.bench.archive_desk import RECEIVER, SENDER, SERVER, ArchiveDesk
from training.bench.bench_films import write_study_films
from training.bench.dicom_peers import ORTHANC_PORT, RECEIVER_PORT, call_orthanc, orthanc, send

ROWS, COLUMNS = 320, 300
FILMS_A_KILL = 10
OBJECTS = 2
"""Report and picture."""
PAUSE_SECONDS = 0.2
LONGEST_DELAY = 2.0
SETTLE_SECONDS = 600.0
"""Longest wait at the end."""


@dataclass(frozen=True, slots=True)
class ArchiveKillResult:
    """State of list and archive after the last film.

    Parameters
    ----------
    kills
        How often each part was killed.
    films_lost, films_twice
        Films without an entry, and entries beyond the first.
    unscored, scored_twice
        Entries without a score, and scores beyond the first.
    results_lost, results_twice
        Objects that are not in the archive, and those beyond one of each kind for a film.
    seconds
        Whole time.
    """

    kills: dict[str, int]
    films: int
    films_lost: int
    films_twice: int
    unscored: int
    scored_twice: int
    results_lost: int
    results_twice: int
    seconds: float


def run_archive_kill_test(
    folder: Path, kills: int, films_a_kill: int = FILMS_A_KILL
) -> ArchiveKillResult:
    """Send films while parts are killed.

    Parameters
    ----------
    folder
        An empty one, for everything.
    kills
        How often, receiver, sender and server in turn.
    films_a_kill
        Films that are sent for each.
    """
    begun = time.monotonic()
    paths = write_study_films(folder / "films", films_a_kill * kills, ROWS, COLUMNS)
    settings = {
        "CXR_DATA_DIR": str(folder / "data"),
        "CXR_DICOM_PORT": str(RECEIVER_PORT),
        "CXR_RESULTS_TO": f"ORTHANC@127.0.0.1:{ORTHANC_PORT}",
    }
    with orthanc(folder / "orthanc"):
        desk = ArchiveDesk(folder, settings)
        worklist = Worklist.open(f"sqlite:///{folder / 'data' / 'worklist.sqlite'}")
        try:
            desk.wait_until_receiving()
            killed = _send_and_kill(desk, paths, kills)
            _settle(worklist, len(paths))
            found = _counted(worklist, len(paths))
        finally:
            worklist.close()
            desk.stop()
    return ArchiveKillResult(
        kills=dict(killed), films=len(paths), **found, seconds=time.monotonic() - begun
    )


def _send_and_kill(desk: ArchiveDesk, paths: Sequence[Path], kills: int) -> Counter[str]:
    """Let a modality send all films, and kill a part each time that some more have arrived."""
    chance = random.Random(kills)  # noqa: S311 - no secret
    sent: list[Path] = []
    modality = threading.Thread(target=_send_all, args=(paths, sent), daemon=True)
    modality.start()
    killed: Counter[str] = Counter()
    for number in range(kills):
        while len(sent) < number * len(paths) // kills and modality.is_alive():
            time.sleep(PAUSE_SECONDS / 10)
        time.sleep(chance.uniform(0.0, LONGEST_DELAY))
        part = (RECEIVER, SENDER, SERVER)[number % 3]
        while not desk.kill(part):  # it has not been started again yet
            time.sleep(PAUSE_SECONDS)
        killed[part] += 1
    modality.join()
    return killed


def _send_all(paths: Sequence[Path], sent: list[Path]) -> None:
    for path in paths:
        while send([path], RECEIVER_PORT) != 0:
            time.sleep(PAUSE_SECONDS)
        sent.append(path)


def _settle(worklist: Worklist, films: int) -> None:
    """Wait until every film is scored and its objects are sent, or for too long."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        counts = {each.name: each.counts for each in worklist.outbox.archives()}
        sent = sum(each.get(OutgoingState.SENT, 0) for each in counts.values())
        if sent >= OBJECTS * films and not worklist.next_received():
            return
        time.sleep(1.0)


def _counted(worklist: Worklist, films: int) -> dict[str, int]:
    query = Query(state="all")
    entries = worklist.page(query, limit=worklist.count(query))
    uids = Counter(each.header.sop_instance_uid for each in entries if each.header)
    scores = [len(worklist.scores(each.id)) for each in entries]
    kinds = _objects()
    return {
        "films_lost": films - len(uids) + (len(entries) - sum(uids.values())),
        "films_twice": sum(uids.values()) - len(uids),
        "unscored": sum(1 for number in scores if number == 0),
        "scored_twice": sum(max(0, number - 1) for number in scores),
        "results_lost": OBJECTS * films - len(kinds),
        "results_twice": sum(kinds.values()) - len(kinds),
    }


def _objects() -> Counter[tuple[str, str]]:
    """Count the archive's objects by study and modality."""
    series = call_orthanc("/series?expand") or []
    found: Counter[tuple[str, str]] = Counter()
    for each in series:
        key = str(each["ParentStudy"]), str(each["MainDicomTags"].get("Modality"))
        found[key] += len(each["Instances"])
    return found


def main() -> None:
    """Run the test with the numbers given, and print the result as JSON."""
    with TemporaryDirectory() as name:
        result = run_archive_kill_test(Path(name), *map(int, sys.argv[1:]))
        print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
