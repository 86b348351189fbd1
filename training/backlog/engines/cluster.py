"""Scoring by the nodes of an existing Ray cluster: Ray Data distributes films, collects results.

Every node sees the films and the checkpoint under the same paths as this machine and has this
program's requirements installed. The program itself is sent along, so that all nodes run the same
code. A worker loads the network once. The films of a worker or node that dies are scored by
another. If a file ends every worker that reads it, only that file fails.
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
from cxr_app.examined import refusal, unreadable
from cxr_app.settings import PROJECT
from training.backlog.engines.contract import BacklogPlan, FoundFile, Result, ScoredFile
from training.backlog.engines.file_scoring import (
    load_scorer,
    read_file,
    score_examined,
    score_files,
)
from training.backlog.engines.local import BATCH_ON_GPU, ENDED_BY

try:
    import ray
    import ray.data
    from ray.exceptions import RayActorError, RayError
    from ray.util.annotations import RayDeprecationWarning
except ImportError as error:
    raise SettingsError(
        "--engine ray needs Ray, which is not installed here. Run: "
        "pip install -r requirements-ray.txt, here and on every node, or leave out the option."
    ) from error

BATCH_ON_CPU = 16
"""Films in a task; handing one out costs more than `local.BATCH_ON_CPU` films would repay."""
TRIES = 1
"""How often the films of a dead worker go to another worker in one batch.

Films that have ended two workers are then scored one by one.
"""

ColumnArray = NDArray[Any]


def start(plan: BacklogPlan) -> "RayEngine":
    """Join the cluster; see `RayEngine`."""
    return RayEngine(plan)


class RayEngine:
    """Scores films with all nodes of a cluster.

    Parameters
    ----------
    plan
        The model and its settings; `workers` counts the processes of the whole cluster.

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

    def score(self, found: Iterable[FoundFile]) -> Iterator[list[Result]]:
        """Score films, each exactly once and in any order; yield results as they are ready."""
        films = list(found)
        if not films:
            return
        left = {film.source: film for film in films}
        for results in self._pass(films):
            yield [result for result in results if left.pop(result.found.source, None)]
        if left:
            yield from self._one_by_one(list(left.values()))

    def close(self) -> None:
        """Leave the cluster, which frees the resources of the run."""
        ray.shutdown()

    def _pass(self, films: list[FoundFile]) -> Iterator[list[Result]]:
        """Score all films on the cluster; those that ended their workers do not come back."""
        rows = [{"found": _Sealed(film)} for film in films]
        blocks = -(-len(films) // self._batch_size)
        dataset = ray.data.from_items(rows, override_num_blocks=blocks)
        for batch in self._work(dataset).iter_batches(batch_size=None, batch_format="numpy"):
            results = _unsealed(batch["result"])
            for problem in results:
                if isinstance(problem, CxrError):
                    raise problem
            yield results

    def _work(self, dataset: "ray.data.Dataset") -> "ray.data.Dataset":
        """Assign the work: if there are GPUs, cores read and decode, and GPUs score."""
        if not self._gpus:
            return self._map(dataset, _Worker, self._workers, num_cpus=1)
        read_films = self._map(dataset, _Reader, self._workers, num_cpus=1)
        return self._map(read_films, _Network, self._gpus, num_cpus=0, num_gpus=1)

    def _map(
        self, dataset: "ray.data.Dataset", worker: type, count: int, **needs: Any
    ) -> "ray.data.Dataset":
        with warnings.catch_warnings():
            # Ray Data has no other way to limit how often a file that ends its worker is tried.
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

    def _one_by_one(self, films: list[FoundFile]) -> Iterator[list[Result]]:
        """Score the films of dead workers one by one."""
        worker = None
        for film in films:
            worker = worker or self._start_worker()
            try:
                yield ray.get(worker.score.remote([film]))
            except RayActorError:
                worker = None
                yield [ScoredFile(film, refusal(unreadable(ENDED_BY)))]

    def _start_worker(self) -> Any:
        """Start one more worker, and wait until it has loaded the network."""
        core, gpu = (0, 1) if self._gpus else (1, 0)
        worker: Any = ray.remote(_Worker).options(num_cpus=core, num_gpus=gpu).remote(self._plan)
        try:
            problem = ray.get(worker.problem.remote())
        except RayActorError as error:
            raise SettingsError(
                "A worker of the Ray cluster ended before it began. If memory is short there, "
                "use fewer --workers."
            ) from error
        if problem:
            raise problem[0]
        return worker


@dataclass(frozen=True, slots=True, repr=False)
class _Sealed:
    """Wrapper without a repr for the objects that Ray Data carries.

    Ray Data logs the repr of the first object that is neither number nor text on the node's disk;
    the repr of an outcome names the patient.
    """

    value: Any


class _Network:
    """Scores on a node's GPU; any node may have read the films."""

    def __init__(self, plan: BacklogPlan) -> None:
        self._plan = plan
        self._problem: list[CxrError] = []
        try:
            self._scorer = load_scorer(plan)
        except CxrError as error:
            self._problem = [error]

    def __call__(self, batch: dict[str, ColumnArray]) -> dict[str, ColumnArray]:
        """Score a block of Ray Data, or return why this node cannot score."""
        found, films = _unsealed(batch["found"]), _unsealed(batch["film"])
        return _column("result", self._problem or score_examined(self._scorer, found, films))


class _Worker(_Network):
    """Reads and scores, on a node's core."""

    def problem(self) -> list[CxrError]:
        """Return why this node cannot score; empty if it can."""
        return self._problem

    def score(self, films: list[FoundFile]) -> list[Any]:
        """Score some films, or return why this node cannot score."""
        return self._problem or score_files(self._scorer, self._plan, films)

    def __call__(self, batch: dict[str, ColumnArray]) -> dict[str, ColumnArray]:
        """Score a block of Ray Data."""
        return _column("result", self.score(_unsealed(batch["found"])))


class _Reader:
    """Reads and decodes, on a node's core, for a GPU to score."""

    def __init__(self, plan: BacklogPlan) -> None:
        self._plan = plan

    def __call__(self, batch: dict[str, ColumnArray]) -> dict[str, ColumnArray]:
        """Read a block of Ray Data."""
        films = [read_file(film, self._plan) for film in _unsealed(batch["found"])]
        return {"found": batch["found"], **_column("film", films)}


def _join() -> None:
    """Join the cluster in RAY_ADDRESS, which is Ray's own variable and no setting of ours."""
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        raise SettingsError(
            "--engine ray needs a running Ray cluster, and RAY_ADDRESS names none. Set it to the "
            "address of the cluster's head, for example RAY_ADDRESS=10.0.0.5:6379."
        )
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # our own messages say what is wrong
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
            f"cluster runs, and that it has the Ray of requirements-ray.txt.{_token_advice()}"
        ) from error
    _configure_ray_data()


def _token_advice() -> str:
    """Return what a cluster that asks for a token needs; empty if it is set already."""
    if os.environ.get("RAY_AUTH_MODE") == "token":
        return ""
    return " If it asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here, too."


def _configure_ray_data() -> None:
    """Turn off Ray Data's progress bars and logs, and let it continue after errors."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _column(name: str, values: list[Any]) -> dict[str, ColumnArray]:
    """Build a column of arbitrary objects, one a row."""
    column = np.empty(len(values), object)
    column[:] = [_Sealed(value) for value in values]
    return {name: column}


def _unsealed(column: ColumnArray) -> list[Any]:
    """Return the objects of a column."""
    return [sealed.value for sealed in column]
