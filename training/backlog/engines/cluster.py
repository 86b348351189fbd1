"""Scoring by the nodes of an existing Ray cluster: Ray Data hands out films and collects results.

Every node sees the films and the checkpoint under the paths that they have here, and has this
program's requirements; the program itself is sent along, so that all run the same code. A worker
loads the network once. What dies with a worker or a node is scored by another; a file that ends
every worker that reads it costs that file alone.
"""

import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.errors import CxrError, SettingsError
from cxr_app.scoring import refusal, unreadable
from cxr_app.settings import PROJECT
from training.backlog.engines.contract import (
    BacklogPlan,
    Found,
    Result,
    ScoredFile,
    load,
    read,
    score_files,
    score_read,
)
from training.backlog.engines.local import BATCH_ON_CPU, BATCH_ON_GPU, ENDED_BY

try:
    import ray
    import ray.data
    from ray.exceptions import RayActorError, RayError
    from ray.util.annotations import RayDeprecationWarning
except ImportError as error:
    raise SettingsError(
        "--engine ray needs Ray, which is not installed here. Run: "
        "pip install -r requirements-ray.txt, here and on every node, or leave the option away."
    ) from error

TRIES = 1
"""So often the films in hand of a worker that has died are given to another, all at once; those
of two dead workers are then scored one by one."""

ColumnArray = NDArray[Any]


def start(plan: BacklogPlan) -> "RayEngine":
    """Join the cluster; see `RayEngine`."""
    return RayEngine(plan)


