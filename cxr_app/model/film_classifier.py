"""What scores films, whatever computes its network."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_app.lung_fields import LungFields
from cxr_app.model.classes import CLASSES
from cxr_app.model.description import DescribedCheckpoint, Description
from cxr_app.model.preprocessing import NetworkInput, to_input
from cxr_app.model.screening import ViewClass
from cxr_app.model.view_spec import views_of
from cxr_app.prediction import HeatScale, OperatingPoint, Prediction
from cxr_app.radiograph import Image

FilmBatch = NDArray[np.float32]
"""Prepared films, ``(B, 1, H, W)``."""


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What a network computed for a batch of films.

    Parameters
    ----------
    logits
        ``(B, C)``, before the temperature.
    activation_maps
        ``(B, h, w)``, on the scale of `Prediction.activation_map`.
    lungs
        Where the network found the lungs; None for networks that do not look for them.
    """

    logits: NDArray[np.float32]
    activation_maps: NDArray[np.float32]
    lungs: Sequence[LungFields | None]


class FilmClassifier(ABC):
    """A checkpoint ready to predict, shared by any number of threads.

    It makes one forward pass at a time: a second one on the same cores would slow both down many
    times over, and a lock costs nothing compared to a forward pass. The network is never changed
    after it is built, so threads cannot disturb each other's results.

    Parameters
    ----------
    source
        What is known of the checkpoint.
    device_name
        What computes the network, for a person.
    """

    def __init__(self, source: DescribedCheckpoint, device_name: str) -> None:
        self.description: Description = source.description
        self.model_version = source.model_version
        self.file_version = source.file_version
        self.site_prevalence = source.site_prevalence
        self.device_name = device_name
        self._lock = threading.Lock()

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
        spec = self.description.screening
        if not inputs or spec is None:
            return [ViewClass.UPRIGHT] * len(inputs)
        with self._lock:
            logits = self._view_logits(np.stack(inputs)[:, None])
        return views_of(logits, spec)

    def predict(self, inputs: Sequence[NetworkInput]) -> list[Prediction]:
        """Predict for prepared films, together in one forward pass."""
        if not inputs:
            return []
        with self._lock:
            output = self._output(np.stack(inputs)[:, None])
        logits = output.logits.astype(np.float64) / self.description.temperature
        shares = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        each = zip(shares, output.activation_maps, output.lungs, strict=True)
        return [self._prediction(*film) for film in each]

    def _prediction(
        self,
        probability: NDArray[np.float64],
        activation_map: NDArray[np.float32],
        lungs: LungFields | None,
    ) -> Prediction:
        """Build a prediction from class probabilities; not every network distinguishes causes."""
        has_causes = len(probability) == len(CLASSES)
        return Prediction(
            bacterial_probability=float(probability[1]) if has_causes else None,
            viral_probability=float(probability[2]) if has_causes else None,
            activation_map=activation_map,
            model_version=self.model_version,
            undivided_probability=None if has_causes else float(probability[1]),
            heat_scale=self.heat_scale,
            lungs=lungs,
        )

    @abstractmethod
    def _view_logits(self, films: FilmBatch) -> NDArray[np.float32]:
        """Compute the logits of the view network, ``(B, 7)``."""

    @abstractmethod
    def _output(self, films: FilmBatch) -> NetworkOutput:
        """Compute logits and activation maps."""
