"""Who scores a backlog: processes of this machine, or the nodes of a cluster.

An engine is given the films to score and gives back what became of each, in any order and several
at once. It writes nothing down: whoever asked does, so that one process alone holds the results
file and the worklist.
"""

from collections.abc import Callable
from importlib import import_module

from training.backlog.engines.contract import (
    AlreadyScored,
    BacklogEngine,
    BacklogPlan,
    Found,
    Result,
    ScoredFile,
    is_another,
    score_files,
)

__all__ = [
    "ENGINES",
    "AlreadyScored",
    "BacklogEngine",
    "BacklogPlan",
    "Found",
    "Result",
    "ScoredFile",
    "is_another",
    "score_files",
    "start",
]

ENGINES = {"local": "training.backlog.engines.local", "ray": "training.backlog.engines.cluster"}
"""The module of each engine, with its function `start`; imported only when it is asked for."""


def start(name: str, plan: BacklogPlan) -> BacklogEngine:
    """Start an engine by its name; `BacklogEngine.close` ends it.

    Raises
    ------
    SettingsError
        If what it needs is not installed or cannot be reached; the message says what to do.
    CheckpointError
        If the weights cannot be used.
    """
    begin: Callable[[BacklogPlan], BacklogEngine] = import_module(ENGINES[name]).start
    return begin(plan)
