"""Where on a film a network found evidence of pneumonia, and how much."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cxr_app.lung_fields import LungFields
from cxr_app.model.networks.base import GlobalAveragePoolingNetwork, GridNetwork
from cxr_app.model.networks.lung_crop import LungCropNetwork


@dataclass(frozen=True, slots=True)
class BatchReading:
    """Logits and evidence of a batch of films, from one forward pass.

    Parameters
    ----------
    logits
        ``(B, C)``, before the temperature.
    maps
        Evidence on a grid that divides the film evenly, ``(B, h, w)``.
    lungs
        Where the network found the lungs; None for networks that do not look for them.
    """

    logits: Tensor
    maps: Tensor
    lungs: Sequence[LungFields | None]


def forward_with_map(source: GridNetwork, batch: Tensor) -> BatchReading:
    """Compute logits and the evidence behind them, in one forward pass.

    Parameters
    ----------
    batch
        Normalised films, ``(B, 1, H, W)``.
    """
    if isinstance(source, LungCropNetwork):
        reading = source.read(batch)
        return BatchReading(reading.logits, reading.evidence, reading.lungs)
    features = source.features(batch)  # (B, K, h, w)
    logits: Tensor = source.classify(features)  # (B, C)
    maps = relevance(source, features, logits)
    even = resample_evenly(maps, source, size=batch.shape[-1])  # (B, 2 h, 2 w)
    return BatchReading(logits, even, [None] * len(batch))


def log_odds(logits: Tensor) -> Tensor:
    """Return the log-odds of pneumonia against normal, ``(B, C) -> (B,)``."""
    return torch.logsumexp(logits[:, 1:], dim=1) - logits[:, 0]


def relevance(source: GridNetwork, features: Tensor, logits: Tensor) -> Tensor:
    """Compute the evidence for pneumonia of each cell, ``(B, h, w)`` in log-odds."""
    if isinstance(source, GlobalAveragePoolingNetwork):
        return class_activation_map(features, logits, source.linear.weight)
    return gradient_map(source, features)


def gradient_map(source: GridNetwork, features: Tensor) -> Tensor:
    """Compute the evidence of each cell under any head, by a backward pass through the head alone.

    This is Grad-CAM of the log-odds of pneumonia before its rectifier, times the number of cells:
    on the scale of `class_activation_map`, and equal to it for a network that has both. The network
    keeps no state, so threads cannot disturb each other.

    References
    ----------
    Selvaraju et al. 2017, eq. 1.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        leaf = features.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(log_odds(source.classify(leaf)).sum(), leaf)
    return torch.einsum("bkhw,bk->bhw", features, gradient.sum(dim=(2, 3)))


def class_activation_map(features: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    """Compute the evidence for pneumonia of each cell from the forward pass alone.

    Grad-CAM of the log-odds of pneumonia weights each feature by the mean of its gradient. If the
    head is an average and one linear layer, that gradient is the same in every cell and needs no
    backward pass: it is the bacterial and the viral row of `weight`, weighted by their shares,
    minus the normal row. The result is Grad-CAM before its rectifier, times the number of cells;
    the mean of the cells plus the bias of the layer is the log-odds.

    Parameters
    ----------
    features
        ``(B, K, h, w)``.
    logits
        ``(B, 3)``.
    weight
        Weights of the linear layer, ``(3, K)``.

    Returns
    -------
    Tensor
        ``(B, h, w)``, in log-odds.

    References
    ----------
    Zhou et al. 2016, eq. 2; Selvaraju et al. 2017, eq. 1 and section 3.1.
    """
    share = logits[:, 1:].softmax(dim=1)  # (B, 2): bacterial and viral, given pneumonia
    direction = share @ weight[1:] - weight[0]  # (B, K)
    return torch.einsum("bkhw,bk->bhw", features, direction)


def to_activation_map(
    raw: Tensor, logits: Tensor, temperature: float, threshold: float, *, relative: bool = True
) -> Tensor:
    """Scale evidence to that of `Prediction.activation_map`.

    The mean of a scaled map is the film's calibrated log-odds above the threshold: a cell above 0
    is in favour of a flag by itself. All maps are scaled alike; none is stretched by itself.

    Parameters
    ----------
    raw, logits
        From `forward_with_map`: ``(B, h, w)`` and ``(B, C)``.
    relative
        Whether `raw` is defined only up to a constant, so that its mean is set to the film's
        log-odds; False for a network with `GridNetwork.map_is_log_odds`.

    Returns
    -------
    Tensor
        ``float32``, ``(B, h, w)``.
    """
    bar = math.log(threshold / (1 - threshold))
    if not relative:
        return (raw / temperature - bar).float()
    film = log_odds(logits.double() / temperature) - bar  # (B,)
    centred = (raw - raw.mean(dim=(1, 2), keepdim=True)) / temperature
    return centred.float() + film.float()[:, None, None]


def resample_evenly(maps: Tensor, source: GridNetwork, size: int) -> Tensor:
    """Resample evidence from a network's own grid to one that divides the film evenly.

    Strides and padding decide where the cells of a convolutional grid lie: those of ResNet-18 are
    half a cell (7 % of the film) above and to the left of an even division. Drawn without
    resampling, they would mark the wrong place.

    Parameters
    ----------
    maps
        ``(B, h, w)``.
    source
        The network that computed them; it knows where its cells lie.
    size
        Side of its input in pixels.

    Returns
    -------
    Tensor
        ``(B, 2 h, 2 w)``: cell ``i`` has its middle at ``(i + 0.5) / (2 h)`` of the film's height.
        No value exceeds the range of `maps`.
    """
    _, h, w = maps.shape
    axes = []
    for cells in (h, w):
        middles = (torch.arange(2 * cells, device=maps.device) + 0.5) * size / (2 * cells)
        place = ((middles - source.first) / source.spacing).clamp(0, cells - 1)
        axes.append(2 * place / max(cells - 1, 1) - 1)
    y, x = torch.meshgrid(*axes, indexing="ij")
    grid = torch.stack([x, y], dim=-1).expand(maps.shape[0], -1, -1, -1)  # (B, 2h, 2w, 2)
    resampled: Tensor = functional.grid_sample(maps[:, None], grid, align_corners=True)
    return resampled[:, 0]