class RayEngine:
    """Scores films with all nodes of a cluster.

    Parameters
    ----------
    plan
        What to score with. Its `workers` are processes of the whole cluster.

    Raises
    ------
    SettingsError
        If no cluster is named or it cannot be joined.
    """

    def __init__(self, plan: BacklogPlan) -> None:
        _join()
        self._plan = plan
        resources = ray.cluster_resources()  # type: ignore[no-untyped-call]
        self._gpus = int(resources.get("GPU", 0)) if plan.device in ("auto", "cuda") else 0
        cores = int(resources.get("CPU", 1))
        self._workers = max(1, cores if plan.workers is None else plan.workers)
        self._batch_size = plan.batch_size or (BATCH_ON_GPU if self._gpus else BATCH_ON_CPU)

    def score(self, found: Iterable[Found]) -> Iterator[list[Result]]:
        """Score films, each exactly once and in any order; give results as they are ready."""
        films = list(found)
        if not films:
            return
        left = {film.source: film for film in films}
        for results in self._pass(films):
            yield [result for result in results if left.pop(result.found.source, None)]
        if left:
            yield from self._apart(list(left.values()))

    def close(self) -> None:
        """Leave the cluster; it frees what the run had there."""
        ray.shutdown()

    def _pass(self, films: list[Found]) -> Iterator[list[Result]]:
        """Let the cluster go through all films; those that ended their workers do not come back."""
        rows = [{"found": _Sealed(film)} for film in films]
        blocks = -(-len(films) // self._batch_size)
        dataset = ray.data.from_items(rows, override_num_blocks=blocks)
        for batch in self._work(dataset).iter_batches(batch_size=None, batch_format="numpy"):
            results = _opened(batch["result"])
            for problem in results:
                if isinstance(problem, CxrError):
                    raise problem
            yield results

    def _work(self, dataset: "ray.data.Dataset") -> "ray.data.Dataset":
        """Say who does what: with GPUs every core reads and decodes and every GPU scores."""
        if not self._gpus:
            return self._map(dataset, _Worker, self._workers, num_cpus=1)
        read_films = self._map(dataset, _Reader, self._workers, num_cpus=1)
        return self._map(read_films, _Network, self._gpus, num_cpus=0, num_gpus=1)

    def _map(
        self, dataset: "ray.data.Dataset", worker: type, count: int, **needs: Any
    ) -> "ray.data.Dataset":
        with warnings.catch_warnings():
            # Ray Data offers no other way to bound how often a deadly file is tried.
            warnings.simplefilter("ignore", RayDeprecationWarning)
            return dataset.map_batches(
                worker,
                fn_constructor_args=(self._plan,),
                compute=ray.data.ActorPoolStrategy(size=count),
                batch_size=self._batch_size,
                batch_format="numpy",
                max_restarts=-1,
                max_task_retries=TRIES,
                **needs,
            )

    def _apart(self, films: list[Found]) -> Iterator[list[Result]]:
        """Score films that were in the hands of workers that died, one by one."""
        worker = None
        for film in films:
            worker = worker or self._hire()
            try:
                yield ray.get(worker.score.remote([film]))
            except RayActorError:
                worker = None
                yield [ScoredFile(film, refusal(unreadable(ENDED_BY)))]

    def _hire(self) -> Any:
        """Find one more worker, and wait until it has loaded the network."""
        core, gpu = (0, 1) if self._gpus else (1, 0)
        worker: Any = ray.remote(_Worker).options(num_cpus=core, num_gpus=gpu).remote(self._plan)
        try:
            problem = ray.get(worker.problem.remote())
        except RayActorError as error:
            raise SettingsError(
                "A worker of the Ray cluster ended before it began. If memory is short there, "
                "give fewer --workers."
            ) from error
        if problem:
            raise problem[0]
        return worker


@dataclass(frozen=True, slots=True, repr=False)
class _Sealed:
    """Holds what Ray Data carries without showing it.

    Ray Data writes the first object that is no number or text into a log on the node's disk, as it
    shows itself: a film's outcome would show its patient.
    """

    value: Any


class _Network:
    """Scores on a node's GPU what was read anywhere."""

    def __init__(self, plan: BacklogPlan) -> None:
        self._plan = plan
        self._problem: list[CxrError] = []
        try:
            self._scorer = load(plan)
        except CxrError as error:
            self._problem = [error]

    def __call__(self, batch: dict[str, ColumnArray]) -> dict[str, ColumnArray]:
        """Score a block of Ray Data, or say why nothing can be scored on this node."""
        found, films = _opened(batch["found"]), _opened(batch["film"])
        return _column("result", self._problem or score_read(self._scorer, found, films))


class _Worker(_Network):
    """Reads and scores, on a node's core."""

    def problem(self) -> list[CxrError]:
        """Say why nothing can be scored on this node; nothing where all is well."""
        return self._problem

    def score(self, films: list[Found]) -> list[Any]:
        """Score some films, or say why nothing can be scored on this node."""
        return self._problem or score_files(self._scorer, self._plan, films)

    def __call__(self, batch: dict[str, ColumnArray]) -> dict[str, ColumnArray]:
        """Score a block of Ray Data."""
        return _column("result", self.score(_opened(batch["found"])))


class _Reader:
    """Reads and decodes, on a node's core, for a GPU to score."""

    def __init__(self, plan: BacklogPlan) -> None:
        self._plan = plan

    def __call__(self, batch: dict[str, ColumnArray]) -> dict[str, ColumnArray]:
        """Read a block of Ray Data."""
        films = [read(film, self._plan) for film in _opened(batch["found"])]
        return {"found": batch["found"], **_column("film", films)}


def _join() -> None:
    """Join the cluster that RAY_ADDRESS names: Ray's own variable, hence not among our settings."""
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        raise SettingsError(
            "--engine ray needs a running Ray cluster, and RAY_ADDRESS names none. Set it to the "
            "address of the cluster's head, for example RAY_ADDRESS=10.0.0.5:6379."
        )
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # our own sentences say what is wrong
    modules = [str(PROJECT / name) for name in ("cxr_app", "training")]
    try:
        ray.init(
            address=address,
            runtime_env={"py_modules": modules, "excludes": ["**/__pycache__"]},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (OSError, RuntimeError, ValueError, RayError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SettingsError(
            f"The Ray cluster at {address} cannot be joined: {reason} Check RAY_ADDRESS, that the "
            "cluster runs, and that it has the Ray of requirements-ray.txt."
        ) from error
    _quieten()


def _quieten() -> None:
    """Keep Ray Data from drawing beside our own progress bar, and let it go on over what dies."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _column(name: str, values: list[Any]) -> dict[str, ColumnArray]:
    """Make a column of any objects, one a row."""
    column = np.empty(len(values), object)
    column[:] = [_Sealed(value) for value in values]
    return {name: column}


def _opened(column: ColumnArray) -> list[Any]:
    """Take the objects out of a column."""
    return [sealed.value for sealed in column]
