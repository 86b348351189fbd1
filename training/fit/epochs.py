"""A network while it learns: how it begins, and one epoch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from cxr_app.errors import SettingsError
from cxr_app.model import networks
from cxr_app.model.networks import baselines
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from training.data.dataset import Films
from training.data.extra_films import Stack
from training.fit import distributed
from training.fit.recipe import Recipe

Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass(slots=True)
class Learner:
    """A network while it learns.

    Parameters
    ----------
    fabric, recipe, spec
        Where, how and on what kind of input it learns.
    model
        What the gradients move.
    shared
        The same model as all processes learn it together: calling this averages the gradients.
    average
        The running average of its weights: what is measured and kept.
    optimizer, scheduler
        AdamW and its learning rate, stepped once a batch.
    """

    fabric: Fabric
    recipe: Recipe
    spec: InputSpec
    model: GridNetwork
    shared: nn.Module
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


def begin(fabric: Fabric, recipe: Recipe, spec: InputSpec, steps: int) -> Learner:
    """Build a network with its first weights and everything that trains it for so many steps.

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
    follow = _running_average(recipe.average_decay, lambda: int(average.n_averaged))
    average = AveragedModel(model, multi_avg_fn=follow, use_buffers=True)
    shared = distributed.share(fabric, model)
    optimizer = AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    scheduler = _schedule(optimizer, recipe, steps)
    return Learner(fabric, recipe, spec, model, shared, average, optimizer, scheduler)


def _check_sizes(model: GridNetwork, recipe: Recipe) -> None:
    """Refuse films that do not fit the head of a network."""
    wrong = {stage.size for stage in recipe.stages} - {model.size}
    if model.size is not None and wrong:
        raise SettingsError(
            f"{recipe.architecture} reads films of {model.size} pixels a side, the recipe "
            f"{recipe.name} has stages of {', '.join(map(str, sorted(wrong)))}. Change the stages."
        )


def _schedule(optimizer: AdamW, recipe: Recipe, steps: int) -> LRScheduler:
    """Decide the learning rate of every step."""
    if recipe.schedule == "constant":
        return LambdaLR(optimizer, lambda _: 1.0)
    return OneCycleLR(optimizer, max_lr=recipe.learning_rate, total_steps=steps)


def _running_average(
    decay: float, steps_so_far: Callable[[], int]
) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Average exponentially, faster at first so that the random weights are soon forgotten."""

    # The count that comes lies on a GPU, where asking for it would be waiting for all before it.
    def average(averaged: Tensors, current: Tensors, _count: Tensor | int) -> None:
        if not averaged[0].is_floating_point():
            torch._foreach_copy_(averaged, current)  # how many batches were seen
            return
        steps = steps_so_far()
        kept = min(decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(averaged, current, 1 - kept)

    return average


def to_batch(films: Films, device: torch.device) -> Tensor:
    """Turn bytes ``(B, H, W)`` into a batch ``(B, 1, H, W)`` in ``[0, 1]``."""
    batch = torch.from_numpy(np.ascontiguousarray(films))[:, None]
    if device.type == "cuda":
        batch = batch.pin_memory()  # from there it travels while the GPU computes
    return batch.to(device, non_blocking=True).float().div_(255)


def normalise(batch: Tensor, spec: InputSpec) -> Tensor:
    """Apply the input specification, channels last."""
    normal = (batch - spec.mean) / spec.standard_deviation
    return normal.contiguous(memory_format=torch.channels_last)


def train_epoch(
    learner: Learner,
    films: Films | Stack,
    targets: NDArray[np.int64],
    order: NDArray[np.intp],
    epoch: int,
) -> float:
    """Show every film of `order` once, augmented, and return the mean loss.

    All randomness comes from the recipe's seed and the number of the epoch, so an epoch is the
    same whether the run was interrupted before it or not. Of several processes each varies the
    whole batch, which costs little beside the network, and learns from its part of it; only a
    head's dropout is each one's own.
    """
    fabric, recipe = learner.fabric, learner.recipe
    generator = torch.Generator().manual_seed(recipe.seed * 10_007 + epoch)
    chance = _beside_films(generator, fabric.device)
    torch.manual_seed(recipe.seed * 10_007 + epoch + 1_000_003 * fabric.global_rank)
    weights = _class_weights(learner)
    shuffled = order[torch.randperm(len(order), generator=generator).numpy()]
    learner.model.train()
    losses = []
    title = f"Epoch {epoch + 1}/{recipe.epochs}"
    for chosen in _batches(shuffled, recipe.batch_size, title, quiet=not fabric.is_global_zero):
        batch = to_batch(films[chosen], fabric.device)  # (B, 1, H, W)
        batch = recipe.augmentation(batch, chance)
        target = learner.model.own_targets(torch.from_numpy(targets[chosen]))
        loss = _own_loss(learner, batch, target, weights)
        learner.optimizer.zero_grad(set_to_none=True)
        fabric.backward(loss * fabric.world_size)  # which the mean over the processes undoes
        learner.optimizer.step()
        learner.scheduler.step()
        learner.average.update_parameters(learner.model)
        losses.append(loss.detach())
    return float(distributed.total(fabric, torch.stack(losses)).mean())


def _beside_films(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Give a generator where the films are, so that nothing drawn has to travel to them."""
    if generator.device == device:
        return generator
    return torch.Generator(device).manual_seed(generator.initial_seed())


