"""Scoring by processes of this machine that share nothing, one a core.

Each process reads, decodes and scores its own films, with one thread for the network: several
threads for one network are slower than several networks, and many times slower if cores are shared
with other work. While the network works on one batch, the process reads and decodes the next. With
a GPU the processes only read and decode, and the one network is in this process.

If a file ends its process, only that file fails: the films beside it are scored again.

What reads and scores is imported in those processes alone: this one begins sooner.

These are long-lived processes of this program's own code, so `multiprocessing` suits them. The
children of `isolated_decoder` are another thing: sandboxes of third-party decoders with limited
memory and time, which start without torch and exchange no pickled objects.
"""

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from cxr_app.errors import CxrError, SettingsError
from cxr_app.examined import Examined, refusal, unreadable
from cxr_app.model.classifier_choice import runs_on_cpu
from cxr_app.usable_cores import cores
from training.backlog.engines.contract import (
    AlreadyScored,
    BacklogPlan,
    Batch,
    FoundFile,
    Result,
    ScoredFile,
)
from training.backlog.engines.imports_ahead import scoring_processes

if TYPE_CHECKING:
    from cxr_app.scoring import Scorer

logger = logging.getLogger(__name__)

BATCH_ON_CPU = 8
"""Films in one forward pass; more are no faster on a CPU, and each waits for the last."""
BATCH_ON_GPU = 32
SMALLEST_BATCH = 2
"""Fewest films in a forward pass: for a single film it costs half as much again per film."""
AHEAD = 2
"""Batches that a worker holds: one for its network, one to read and decode."""
PATIENCE_SECONDS = 5.0
ENDED_BY = (
    "The file ended the process that read it. A person must look at it; "
    "please report its format to the maintainers of this program."
)

Reading = list[Examined | AlreadyScored]


def start(plan: BacklogPlan) -> "LocalEngine":
    """Start the workers; see `LocalEngine`."""
    return LocalEngine(plan)


class LocalEngine:
    """Scores films with all cores of this machine.

    Parameters
    ----------
    plan
        The model and its settings.

    Raises
    ------
    CxrError
        If a worker cannot start; with its message.
    """

    def __init__(self, plan: BacklogPlan) -> None:
        self._plan = plan
        on_gpu = not runs_on_cpu(plan.device)
        self._scorer = _scorer_here(plan) if on_gpu else None
        self._batch_size = plan.batch_size or (BATCH_ON_GPU if on_gpu else BATCH_ON_CPU)
        count = cores() if plan.workers is None else plan.workers
        self._workers = [self._start_worker(in_process=count > 0) for _ in range(max(1, count))]
        try:
            for worker in self._workers:
                worker.wait_until_ready()
        except CxrError:
            self.close()
            raise

    def score(self, found: Iterable[FoundFile]) -> Iterator[list[Result]]:
        """Score films, each exactly once and in any order; yield results as they are ready."""
        films = deque(found)
        suspects: list[FoundFile] = []
        self._hand_out(films)
        while busy := {worker.connection: worker for worker in self._workers if worker.in_hand}:
            for ready in connection.wait(list(busy)):
                worker = busy[ready]  # type: ignore[index]  # sockets and pipes alike, says typeshed
                try:
                    reading = worker.receive()
                except EOFError:
                    suspects.extend(film for batch in worker.in_hand for film in batch)
                    self._replace(worker)
                else:
                    self._hand_out(films)
                    yield self._finished(*reading)
            self._hand_out(films)
        for film in suspects:
            yield self._score_alone(film)

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.connection.close()
        for worker in self._workers:
            worker.end()

    def _start_worker(self, *, in_process: bool) -> "_Worker":
        return _Worker(self._plan, in_process=in_process, scores=self._scorer is None)

    def _replace(self, worker: "_Worker") -> None:
        """Replace a worker that has died by a new one."""
        logger.warning("A scoring process ended unexpectedly; its films are scored again.")
        worker.end()
        new = self._start_worker(in_process=True)
        self._workers[self._workers.index(worker)] = new
        new.wait_until_ready()

    def _hand_out(self, films: deque[FoundFile]) -> None:
        """Send every worker as many batches as it may hold, to idle ones first."""
        for load_of_each in range(AHEAD):
            for worker in self._workers:
                if films and len(worker.in_hand) <= load_of_each:
                    worker.send(self._batch(films))

    def _batch(self, films: deque[FoundFile]) -> Batch:
        """Return the next films; the last batches are small: all workers finish together."""
        share = len(films) // (AHEAD * len(self._workers))
        size = min(self._batch_size, max(SMALLEST_BATCH, share), len(films))
        return [films.popleft() for _ in range(size)]

    def _finished(self, batch: Batch, reading: Reading | list[Result]) -> list[Result]:
        """Score a batch if the worker has only read it."""
        if self._scorer is None:
            return reading  # type: ignore[return-value]  # the worker has scored it
        from training.backlog.engines.file_scoring import score_examined

        return score_examined(self._scorer, batch, reading)  # type: ignore[arg-type]

    def _score_alone(self, film: FoundFile) -> list[Result]:
        """Score by itself a film that a worker held when it died."""
        worker = self._workers[0]
        worker.send([film])
        try:
            return self._finished(*worker.receive())
        except EOFError:
            self._replace(worker)
            return [ScoredFile(film, refusal(unreadable(ENDED_BY)))]


def _scorer_here(plan: BacklogPlan) -> "Scorer":
    from training.backlog.engines.file_scoring import load_scorer

    return load_scorer(plan)


class _Worker:
    """A process and the batches that it holds; or a thread of this process, for a few films."""

    def __init__(self, plan: BacklogPlan, *, in_process: bool, scores: bool) -> None:
        context = scoring_processes()
        self.connection, theirs = context.Pipe()
        self.in_hand: deque[Batch] = deque()
        self._runs: BaseProcess | threading.Thread
        if in_process:
            self._runs = context.Process(
                target=_work_in_process, args=(theirs, plan, scores), daemon=True
            )
        else:
            self._runs = threading.Thread(target=_work, args=(theirs, plan, scores), daemon=True)
        self._runs.start()
        if in_process:
            theirs.close()  # so that its end is noticed here

    def wait_until_ready(self) -> None:
        """Wait until the network is loaded, or raise why it cannot be."""
        try:
            problem = self.connection.recv()
        except EOFError:
            raise SettingsError(
                "A scoring process ended before it began. If memory is short, use fewer --workers."
            ) from None
        if problem is not None:
            raise problem

    def send(self, batch: Batch) -> None:
        """Send a batch; if the worker has just died, the batch stays in `in_hand`."""
        self.in_hand.append(batch)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(batch)

    def receive(self) -> tuple[Batch, Reading | list[Result]]:
        """Receive the oldest batch with its results."""
        try:
            done = self.connection.recv()
        except ConnectionResetError as error:
            raise EOFError from error
        return self.in_hand.popleft(), done

    def end(self) -> None:
        """End it, by force if needed."""
        self.connection.close()
        self._runs.join(PATIENCE_SECONDS)
        if isinstance(self._runs, BaseProcess) and self._runs.is_alive():
            self._runs.kill()


def _work_in_process(link: Connection, plan: BacklogPlan, scores: bool) -> None:
    from training.backlog.engines.scoring_worker import work_in_process

    work_in_process(link, plan, scores)


def _work(link: Connection, plan: BacklogPlan, scores: bool) -> None:
    from training.backlog.engines.scoring_worker import work

    work(link, plan, scores)
