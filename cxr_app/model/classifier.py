"""A network ready to predict, shared by any number of threads."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_app.errors import CheckpointMismatchError, SettingsError
from cxr_app.model import checkpoint, networks
from cxr_app.model.checkpoint import Checkpoint, Description
from cxr_app.model.device import choose_device, device_name
from cxr_app.model.evidence import forward_with_map, to_activation_map
from cxr_app.model.networks.base import CLASSES, GridNetwork
from cxr_app.model.networks.view import ViewNetwork, view_logits, views_of
from cxr_app.model.openvino_backend import accelerate, is_installed
from cxr_app.model.preprocessing import NetworkInput, to_input
from cxr_app.model.screening import ViewClass
from cxr_app.model.site_prevalence import at_prevalence
from cxr_app.prediction import ActivationMap, HeatScale, OperatingPoint, Prediction
from cxr_app.radiograph import Image


class Classifier:
    """A checkpoint ready to predict.

    It makes one forward pass at a time: a second one on the same cores would slow both down many
    times over, and a lock costs nothing compared to a forward pass. The network is never changed
    after it is built, so threads cannot disturb each other's results.

    Parameters
    ----------
    source
        The checkpoint.
    device
        The device to run on.
    runtime
        The library that computes the convolutions: ``torch``, ``openvino`` on a CPU, or ``auto``:
        OpenVINO on a CPU where it is installed and can run the network, else PyTorch.

    Raises
    ------
    SettingsError
        If the runtime is not installed or does not run on this device.
    """

    def __init__(self, source: Checkpoint, device: torch.device, runtime: str = "torch") -> None:
        self.description: Description = source.description
        self.model_version = source.model_version
        self.file_version = source.file_version
        self.site_prevalence = source.site_prevalence
        self.device_name = device_name(device)
        self._device = device
        self._network = _ready(source, device)
        if runtime == "openvino":
            self._compute_by_openvino()
        elif runtime == "auto" and device.type == "cpu" and is_installed():
            with suppress(SettingsError):
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
    def load(
        cls,
        path: Path,
        device: str = "auto",
        runtime: str = "torch",
        prevalence: float | None = None,
    ) -> Self:
        """Read a checkpoint and put it on a device.

        Parameters
        ----------
        prevalence
            As `site_prevalence.at_prevalence` takes it.

        Raises
        ------
        CheckpointError
            If the file cannot be used.
        SettingsError
            If this machine does not have the device, the runtime does not run on it, or the
            checkpoint states no prevalence of its own.
        """
        source = at_prevalence(checkpoint.load(path), prevalence)
        return cls(source, choose_device(device), runtime)

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        """``balanced`` and ``high_sensitivity``, chosen for these weights."""
        return self.description.operating_points

    @property
    def heat_scale(self) -> HeatScale:
        """The scale of every heatmap of these weights."""
        return self.description.heat_scale

    def prepare(self, image: Image) -> NetworkInput:
        """Return the network's input for a film; needs no lock and no device."""
        return to_input(image, self.description.input_spec)

    def views(self, inputs: Sequence[NetworkInput]) -> list[ViewClass]:
        """Classify what prepared films show.

        If the checkpoint has no view network, every film counts as upright.
        """
        spec, input_spec = self.description.screening, self.description.input_spec
        if not inputs or self._view_network is None or spec is None:
            return [ViewClass.UPRIGHT] * len(inputs)
        batch = torch.from_numpy(np.stack(inputs))[:, None].to(self._device)
        pictures = (batch * input_spec.standard_deviation + input_spec.mean).clamp(0, 1)
        with self._lock, torch.inference_mode():
            return views_of(view_logits(self._view_network, pictures, spec), spec)

    def predict(self, inputs: Sequence[NetworkInput]) -> list[Prediction]:
        """Predict for prepared films, together in one forward pass."""
        if not inputs:
            return []
        batch = torch.from_numpy(np.stack(inputs))[:, None]  # (B, 1, H, W)
        with self._lock, torch.inference_mode():
            reading = forward_with_map(self._network, _on_device(batch, self._device))
        logits, raw = reading.logits.cpu(), reading.maps.cpu()
        temperature = self.description.temperature
        threshold = self.operating_points["balanced"].threshold
        probabilities = (logits.double() / temperature).softmax(dim=1).numpy()
        relative = not self._network.map_is_log_odds
        maps = to_activation_map(raw, logits, temperature, threshold, relative=relative).numpy()
        found = (
            _prediction(probability, activation_map, self.model_version, self.heat_scale)
            for probability, activation_map in zip(probabilities, maps, strict=True)
        )
        return [
            replace(prediction, lungs=lungs)
            for prediction, lungs in zip(found, reading.lungs, strict=True)
        ]


def _prediction(
    probability: NDArray[np.float64],
    activation_map: ActivationMap,
    model_version: str,
    heat_scale: HeatScale,
) -> Prediction:
    """Build a prediction from class probabilities; not every network distinguishes causes."""
    if len(probability) == len(CLASSES):
        _, bacterial, viral = map(float, probability)
        return Prediction(bacterial, viral, activation_map, model_version, heat_scale=heat_scale)
    undivided = float(probability[1])
    return Prediction(None, None, activation_map, model_version, undivided, heat_scale)


def _ready(source: Checkpoint, device: torch.device) -> GridNetwork:
    """Build the network of a checkpoint, for inference only."""
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
    """Build the view network; None if the checkpoint has none."""
    if source.description.screening is None:
        return None
    ready = ViewNetwork()
    checkpoint.fill(ready, source.screening_weights)
    return ready.requires_grad_(requires_grad=False).eval().to(device)


def _on_device(batch: Tensor, device: torch.device) -> Tensor:
    """Move films to the network's device, channels last, which is fastest on a CPU."""
    return batch.to(device).contiguous(memory_format=torch.channels_last)
