"""A network of PyTorch ready to predict: the reference, and the one on a GPU."""

from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_app.errors import CheckpointMismatchError
from cxr_app.model import checkpoint, networks
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.device import choose_device, device_name
from cxr_app.model.evidence import forward_with_map, to_activation_map
from cxr_app.model.film_classifier import FilmBatch, FilmClassifier, NetworkOutput
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.networks.view import ViewNetwork, view_logits
from cxr_app.model.site_prevalence import at_prevalence


class Classifier(FilmClassifier):
    """A checkpoint ready to predict with PyTorch.

    Parameters
    ----------
    source
        The checkpoint.
    device
        The device to run on.
    """

    def __init__(self, source: Checkpoint, device: torch.device) -> None:
        super().__init__(source.described, device_name(device))
        self._device = device
        self._network = build_network(source, device)
        self._view_network = build_view_network(source, device)

    @classmethod
    def load(cls, path: Path, device: str = "auto", prevalence: float | None = None) -> Self:
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
            If this machine does not have the device, or the checkpoint states no prevalence of its
            own.
        """
        return cls(at_prevalence(checkpoint.load(path), prevalence), choose_device(device))

    def _view_logits(self, films: FilmBatch) -> NDArray[np.float32]:
        spec, input_spec = self.description.screening, self.description.input_spec
        if spec is None or self._view_network is None:
            raise ValueError("the checkpoint has no view network")
        batch = torch.from_numpy(films).to(self._device)
        with torch.inference_mode():
            pictures = (batch * input_spec.standard_deviation + input_spec.mean).clamp(0, 1)
            return view_logits(self._view_network, pictures, spec).cpu().numpy()

    def _output(self, films: FilmBatch) -> NetworkOutput:
        batch = torch.from_numpy(films)
        with torch.inference_mode():
            reading = forward_with_map(self._network, _on_device(batch, self._device))
            logits = reading.logits.cpu()
            maps = to_activation_map(
                reading.maps.cpu(),
                logits,
                self.description.temperature,
                self.operating_points["balanced"].threshold,
                relative=not self._network.map_is_log_odds,
            )
        return NetworkOutput(logits.numpy(), maps.numpy(), reading.lungs)


def build_network(source: Checkpoint, device: torch.device) -> GridNetwork:
    """Build the network of a checkpoint, for inference only.

    Raises
    ------
    CheckpointMismatchError
        If weights or classes are not those of its architecture.
    """
    ready = networks.build(source.description.architecture)
    if source.description.classes != ready.classes:
        raise CheckpointMismatchError(
            f"The checkpoint's classes are {source.description.classes}, its architecture's are "
            f"{ready.classes}. Use a checkpoint that training.train made."
        )
    checkpoint.fill(ready, source.weights)
    ready.requires_grad_(requires_grad=False).eval()
    return ready.to(device).to(memory_format=torch.channels_last)


def build_view_network(source: Checkpoint, device: torch.device) -> ViewNetwork | None:
    """Build the view network; None if the checkpoint has none.

    Raises
    ------
    CheckpointMismatchError
        If the weights are not those of a view network.
    """
    if source.description.screening is None:
        return None
    ready = ViewNetwork()
    checkpoint.fill(ready, source.screening_weights)
    return ready.requires_grad_(requires_grad=False).eval().to(device)


def _on_device(batch: Tensor, device: torch.device) -> Tensor:
    """Move films to the network's device, channels last, which is fastest on a CPU."""
    return batch.to(device).contiguous(memory_format=torch.channels_last)
