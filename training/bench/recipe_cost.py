"""What each recipe costs on a CPU: core-seconds for each film, and memory.

    python -m training.bench.recipe_cost [RECIPE]

Each network that learns is run forward and backward at each size that it learns at, in a process of
its own with one thread. Time of the processor is measured and not of the clock, so that other
programs do not count. The figures are the table ``cost`` of the recipe files; the Retrain page
reckons with them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from cxr_app.errors import CxrError
from cxr_app.jobs.recipe_list import PROJECT_RECIPES
from cxr_app.jobs.recipe_schema import Recipe, Stage
from cxr_app.model import networks
from cxr_app.model.architectures import PARTS_READ
from cxr_app.model.networks.evidence_pyramid import Evidence
from training.fit.crop_training.lesson_settings import LessonSettings
from training.fit.crop_training.member import first_weights
from training.fit.recipe import read_recipe

STEPS = 2
KIB_IN_MIB = 1024


def cost(recipe: Recipe) -> dict[str, float]:
    """Measure a recipe in this process.

    Returns
    -------
    dict of str and float
        ``core_seconds``, for each film in all epochs together, and ``memory_mib``, the peak of the
        process.
    """
    torch.set_num_threads(1)
    seconds = sum(
        stage.epochs * _seconds(network, stage, recipe.batch_size)
        for network, stages in _learners(recipe)
        for stage in stages
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_IN_MIB
    return {
        "core_seconds": round(seconds, 2),
        "memory_mib": round(peak / 100) * 100,
    }


def _learners(recipe: Recipe) -> Iterator[tuple[nn.Module, Sequence[Stage]]]:
    """Yield each network that a recipe trains by itself, and what it learns from."""
    if recipe.architecture in PARTS_READ:
        for _ in PARTS_READ[recipe.architecture]:
            yield first_weights(recipe, LessonSettings()), recipe.stages
    else:
        for member in recipe.members:
            yield networks.build(member.architecture), member.stages


def _seconds(network: nn.Module, stage: Stage, batch_size: int) -> float:
    """Return the seconds of the processor that one film takes in one epoch."""
    network.train().to(memory_format=torch.channels_last)
    batch = torch.rand(batch_size, 1, stage.size, stage.size)
    batch = batch.contiguous(memory_format=torch.channels_last)
    spent = 0.0
    for step in range(STEPS + 1):
        began = time.process_time()
        said: Tensor | Evidence = network(batch)
        logits = said.log_odds if isinstance(said, Evidence) else said
        torch.autograd.backward(logits.square().mean())
        spent += time.process_time() - began if step else 0.0  # the first allocates memory
        network.zero_grad()
    return spent / STEPS / batch_size


def main(arguments: list[str] | None = None) -> int:
    """Measure one recipe, or every one of the project in a process of its own."""
    options = _parser().parse_args(arguments)
    if options.recipe is None:
        _measure_all()
        return 0
    try:
        print(json.dumps(cost(read_recipe(options.recipe))))
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _measure_all() -> None:
    for path in sorted(PROJECT_RECIPES.glob("*.toml")):
        command = [sys.executable, "-m", "training.bench.recipe_cost", path.stem]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        found = subprocess.run(  # noqa: S603 - this program itself
            command, env=environment, capture_output=True, text=True, check=False
        )
        print(path.stem, found.stdout.strip() or found.stderr.strip()[-300:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.bench.recipe_cost",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    help_text = "a name, or the path of a .toml file; default: every recipe of the project"
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help=help_text)
    return parser


if __name__ == "__main__":
    sys.exit(main())
