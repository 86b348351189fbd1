"""Which library computes the network: OpenVINO on a CPU, PyTorch elsewhere and as the reference.

Either is imported only where it computes: PyTorch takes seconds and half a gigabyte, and who only
asks which device there is needs neither.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cxr_app.errors import SettingsError
from cxr_app.model.openvino_runtime import is_installed

if TYPE_CHECKING:
    from cxr_app.model.film_classifier import FilmClassifier

_GPU_FILES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""What a driver for a GPU of NVIDIA or AMD shows under Linux; one of them beneath Windows."""


def load_classifier(
    path: Path,
    device: str = "auto",
    runtime: str = "auto",
    prevalence: float | None = None,
    threads: int | None = None,
) -> "FilmClassifier":
    """Read a checkpoint and get it ready to predict.

    Parameters
    ----------
    device
        As `device.choose_device` takes it.
    runtime
        ``torch``; ``openvino``, on a CPU; or ``auto``: OpenVINO on a CPU where it is installed and
        can run the network, else PyTorch.
    prevalence
        As `site_prevalence.at_prevalence` takes it.
    threads
        To compute with on a CPU; None for the library's own choice, about one a core.

    Raises
    ------
    CheckpointError
        If the file cannot be used.
    SettingsError
        If this machine does not have the device, the runtime is not installed or does not run on
        it, or the checkpoint states no prevalence of its own.
    """
    if takes_openvino(device, runtime):
        from cxr_app.model.compiled_classifier import CompiledClassifier

        try:
            return CompiledClassifier.load(path, prevalence, threads)
        except SettingsError:
            if runtime == "openvino":
                raise
    from cxr_app.model.classifier import Classifier
    from cxr_app.model.device import use_threads

    use_threads(threads)
    return Classifier.load(path, device, prevalence)


def takes_openvino(device: str, runtime: str) -> bool:
    """Check whether OpenVINO is to compute, if it can run the network.

    Raises
    ------
    SettingsError
        If it shall, but not on a CPU; or this machine does not have the device.
    """
    if runtime == "torch" or (runtime == "auto" and not is_installed()):
        return False
    if runs_on_cpu(device):
        return True
    if runtime == "openvino":
        raise SettingsError(
            f"CXR_RUNTIME is 'openvino', which runs on the CPU; CXR_DEVICE is {device!r}, which "
            "chose a GPU. Set CXR_DEVICE=cpu or CXR_RUNTIME=torch."
        )
    return False


def runs_on_cpu(device: str) -> bool:
    """Check whether a device, as `device.choose_device` takes it, is the CPU.

    Raises
    ------
    SettingsError
        If this machine does not have it.
    """
    if device == "cpu" or (device == "auto" and not _may_have_gpu()):
        return True
    from cxr_app.model.device import choose_device

    return choose_device(device).type == "cpu"


def _may_have_gpu() -> bool:
    """Check for signs of a GPU; only PyTorch knows whether it can use it."""
    return sys.platform != "linux" or any(Path(each).exists() for each in _GPU_FILES)
