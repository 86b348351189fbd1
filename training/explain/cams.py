"""Methods to compute the map of a film: the program's own, and those of the `grad-cam` package.

All return evidence for pneumonia on a grid that divides the film evenly. The package's own pictures
are not used: it stretches each to its own maximum, and it enlarges a convolutional grid as if its
cells divided the film evenly.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from pytorch_grad_cam.base_cam import BaseCAM
from torch import Tensor

from cxr_app.evaluation.metrics import Floats
from cxr_app.model import activation_map, checkpoint, networks
from cxr_app.model.activation_map import HeatArray
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.device import choose_device
from cxr_app.model.evidence import log_odds, resample_evenly
from cxr_app.model.preprocessing import NetworkInput
from cxr_app.prediction import ActivationMap

OWN = "one-pass"
PACKAGE: Mapping[str, type[BaseCAM]] = {
    "gradcam": GradCAM,
    "gradcam++": GradCAMPlusPlus,
    "layercam": LayerCAM,
    "hirescam": HiResCAM,
}
METHODS = (OWN, *PACKAGE)


@dataclass(frozen=True, slots=True)
class Explained:
    """Probabilities of films, with the maps behind them.

    Parameters
    ----------
    pneumonia
        Probabilities, ``(n,)``.
    maps
        Evidence on an even grid, ``(n, h, w)``.
    """

    pneumonia: Floats
    maps: NDArray[np.float32]


class Explainer(ABC):
    """Scores films and computes their maps."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier

    @abstractmethod
    def explain(self, inputs: Sequence[NetworkInput]) -> Explained:
        """Score prepared films (see `Classifier.prepare`) and compute their maps."""

    @abstractmethod
    def heat(self, evidence: ActivationMap) -> HeatArray:
        """Return a map as heat in ``[0, 1]``."""

    def score(self, inputs: Sequence[NetworkInput]) -> Floats:
        """Score films without their maps."""
        predictions = self.classifier.predict(inputs)
        return np.array([prediction.pneumonia_probability for prediction in predictions])


class OnePass(Explainer):
    """The map that the program shows, on its fixed scale."""

    def explain(self, inputs: Sequence[NetworkInput]) -> Explained:
        """Return probabilities and maps from the classifier's predictions."""
        predictions = self.classifier.predict(inputs)
        return Explained(
            np.array([prediction.pneumonia_probability for prediction in predictions]),
            np.stack([prediction.activation_map for prediction in predictions]),
        )

    def heat(self, evidence: ActivationMap) -> HeatArray:
        """Scale the map by the checkpoint's own scale."""
        return activation_map.heat(evidence, self.classifier.heat_scale)


class PackageCam(Explainer):
    """A map of the `grad-cam` package, at the end of the network's body.

    It works on a separate copy of the network, so that its hooks do not affect the classifier.
    """

    def __init__(self, classifier: Classifier, source: Checkpoint, method: str) -> None:
        super().__init__(classifier)
        self._network = networks.build(source.description.architecture).eval()
        checkpoint.fill(self._network, source.weights)
        self._method = PACKAGE[method]

    def explain(self, inputs: Sequence[NetworkInput]) -> Explained:
        """Run the package forwards and backwards."""
        batch = torch.from_numpy(np.stack(inputs))[:, None]  # (B, 1, H, W)
        return Explained(self.score(inputs), self._maps(batch).numpy())

    def _maps(self, batch: Tensor) -> Tensor:
        """Return the package's maps before it rectifies, stretches and enlarges them."""
        targets: list[Callable[[Tensor], Tensor]] = [
            lambda output: log_odds(output[None])[0] for _ in batch
        ]
        with self._method(model=self._network, target_layers=[self._network.body]) as cam:
            cam(input_tensor=batch, targets=targets)
            seen = cam.activations_and_grads
            features, gradients = (
                kept[0].detach().cpu().numpy() for kept in (seen.activations, seen.gradients)
            )
            body = self._network.body
            raw = cam.get_cam_image(batch, body, targets, features, gradients, eigen_smooth=False)
        evidence = torch.from_numpy(np.ascontiguousarray(raw, dtype=np.float32))
        return resample_evenly(evidence, self._network, size=batch.shape[-1])

    def heat(self, evidence: ActivationMap) -> HeatArray:
        """Rectify, as these methods do, and scale to the map's peak: they have no fixed scale."""
        positive: HeatArray = np.maximum(evidence, np.float32(0))
        peak = positive.max()
        return positive / peak if peak > 0 else positive


def build_explainer(source: Checkpoint, device: str, method: str) -> Explainer:
    """Build the explainer of a checkpoint for one method.

    Parameters
    ----------
    method
        One of `METHODS`.
    """
    classifier = Classifier(source, choose_device(device))
    return OnePass(classifier) if method == OWN else PackageCam(classifier, source, method)
