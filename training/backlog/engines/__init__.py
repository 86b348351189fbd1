"""Engines that score a backlog: processes of this machine, or the nodes of a cluster.

An engine takes the files to score and returns a result for each, in any order and several at a
time. It stores nothing: the caller does, so that one process alone writes the results file and the
worklist.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the names of the engines must cost nothing
    from collections.abc import Callable

    from training.backlog.engines.contract import BacklogEngine, BacklogPlan

ENGINES = {"local": "training.backlog.engines.local", "ray": "training.backlog.engines.cluster"}
"""Module of each engine, with its function `start`; imported only if the engine is chosen."""


def start(name: str, plan: "BacklogPlan") -> "BacklogEngine":
    """Start an engine by its name; `BacklogEngine.close` ends it.

    Raises
    ------
    SettingsError
        If a requirement is not installed or cannot be reached.
    CheckpointError
        If the weights cannot be used.
    """
    begin: Callable[[BacklogPlan], BacklogEngine] = import_module(ENGINES[name]).start
    return begin(plan)
