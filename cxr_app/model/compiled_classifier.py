"""A compiled network ready to predict; it needs no PyTorch."""

import os
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cxr_app.model.compile_networks import compiled_networks
from cxr_app.model.compiled_networks import CROP, FILM, LUNGS, VIEW, Programs
from cxr_app.model.description import DescribedCheckpoint, read_described
from cxr_app.model.film_classifier import FilmBatch, FilmClassifier, NetworkOutput
from cxr_app.model.lung_box import lungs_and_boxes
from cxr_app.model.openvino_runtime import Program
from cxr_app.model.site_prevalence import described_at_prevalence
from cxr_app.usable_cores import cores

DEVICE_NAME = "CPU · OpenVINO"


class CompiledClassifier(FilmClassifier):
    """A checkpoint ready to predict with OpenVINO.

    Parameters
    ----------
    source
        What is known of the checkpoint.
    programs
        Its compiled networks.
    threads
        To compute with; None for as many as OMP_NUM_THREADS says, else one a core.

    Raises
    ------
    SettingsError
        If OpenVINO is not installed, or the networks were compiled by something else.
    """

    def __init__(
        self, source: DescribedCheckpoint, programs: Programs, threads: int | None = None
    ) -> None:
        super().__init__(source, DEVICE_NAME)
        count = threads or _thread_count()
        self._programs = {name: Program(each, count) for name, each in programs.items()}

    @classmethod
    def load(cls, path: Path, prevalence: float | None = None, threads: int | None = None) -> Self:
        """Read a checkpoint, and compile its networks if that was not done before.

        Parameters
        ----------
        prevalence
            As `site_prevalence.described_at_prevalence` takes it.
        threads
            As for the class.

        Raises
        ------
        CheckpointError
            If the file cannot be used.
        SettingsError
            If the checkpoint states no prevalence of its own, or OpenVINO is not installed or
            cannot run its networks.
        """
        source = described_at_prevalence(read_described(path), prevalence)
        return cls(source, compiled_networks(path, source), threads)

    def _view_logits(self, films: FilmBatch) -> NDArray[np.float32]:
        (logits,) = self._programs[VIEW](films)
        return logits

    def _output(self, films: FilmBatch) -> NetworkOutput:
        if FILM in self._programs:
            logits, maps = self._programs[FILM](films)
            return NetworkOutput(logits, maps, [None] * len(films))
        (drawn,) = self._programs[LUNGS](films)
        lungs, boxes = lungs_and_boxes(drawn)
        logits, maps = self._programs[CROP](films, np.array(boxes, np.float32))
        return NetworkOutput(logits, maps, lungs)


def _thread_count() -> int:
    """Return how many threads may be used: what PyTorch would take from its surroundings."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    if stated.isdecimal() and int(stated):
        return int(stated)
    return cores()
