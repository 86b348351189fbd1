"""Everything that changes while a network is trained: weights, running average, optimiser."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel

from cxr_app.errors import SettingsError
from cxr_app.model import networks
from cxr_app.model.networks import baselines
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from training.fit import distributed
from training.fit.recipe import Recipe

Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass(slots=True)
class TrainingState:
    """A network that is being trained.

    Parameters
    ----------
    fabric, recipe, spec
        Device and processes, recipe, and input of the network.
    model
        The network whose weights the gradients change.
    parallel_model
        The same network as all processes train it together: calling it averages the gradients.
    average
        The running average of its weights, which is measured and kept.
    optimizer, scheduler
        AdamW and its learning rate, both stepped once for each batch.
    """

    fabric: Fabric
    recipe: Recipe
    spec: InputSpec
    model: GridNetwork
    parallel_model: nn.Module
    average: AveragedModel
    optimizer: AdamW
    scheduler: LRScheduler

    @property
    def averaged(self) -> GridNetwork:
        """The network with the averaged weights."""
        averaged = self.average.module
        if not isinstance(averaged, GridNetwork):
            raise TypeError(f"unexpected network {type(averaged)}")
        return averaged


def initial_state(fabric: Fabric, recipe: Recipe, spec: InputSpec, steps: int) -> TrainingState:
    """Build a network with its first weights, and the optimiser for a number of steps.

    Raises
    ------
    SettingsError
        If the network cannot read films of the recipe's sizes, or its weights cannot be loaded.
    """
    torch.manual_seed(recipe.seed)
    model = networks.build(recipe.architecture)
    _check_sizes(model, recipe)
    if recipe.initialisation == "imagenet":
        baselines.load_imagenet(model)
    model = model.to(fabric.device).to(memory_format=torch.channels_last)
    update = _running_average(recipe.average_decay, lambda: int(average.n_averaged))
    average = AveragedModel(model, multi_avg_fn=update, use_buffers=True)
    parallel_model = distributed.parallel(fabric, model)
    optimizer = AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    scheduler = _schedule(optimizer, recipe, steps)
    return TrainingState(fabric, recipe, spec, model, parallel_model, average, optimizer, scheduler)


def _check_sizes(model: GridNetwork, recipe: Recipe) -> None:
    """Refuse film sizes that the head of the network cannot read."""
    wrong = {stage.size for stage in recipe.stages} - {model.size}
    if model.size is not None and wrong:
        raise SettingsError(
            f"{recipe.architecture} reads films of {model.size} pixels a side, the recipe "
            f"{recipe.name} has stages of {', '.join(map(str, sorted(wrong)))}. Change the stages."
        )


def _schedule(optimizer: AdamW, recipe: Recipe, steps: int) -> LRScheduler:
    """Return the learning rate schedule."""
    if recipe.schedule == "constant":
        return LambdaLR(optimizer, lambda _: 1.0)
    return OneCycleLR(optimizer, max_lr=recipe.learning_rate, total_steps=steps)


def _running_average(
    decay: float, steps_so_far: Callable[[], int]
) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Return an exponential average that forgets the random first weights faster."""

    # The given count is on the device of the model; reading it from a GPU waits for all its work.
    def average(averaged: Tensors, current: Tensors, _count: Tensor | int) -> None:
        if not averaged[0].is_floating_point():
            torch._foreach_copy_(averaged, current)  # the counter of batch normalisation
            return
        steps = steps_so_far()
        kept = min(decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(averaged, current, 1 - kept)

    return average
