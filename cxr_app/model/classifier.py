"""One network in memory for everybody: films in, predictions out, from any number of threads."""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cxr_app.errors import CheckpointMismatchError, SettingsError
from cxr_app.lung_fields import LungFields
from cxr_app.model import checkpoint, networks
from cxr_app.model.checkpoint import Checkpoint, Description
from cxr_app.model.networks.base import CLASSES, GlobalAveragePoolingNetwork, GridNetwork
from cxr_app.model.networks.lung_crop import LungCropNetwork
from cxr_app.model.networks.view import ViewNetwork, view_logits, views_of
from cxr_app.model.openvino_backend import accelerate
from cxr_app.model.preprocessing import NetworkInput, to_input
from cxr_app.model.screening import ViewClass
from cxr_app.prediction import ActivationMap, HeatScale, OperatingPoint, Prediction
from cxr_app.radiograph import Image


def choose_device(name: str) -> torch.device:
    """Find the device to run on: the one named, or for ``auto`` CUDA, else MPS, else the CPU.

    Raises
    ------
    SettingsError
        If this machine does not have it.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(name for name in there if there[name]))
    if not there.get(name, False):
        found = ", ".join(name for name in there if there[name])
        raise SettingsError(
            f"CXR_DEVICE is {name!r}, which this machine does not offer; it has {found}. "
            "Set CXR_DEVICE to one of these or to auto."
        )
    return torch.device(name)


def name_of(device: torch.device) -> str:
    """Return a name for the device that the network runs on."""
    if device.type == "cuda":
        return f"GPU · {torch.cuda.get_device_name(device)}"
    return "GPU · Apple" if device.type == "mps" else "CPU"


class Classifier:
    """A checkpoint ready to predict.

    One forward pass at a time: a second one on the same cores would slow both down many times
    over, and the lock costs nothing beside a forward pass. Nothing on the network is ever
    changed after it is built, so the threads cannot disturb each other's results.

    Parameters
    ----------
    source
        The checkpoint.
    device
        Where to run.
    runtime
        What computes the convolutions: ``torch``, or ``openvino`` on a CPU.

    Raises
    ------
    SettingsError
        If the runtime is not installed or does not fit; the message says what to do.
    """

    def __init__(self, source: Checkpoint, device: torch.device, runtime: str = "torch") -> None:
        self.description: Description = source.description
        self.model_version = source.model_version
        self.device_name = name_of(device)
        self._device = device
        self._network = _ready(source, device)
        if runtime == "openvino":
            self._compute_by_openvino()
        self._view_network = _build_view_network(source, device)
        self._lock = threading.Lock()

    def _compute_by_openvino(self) -> None:
        if self._device.type != "cpu":
            raise SettingsError(
                f"CXR_RUNTIME is 'openvino', which runs on the CPU; CXR_DEVICE chose "
                f"{self._device.type}. Set CXR_DEVICE=cpu or CXR_RUNTIME=torch."
            )
        accelerate(self._network, self.description.input_spec.size)
        self.device_name += " · OpenVINO"

    @classmethod
    def load(cls, path: Path, device: str = "auto", runtime: str = "torch") -> Self:
        """Read a checkpoint and put it on a device.

        Raises
        ------
        CheckpointError
            If the file cannot be used.
        SettingsError
            If the device is not there, or the runtime does not fit.
        """
        return cls(checkpoint.load(path), choose_device(device), runtime)

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        """``balanced`` and ``high_sensitivity``, chosen for these weights."""
        return self.description.operating_points

    @property
    def heat_scale(self) -> HeatScale:
        """What every heatmap of these weights is drawn on."""
        return self.description.heat_scale

    def prepare(self, image: Image) -> NetworkInput:
        """Make the network's input of a film; needs no lock and no device."""
        return to_input(image, self.description.input_spec)

    def views(self, inputs: Sequence[NetworkInput]) -> list[ViewClass]:
        """Return what the pictures of `prepare` show.

        Without a view network in the checkpoint, every picture counts as an upright film.
        """
        spec, input_spec = self.description.screening, self.description.input_spec
        if not inputs or self._view_network is None or spec is None:
            return [ViewClass.UPRIGHT] * len(inputs)
        batch = torch.from_numpy(np.stack(inputs))[:, None].to(self._device)
        pictures = (batch * input_spec.standard_deviation + input_spec.mean).clamp(0, 1)
        with self._lock, torch.inference_mode():
            return views_of(view_logits(self._view_network, pictures, spec), spec)

    def predict(self, inputs: Sequence[NetworkInput]) -> list[Prediction]:
        """Predict for films that `prepare` made ready, together in one forward pass."""
        if not inputs:
            return []
        batch = torch.from_numpy(np.stack(inputs))[:, None]  # (B, 1, H, W)
        with self._lock, torch.inference_mode():
            reading = read_films(self._network, _on_device(batch, self._device))
        logits, raw = reading.logits.cpu(), reading.maps.cpu()
        temperature = self.description.temperature
        threshold = self.operating_points["balanced"].threshold
        probabilities = (logits.double() / temperature).softmax(dim=1).numpy()
        relative = not self._network.map_is_log_odds
        maps = evidence(raw, logits, temperature, threshold, relative=relative).numpy()
        found = (
            _prediction(probability, activation_map, self.model_version, self.heat_scale)
            for probability, activation_map in zip(probabilities, maps, strict=True)
        )
        return [
            replace(prediction, lungs=lungs)
            for prediction, lungs in zip(found, reading.lungs, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class BatchReading:
    """What a network says of a batch of films, in one forward pass.

    Parameters
    ----------
    logits
        ``(B, C)``, before the temperature.
    maps
        Evidence on a grid that divides the film evenly, ``(B, h, w)``.
    lungs
        Where it found the lungs; None from networks that do not look for them.
    """

    logits: Tensor
    maps: Tensor
    lungs: Sequence[LungFields | None]


def read_films(source: GridNetwork, batch: Tensor) -> BatchReading:
    """Read normalised films ``(B, 1, H, W)``."""
    if isinstance(source, LungCropNetwork):
        reading = source.read(batch)
        return BatchReading(reading.logits, reading.evidence, reading.lungs)
    logits, maps = forward_with_map(source, batch)
    return BatchReading(logits, maps, [None] * len(batch))


def forward_with_map(source: GridNetwork, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Read films: logits, and where they come from, in one forward pass.

    Parameters
    ----------
    batch
        Normalised films, ``(B, 1, H, W)``.

    Returns
    -------
    logits
        ``(B, C)``, before the temperature.
    raw
        Class activation maps on an even grid, ``(B, 2 h, 2 w)``.
    """
    features = source.features(batch)  # (B, K, h, w)
    logits: Tensor = source.classify(features)  # (B, C)
    if isinstance(source, LungCropNetwork):
        return logits, features[:, 0]
    maps = relevance(source, features, logits)
    return logits, resample_evenly(maps, source, size=batch.shape[-1])


def log_odds(logits: Tensor) -> Tensor:
    """Log-odds of pneumonia against normal, ``(B, C) -> (B,)``."""
    return torch.logsumexp(logits[:, 1:], dim=1) - logits[:, 0]


def relevance(source: GridNetwork, features: Tensor, logits: Tensor) -> Tensor:
    """Compute the evidence for pneumonia of each cell, ``(B, h, w)`` in log-odds."""
    if isinstance(source, GlobalAveragePoolingNetwork):
        return class_activation_map(features, logits, source.linear.weight)
    return gradient_map(source, features)


def gradient_map(source: GridNetwork, features: Tensor) -> Tensor:
    """Compute it for a network with any head, by a backward pass through that head alone.

    Grad-CAM of the log-odds of pneumonia before its rectifier, times the number of cells: on the
    scale of `class_activation_map`, and equal to it where both can be had. Nothing is kept on the
    network, so threads cannot disturb each other.

    References
    ----------
    Selvaraju et al. 2017, eq. 1.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        seen = features.detach().clone().requires_grad_()
        said = log_odds(source.classify(seen))
        (gradient,) = torch.autograd.grad(said.sum(), seen)
    return torch.einsum("bkhw,bk->bhw", features, gradient.sum(dim=(2, 3)))


def class_activation_map(features: Tensor, logits: Tensor, weight: Tensor) -> Tensor:
    """Compute the evidence for pneumonia of each cell from the forward pass alone.

    Grad-CAM of the log-odds of pneumonia weighs each feature by the mean of its gradient. Behind
    an average and one linear layer that gradient is the same in every cell and known without a
    backward pass: the bacterial and the viral row of `weight`, each by its share, less the normal
    row. So this is Grad-CAM before its rectifier, times the number of cells. The cells' mean and
    the layer's bias make up the log-odds.

    Parameters
    ----------
    features
        ``(B, K, h, w)``.
    logits
        ``(B, 3)``.
    weight
        Of the linear layer, ``(3, K)``.

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


def evidence(
    raw: Tensor, logits: Tensor, temperature: float, threshold: float, *, relative: bool = True
) -> Tensor:
    """Map class activation maps to the scale of `Prediction.activation_map`.

    The cells of a map come to average the film's calibrated log-odds above the threshold: a cell
    above 0 speaks for a flag by itself. This moves and stretches all maps alike, never one alone.

    Parameters
    ----------
    raw, logits
        From `forward_with_map`: ``(B, h, w)`` and ``(B, C)``.
    relative
        Whether `raw` is defined up to a constant, so that its mean is set to the film's log-odds;
        not so if `GridNetwork.map_is_log_odds`.

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
    grid = torch.stack([x, y], dim=-1).expand(len(maps), -1, -1, -1)  # (B, 2h, 2w, 2)
    resampled: Tensor = functional.grid_sample(maps[:, None], grid, align_corners=True)
    return resampled[:, 0]


def _prediction(
    probability: NDArray[np.float64],
    activation_map: ActivationMap,
    model_version: str,
    heat_scale: HeatScale,
) -> Prediction:
    """Build a prediction from the probabilities of classes; not every network knows causes."""
    if len(probability) == len(CLASSES):
        _, bacterial, viral = map(float, probability)
        return Prediction(bacterial, viral, activation_map, model_version, heat_scale=heat_scale)
    undivided = float(probability[1])
    return Prediction(None, None, activation_map, model_version, undivided, heat_scale)


def _ready(source: Checkpoint, device: torch.device) -> GridNetwork:
    """Build the network of a checkpoint, for reading only."""
    ready = networks.build(source.description.architecture)
    if source.description.classes != ready.classes:
        raise CheckpointMismatchError(
            f"The checkpoint's classes are {source.description.classes}, its architecture's are "
            f"{ready.classes}. Use a checkpoint that training.train made."
        )
    checkpoint.fill(ready, source.weights)
    ready.requires_grad_(requires_grad=False).eval()
    return ready.to(device).to(memory_format=torch.channels_last)


def _build_view_network(source: Checkpoint, device: torch.device) -> ViewNetwork | None:
    """Build the network that tells what a picture shows, where the checkpoint has one."""
    if source.description.screening is None:
        return None
    ready = ViewNetwork()
    checkpoint.fill(ready, source.screening_weights)
    return ready.requires_grad_(requires_grad=False).eval().to(device)


def _on_device(batch: Tensor, device: torch.device) -> Tensor:
    """Move films to the network's device, channels last, which is fastest on a CPU."""
    return batch.to(device).contiguous(memory_format=torch.channels_last)
