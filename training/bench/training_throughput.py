"""Throughput of training, and of its network alone."""

import time

import numpy as np
import torch
from torch.nn import functional

from cxr_app.freed_memory import keep_freed_memory
from cxr_app.model.preprocessing import InputSpec
from training.fit import distributed, epochs
from training.fit.recipe import read_recipe
from training.fit.training_state import TrainingState, initial_state

SECONDS = 4.0
"""Approximate duration of each of the two measurements."""
LEAST_STEPS = 6
WARM_UP = 3
"""Steps that are not timed: kernels are chosen and memory is allocated."""


def training_rates(recipe_name: str, device: str) -> tuple[float, float]:
    """Measure training, and the same network forward and backward on a prepared batch.

    Both run as in `training.train`: on the same device, in the same precision.

    Parameters
    ----------
    recipe_name
        Recipe with the network, batches and augmentation; of a joined network its first member.
    device
        As `CXR_DEVICE`.

    Returns
    -------
    tuple of float
        Films a second, at the size of the recipe's last stage: the complete step from bytes to new
        weights, and the network alone.
    """
    keep_freed_memory()
    recipe = read_recipe(recipe_name).members[0]
    state = initial_state(
        distributed.set_up(device),
        recipe,
        InputSpec(recipe.size, mean=0.5, standard_deviation=0.25),
        steps=1_000_000,
    )
    _network_alone(state, WARM_UP)
    step = _network_alone(state, LEAST_STEPS) / LEAST_STEPS
    steps = max(LEAST_STEPS, round(SECONDS / step))
    _whole(state, WARM_UP)
    films = recipe.batch_size * steps
    return films / _whole(state, steps), films / _network_alone(state, steps)


def _whole(state: TrainingState, steps: int) -> float:
    """Train for `steps` steps, and return the seconds they take."""
    recipe = state.recipe
    films = np.random.default_rng(0).integers(
        0, 256, (recipe.batch_size + 1, recipe.size, recipe.size), dtype=np.uint8
    )
    targets = np.arange(len(films)) % 3
    order = np.resize(np.arange(recipe.batch_size), recipe.batch_size * steps)
    began = time.monotonic()
    epochs.train_epoch(state, films, targets, order, 0)
    return time.monotonic() - began


def _network_alone(state: TrainingState, steps: int) -> float:
    """Run the network forward and backward `steps` times, and return the seconds."""
    device, count = state.fabric.device, state.recipe.batch_size
    batch = torch.randn(count, 1, state.spec.size, state.spec.size, device=device)
    batch = batch.contiguous(memory_format=torch.channels_last)
    targets = torch.arange(count, device=device) % len(state.model.classes)
    state.model.train()
    began = time.monotonic()
    for _ in range(steps):
        state.model.zero_grad(set_to_none=True)
        with state.fabric.autocast():
            logits = state.model(batch)
        loss = functional.cross_entropy(logits.float(), targets)
        state.fabric.backward(loss)
    float(loss.detach())  # wait for the GPU
    return time.monotonic() - began