def _own_loss(learner: Learner, batch: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Give what this process's films have of the mean loss of a batch, which may be nothing."""
    own = distributed.own_part(learner.fabric, len(batch))
    with learner.fabric.autocast():
        logits: Tensor = learner.shared(normalise(batch[own], learner.spec))  # (B, C)
    share = float(weights[target[own]].sum() / weights[target].sum())
    return share * _loss(logits.float(), target[own], weights, learner.recipe)


def _class_weights(learner: Learner) -> Tensor:
    """Say what a film of each class counts in the loss, and one with pneumonia of any cause."""
    weights = torch.ones(len(learner.model.classes) + 1)
    weights[0] = learner.recipe.normal_weight
    return weights


def _loss(logits: Tensor, target: Tensor, weights: Tensor, recipe: Recipe) -> Tensor:
    """Give the mean loss of films, or 0 of none; the target on the CPU, which asks nobody."""
    classes = logits.shape[1]
    told = target < classes
    losses = functional.cross_entropy(
        logits,
        target.clamp(max=classes - 1).to(logits.device),
        weight=None if recipe.normal_weight == 1 else weights[:classes].to(logits.device),
        label_smoothing=recipe.label_smoothing,
        reduction="none",
    )
    if not told.all():
        any_cause = _loss_of_any_cause(logits, recipe.label_smoothing)
        losses = torch.where(told.to(logits.device), losses, any_cause)
    return losses.sum() / float(weights[target].sum().clamp_min(1e-9))


def _loss_of_any_cause(logits: Tensor, smoothing: float) -> Tensor:
    """Give the loss of films with pneumonia of which nobody knows the cause, ``(B,)``."""
    shares = functional.log_softmax(logits, dim=1)
    normal, pneumonia = shares[:, 0], shares[:, 1:].logsumexp(dim=1)
    rest = smoothing / logits.shape[1]
    return -(rest * normal + (1 - rest) * pneumonia)


def _batches(
    order: NDArray[np.intp], size: int, title: str, *, quiet: bool = False
) -> Iterator[NDArray[np.intp]]:
    """Cut an order into batches, with progress; a rest too small to normalise by is left out."""
    starts = range(0, len(order) - 1, size)
    for start in tqdm(starts, desc=title, unit="batch", mininterval=5.0, disable=quiet or None):
        yield order[start : start + size]


def steps_in_epoch(films: int, batch_size: int) -> int:
    """Count the batches that `train_epoch` makes of so many films."""
    return len(range(0, films - 1, batch_size))


def recalibrate_batch_norm(model: GridNetwork, batches: Iterable[Tensor]) -> None:
    """Measure the normalisation statistics anew on films as they are.

    Training saw augmented films, which are noisier and softer than real ones; with their
    statistics the network reads real films as clearer than they are, and its probabilities of
    pneumonia come out too low.

    Parameters
    ----------
    model
        Changed in place: its batch normalisation, and no weight that learns.
    batches
        Normalised films ``(B, 1, H, W)``.

    References
    ----------
    Wu and Johnson 2021, section 3 (PreciseBN); Touvron et al. 2019 on the difference itself.
    """
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
    model.train()
    with torch.inference_mode():
        for batch in batches:
            model(batch)
    model.eval()


def logits_of(
    model: GridNetwork, films: Films, chosen: NDArray[np.intp], spec: InputSpec
) -> Tensor:
    """Let a network read films as they are, ``(n, C)`` on the CPU."""
    device = next(model.parameters()).device
    model.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(chosen), 64):
            batch = to_batch(films[chosen[start : start + 64]], device)
            parts.append(model(normalise(batch, spec)).float().cpu())
    return torch.cat(parts) if parts else torch.zeros(0, len(model.classes))


def parameters_of(model: nn.Module) -> int:
    """Count the weights that learn."""
    return sum(weight.numel() for weight in model.parameters())
