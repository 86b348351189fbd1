"""CPU time that making a film's result takes, against scoring the film.

    python -m training.benchmark --results 40

A result is the structured report and the picture, which an archive gets by default, as files. Both
begin as the server does with a film in its store, which is read and checked, and an entry in the
worklist, which gets the score or has it. The scorer alone, on bytes in memory, is named beside.
"""

import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import TypeVar

from cxr_app.destination import DEFAULT_KINDS, Destination, ResultKind
from cxr_app.film_store import FilmStore
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.objects import FilmResults
from cxr_app.worklist import Worklist
from training.backlog.engines.contract import BacklogPlan
from training.backlog.engines.file_scoring import load_scorer
from training.bench.bench_films import COLUMNS, ROWS, write_study_films

T = TypeVar("T")

ARCHIVE = Destination("BENCH", "archive", 104)
WARM_UP = 2


def result_cost(folder: Path, plan: BacklogPlan, count: int) -> dict[str, float]:
    """Measure both, for a film after the other.

    Returns
    -------
    dict
        Medians of CPU time in ms: ``scoring_ms``, of it ``scorer_ms``; ``sr_ms``, ``sc_ms``.
        ``share`` of report and picture together in scoring, ``scorer_share`` in the scorer's part.
    """
    scorer = load_scorer(plan)
    worklist = Worklist.open(f"sqlite:///{folder / 'results.sqlite'}")
    installation = Installation.of(worklist, ARCHIVE.ae_title)
    since = worklist.outbox.open(ARCHIVE)
    store = FilmStore(folder / "kept")
    names = ("scoring_ms", "scorer_ms", "sr_ms", "sc_ms")
    costs: dict[str, list[float]] = {name: [] for name in names}
    for path in write_study_films(folder / "films", count + WARM_UP, ROWS, COLUMNS):
        sha256 = store.keep(path.read_bytes())
        worklist.receive(sha256, path.name, store.path(sha256))
        data, reading = _timed(partial(store.read, sha256))
        outcome, taken = _timed(partial(scorer.score, data))
        _, recording = _timed(partial(worklist.record, outcome))
        costs["scorer_ms"].append(taken)
        costs["scoring_ms"].append(reading + taken + recording)
        worklist.outbox.fill(ARCHIVE, since)
        claimed = worklist.outbox.claim(ARCHIVE.name)
        results, reading = _timed(partial(FilmResults, worklist, installation, claimed[0]))
        for kind, shared in zip(DEFAULT_KINDS, (reading, 0.0), strict=True):
            _, taken = _timed(partial(_write, results, kind))
            costs[f"{kind.value}_ms"].append(taken + shared)
        for each in claimed:
            worklist.outbox.sent(each)
    worklist.close()
    found = {name: median(values[WARM_UP:]) for name, values in costs.items()}
    both = found["sr_ms"] + found["sc_ms"]
    shares = {"share": both / found["scoring_ms"], "scorer_share": both / found["scorer_ms"]}
    return {**found, **shares}


def _write(results: FilmResults, kind: ResultKind) -> None:
    built = results.build(kind)
    if built is not None:
        built.save_as(BytesIO(), enforce_file_format=True)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what the work returns, and its CPU time in ms."""
    begun = time.process_time()
    found = work()
    return found, 1000 * (time.process_time() - begun)
