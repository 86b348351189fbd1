"""What a scoring process of the local engine does: batches of files in, their results out."""

import contextlib
import signal
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection

from cxr_app import log_privacy
from cxr_app.errors import CxrError, SettingsError
from cxr_app.examined import Examined
from cxr_app.model.openvino_runtime import import_quietly
from cxr_app.scoring import Scorer
from training.backlog.engines.contract import AlreadyScored, BacklogPlan, Batch
from training.backlog.engines.file_scoring import load_scorer, read_file, score_examined

READERS = 2
"""Threads of a worker that read and decode: one of them may wait for a slow disk."""

with contextlib.suppress(SettingsError):  # here, so that it is imported once for all workers
    import_quietly()


def work_in_process(link: Connection, plan: BacklogPlan, scores: bool) -> None:
    """Work in a process of its own; Ctrl-C is left to the parent, which then closes the link."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work(link, plan, scores, threads=1)
    except Exception as error:  # noqa: BLE001 - the message may quote patient data
        log_privacy.report_fault(error)
        sys.exit(1)


def work(link: Connection, plan: BacklogPlan, scores: bool, threads: int | None = None) -> None:
    """Load the network, then work until the link is closed.

    Parameters
    ----------
    link
        Receives None, or why the network cannot be loaded; then batches, each answered in its turn.
    scores
        Whether films are scored here, or only read.
    threads
        As `load_scorer` takes it.
    """
    with link, contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            scorer = load_scorer(plan, threads) if scores else None
        except CxrError as error:
            link.send(error)
            return
        link.send(None)
        _serve(link, plan, scorer)


def _serve(link: Connection, plan: BacklogPlan, scorer: Scorer | None) -> None:
    """Read batches as they arrive, score the oldest and send its results back."""
    waiting: deque[tuple[Batch, list[Future[Examined | AlreadyScored]]]] = deque()
    with ThreadPoolExecutor(READERS) as pool:
        while True:
            if not waiting or link.poll():
                batch: Batch = link.recv()
                waiting.append((batch, [pool.submit(read_file, film, plan) for film in batch]))
                continue
            batch, reading = waiting.popleft()
            films = [film.result() for film in reading]
            link.send(films if scorer is None else score_examined(scorer, batch, films))
