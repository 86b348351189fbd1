"""OpenVINO, which computes a network on a CPU with fewer steps than PyTorch, and without it."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.errors import SettingsError

CANNOT_RUN = (
    "CXR_RUNTIME is 'openvino', which cannot run this network. Set CXR_RUNTIME=torch, or auto."
)


class Program:
    """A compiled network; one call at a time.

    Parameters
    ----------
    content
        What `compile_program` returned.
    threads
        To compute with.

    Raises
    ------
    SettingsError
        If OpenVINO is not installed, or this was compiled by something else.
    """

    def __init__(self, content: bytes, threads: int) -> None:
        try:
            self._compiled = _core().import_model(content, "CPU", _options(threads))
        except RuntimeError as error:
            raise SettingsError(CANNOT_RUN) from error

    def __call__(self, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Compute all outputs, in their order."""
        outputs = self._compiled(list(inputs))
        return [outputs[place] for place in range(len(outputs))]


def compile_program(model: Any) -> bytes:
    """Compile a model of OpenVINO for this machine's CPU, and return it as `Program` reads it."""
    exported: bytes = _core().compile_model(model, "CPU", _options(1)).export_model().getvalue()
    return exported


def facts() -> Sequence[str]:
    """Return what decides, beside the network, what is compiled: version, processor, options.

    Raises
    ------
    SettingsError
        If OpenVINO is not installed.
    """
    core = _core()
    version = str(core.get_versions("CPU")["CPU"].build_number)
    return version, str(core.get_property("CPU", "FULL_DEVICE_NAME")), repr(_options(1))


def is_installed() -> bool:
    """Check whether OpenVINO is here."""
    return find_spec("openvino") is not None


def import_quietly() -> None:
    """Import OpenVINO without a word to its maker, to whom its import reports itself.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as Python allows
    try:
        import openvino  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "CXR_RUNTIME is 'openvino', which is not installed. "
            "Run: pip install -r requirements.txt, or set CXR_RUNTIME=torch."
        ) from error


def _core() -> Any:
    import_quietly()
    from openvino import Core

    return Core()


def _options(threads: int) -> dict[str, object]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,  # else the workers of a backlog share one core
        "INFERENCE_PRECISION_HINT": "f32",  # left to choose, it takes 16 bits where it can
    }
