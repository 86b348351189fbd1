"""How much of the time of training goes into the network, and how much beside it."""

import time

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.nn import functional

from cxr_app.preprocessing import InputSpec
from training import engine
from training.heap import keep_freed_memory
from training.recipe import read_recipe

STEPS = 6
WARM_UP = 2


def training_rates(recipe_name: str) -> tuple[float, float]:
    """Measure training, and the same network forward and backward on numbers that are there.

    Returns
    -------
    tuple of float
        Films a second, at the size of the recipe's last stage: the whole step from bytes to new
        weights, and the network alone.
    """
    keep_freed_memory()
    recipe = read_recipe(recipe_name)
    fabric = Fabric(accelerator="cpu", precision="32-true")
    films = np.random.default_rng(0).integers(
        0, 256, (recipe.batch_size * STEPS + 1, recipe.size, recipe.size), dtype=np.uint8
    )
    targets = np.arange(len(films)) % 3
    spec = InputSpec(recipe.size, mean=0.5, standard_deviation=0.25)
    learner = engine.begin(fabric, recipe, spec, steps=2 * (STEPS + WARM_UP))
    order = np.arange(recipe.batch_size * STEPS)
    engine.train_epoch(learner, films, targets, order[: recipe.batch_size * WARM_UP], 0)
    began = time.monotonic()
    engine.train_epoch(learner, films, targets, order, 0)
    whole = len(order) / (time.monotonic() - began)
    return whole, _network_alone(learner, recipe.batch_size)


def _network_alone(learner: engine.Learner, batch_size: int) -> float:
    batch = torch.randn(batch_size, 1, learner.spec.size, learner.spec.size)
    batch = batch.contiguous(memory_format=torch.channels_last)
    targets = torch.arange(batch_size) % len(learner.model.classes)
    learner.model.train()
    began = 0.0
    for step in range(STEPS + WARM_UP):
        if step == WARM_UP:
            began = time.monotonic()
        learner.model.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(learner.model(batch), targets)
        loss.backward()  # type: ignore[no-untyped-call]
    return STEPS * batch_size / (time.monotonic() - began)
