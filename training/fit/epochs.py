"""One epoch of training, and reading films with a network."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.preprocessing import InputSpec
from training.data.augmentation import Augmentation
from training.data.dataset import Films
from training.data.extra_films import StackedFilms
from training.fit import distributed
from training.fit.batches import normalise, to_batch
from training.fit.loss import class_weights, mean_loss
from training.fit.training_state import TrainingState


def train_epoch(
    state: TrainingState,
    films: Films | StackedFilms,
    targets: NDArray[np.int64],
    order: NDArray[np.intp],
    epoch: int,
) -> float:
    """Show every film of `order` once, augmented, and return the mean loss.

    All randomness comes from the recipe's seed and the number of the epoch, so an epoch is the
    same whether the run was interrupted before it or not. Each of several processes augments the
    whole batch, which costs little beside the network, and trains on its part of it; only the
    dropout of a head differs between processes.
    """
    fabric, recipe = state.fabric, state.recipe
    generator = torch.Generator().manual_seed(recipe.seed * 10_007 + epoch)
    film_generator = _on_device(generator, fabric.device)
    torch.manual_seed(recipe.seed * 10_007 + epoch + 1_000_003 * fabric.global_rank)
    augment = Augmentation.within(recipe.augmentation)
    weights = class_weights(recipe, len(state.model.classes))
    shuffled = order[torch.randperm(len(order), generator=generator).numpy()]
    state.model.train()
    losses = []
    title = f"Epoch {epoch + 1}/{recipe.epochs}"
    for chosen in _batches(shuffled, recipe.batch_size, title, quiet=not fabric.is_global_zero):
        batch = augment(to_batch(films[chosen], fabric.device), film_generator)  # (B, 1, H, W)
        target = state.model.own_targets(torch.from_numpy(targets[chosen]))
        loss = _own_loss(state, batch, target, weights)
        _step(state, loss)
        losses.append(loss.detach())
    return float(distributed.total(fabric, torch.stack(losses)).mean())


def _step(state: TrainingState, loss: Tensor) -> None:
    """Change the weights and their average by the gradients of a loss."""
    state.optimizer.zero_grad(set_to_none=True)
    # Processes average their gradients; the factor makes that a sum.
    state.fabric.backward(loss * state.fabric.world_size)
    state.optimizer.step()
    state.scheduler.step()
    state.average.update_parameters(state.model)


def _on_device(generator: torch.Generator, device: torch.device) -> torch.Generator:
    """Return a generator on the device of the films, so that no random number is copied."""
    if generator.device == device:
        return generator
    return torch.Generator(device).manual_seed(generator.initial_seed())


def _own_loss(state: TrainingState, batch: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Compute what this process's films, possibly none, add to the mean loss of a batch."""
    own = distributed.own_part(state.fabric, len(batch))
    with state.fabric.autocast():
        logits: Tensor = state.parallel_model(normalise(batch[own], state.spec))  # (B, C)
    share = float(weights[target[own]].sum() / weights[target].sum())
    return share * mean_loss(logits.float(), target[own], weights, state.recipe)


def _batches(
    order: NDArray[np.intp], size: int, title: str, *, quiet: bool = False
) -> Iterator[NDArray[np.intp]]:
    """Yield batches with progress; a last single film, too few to normalise by, is left out."""
    starts = range(0, len(order) - 1, size)
    for start in tqdm(starts, desc=title, unit="batch", mininterval=5.0, disable=quiet or None):
        yield order[start : start + size]


def steps_in_epoch(films: int, batch_size: int) -> int:
    """Return the number of batches that `train_epoch` makes of a number of films."""
    return len(range(0, films - 1, batch_size))


def recalibrate_batch_norm(model: GridNetwork, batches: Iterable[Tensor]) -> None:
    """Measure the statistics of batch normalisation again, on films without augmentation.

    Augmented films are noisier and softer than real ones. With their statistics the network reads
    real films as clearer than they are, and its probabilities of pneumonia are too low.

    Parameters
    ----------
    model
        Changed in place: the statistics of its batch normalisation, and none of its weights.
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
    """Compute the logits of films without augmentation, ``(n, C)`` on the CPU."""
    device = next(model.parameters()).device
    model.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(chosen), 64):
            batch = to_batch(films[chosen[start : start + 64]], device)
            parts.append(model(normalise(batch, spec)).float().cpu())
    return torch.cat(parts) if parts else torch.zeros(0, len(model.classes))


def parameters_of(model: nn.Module) -> int:
    """Return the number of weights."""
    return sum(weight.numel() for weight in model.parameters())
