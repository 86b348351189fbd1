"""The loss that a recipe minimises."""

import torch
from torch import Tensor
from torch.nn import functional

from training.fit.recipe import Recipe


def class_weights(recipe: Recipe, classes: int) -> Tensor:
    """Return the weight of a film of each class, and last of pneumonia of unknown cause."""
    weights = torch.ones(classes + 1)
    weights[0] = recipe.normal_weight
    return weights


def mean_loss(logits: Tensor, target: Tensor, weights: Tensor, recipe: Recipe) -> Tensor:
    """Compute the weighted mean loss of films; 0 if there are none.

    Parameters
    ----------
    logits
        ``(B, C)``.
    target
        ``(B,)``, classes or C for pneumonia of unknown cause. On the CPU, so that nothing has to
        wait for a GPU.
    weights
        As `class_weights`.
    """
    classes = logits.shape[1]
    cause_known = target < classes
    losses = functional.cross_entropy(
        logits,
        target.clamp(max=classes - 1).to(logits.device),
        weight=None if recipe.normal_weight == 1 else weights[:classes].to(logits.device),
        label_smoothing=recipe.label_smoothing,
        reduction="none",
    )
    if not cause_known.all():
        any_cause = _pneumonia_loss(logits, recipe.label_smoothing)
        losses = torch.where(cause_known.to(logits.device), losses, any_cause)
    return losses.sum() / float(weights[target].sum().clamp_min(1e-9))


def _pneumonia_loss(logits: Tensor, smoothing: float) -> Tensor:
    """Compute the loss of films with pneumonia of unknown cause, ``(B,)``."""
    log_probabilities = functional.log_softmax(logits, dim=1)
    normal, pneumonia = log_probabilities[:, 0], log_probabilities[:, 1:].logsumexp(dim=1)
    rest = smoothing / logits.shape[1]
    return -(rest * normal + (1 - rest) * pneumonia)
