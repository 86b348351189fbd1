"""The model of an installation: it loads, scores a drawn film, and uses the GPU that is there."""

import math
import shutil
import time
from collections.abc import Iterator

import numpy as np

from cxr_app.errors import CheckpointError, SettingsError
from cxr_app.model.classifier_choice import load_classifier
from cxr_app.model.device import gpu_memory
from cxr_app.operations.diagnosis import Diagnosis, looked_at
from cxr_app.promotion import checkpoint_in_use
from cxr_app.radiograph import Image
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

LEAST_GPU_BYTES = 2**30
SIDE = 512


def examine_model(settings: Settings, worklist: Worklist) -> Iterator[Diagnosis]:
    """Yield the result for the model in use and for the GPU."""
    yield looked_at("model", lambda: _model(settings, worklist))
    yield looked_at("GPU", lambda: _gpu(settings))


def drawn_film() -> Image:
    """Return a drawn chest: a bright body with two dark lungs; ``float32`` in [0, 1]."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    film = np.where(x**2 / 0.9 + y**2 < 1, 0.7, 0.05)
    for side in (-0.4, 0.4):
        film = np.where(((x - side) / 0.3) ** 2 + (y / 0.6) ** 2 < 1, 0.25, film)
    return film.astype(np.float32)


def _model(settings: Settings, worklist: Worklist) -> str:
    path = checkpoint_in_use(settings, worklist)
    classifier = load_classifier(path, settings.device, settings.runtime, settings.prevalence)
    film = [classifier.prepare(drawn_film())]
    classifier.predict(film)  # the first pass builds what the others use
    begin = time.perf_counter()
    (prediction,) = classifier.predict(film)
    seconds = time.perf_counter() - begin
    probability = prediction.pneumonia_probability
    if not (math.isfinite(probability) and 0 <= probability <= 1):
        raise CheckpointError(
            f"{path} gives no probability for a drawn film. Put another model to use on the "
            "Retrain page, or correct CXR_CHECKPOINT."
        )
    name = f"{classifier.model_version}, {classifier.device_name}"
    return f"{name}, {seconds:.2f} s for a drawn film"


def _gpu(settings: Settings) -> str:
    memory = gpu_memory()
    if memory is None:
        if settings.device in {"auto", "cuda"} and shutil.which("nvidia-smi"):
            raise SettingsError(
                "This computer has NVIDIA's driver, and PyTorch finds no GPU. Install "
                "requirements.txt instead of requirements-cpu.txt, let the service see the device "
                "(PrivateDevices=no), or set CXR_DEVICE=cpu."
            )
        return "none that is used"
    name, free, total = memory
    if settings.device != "cpu" and free < LEAST_GPU_BYTES:
        raise SettingsError(
            f"{name} has {free / 2**30:.1f} GB of {total / 2**30:.1f} GB left. Stop what else uses "
            "it, or set CXR_DEVICE=cpu."
        )
    return f"{name}, {free / 2**30:.1f} GB of {total / 2**30:.1f} GB free"
