"""The convolutional body of a network on a faster runtime for CPUs, with the same weights.

PyTorch stays the reference: what comes out is equal within 1e-4, for everything behind the body is
the same code.
"""

import sys
import warnings
from contextlib import suppress
from dataclasses import fields
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from cxr_app.errors import SettingsError
from cxr_app.model.compiled_networks import keep_compiled, key_of, read_compiled
from cxr_app.model.networks.base import GridNetwork
from cxr_app.model.networks.evidence_pyramid import Evidence, EvidencePyramid
from cxr_app.model.networks.lung_crop import CROP_SIDE, LungCropNetwork
from cxr_app.model.networks.lung_unet import LUNG_SIDE

_EXAMPLES = 2
"""Films in the pass that is recorded; any number fits afterwards."""


class OpenVINOBody(nn.Module):
    """Films ``(B, 1, H, W)`` to features ``(B, K, h, w)``, computed by OpenVINO.

    Parameters
    ----------
    body
        The body in PyTorch, ready to read with.
    size
        Side of the films in pixels.

    Raises
    ------
    SettingsError
        If OpenVINO is not installed or cannot run this kind of network.
    """

    def __init__(self, body: nn.Module, size: int) -> None:
        super().__init__()
        self._compiled = _compiled(body, size)

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films into features."""
        return torch.from_numpy(self._compiled(batch.contiguous().numpy())[0])


class OpenVINOEvidence(nn.Module):
    """A member of the lung-crop network, computed by OpenVINO.

    Parameters
    ----------
    member
        The member in PyTorch, ready to read with.
    size
        Side of the crops in pixels.

    Raises
    ------
    SettingsError
        As `OpenVINOBody`.
    """

    def __init__(self, member: EvidencePyramid, size: int) -> None:
        super().__init__()
        self._compiled = _compiled(_Outputs(member), size)

    def forward(self, crops: Tensor) -> Evidence:
        """Read lung crops."""
        outputs = self._compiled(crops.contiguous().numpy())
        return Evidence(
            *(torch.from_numpy(outputs[place]) for place in range(len(fields(Evidence))))
        )


class _Outputs(nn.Module):
    """A member whose evidence is a tuple of tensors, which can be recorded."""

    def __init__(self, member: EvidencePyramid) -> None:
        super().__init__()
        self._member = member
        self.eval()  # as the member is

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        outputs = self._member(crops)
        return tuple(getattr(outputs, each.name) for each in fields(Evidence))


def accelerate(network: GridNetwork, size: int) -> None:
    """Replace a network's convolutions by OpenVINO: all of them, or none.

    Parameters
    ----------
    network
        Changed in place.
    size
        Side of its films in pixels.

    Raises
    ------
    SettingsError
        As `OpenVINOBody`.
    """
    if not isinstance(network, LungCropNetwork):
        network.body = OpenVINOBody(network.body, size)
        return
    members = [
        OpenVINOEvidence(member, CROP_SIDE) if isinstance(member, EvidencePyramid) else member
        for member in network.members
    ]
    network.lung_network = OpenVINOBody(network.lung_network, LUNG_SIDE)
    network.members = nn.ModuleList(members)


def is_installed() -> bool:
    """Check whether OpenVINO is here."""
    return find_spec("openvino") is not None


def _compiled(body: nn.Module, size: int) -> Any:
    """Return the compiled body, from the cache if it was compiled before."""
    core = _core()
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # else the workers of a backlog share one core
        "INFERENCE_PRECISION_HINT": "f32",  # left to choose, it takes 16 bits where it can
    }
    processor = core.get_property("CPU", "FULL_DEVICE_NAME")
    key = key_of(body, version("openvino"), torch.__version__, processor, size, options)
    kept = read_compiled(key)
    if kept is not None:
        with suppress(RuntimeError):  # compiled by something else: compile it again
            return core.import_model(kept, "CPU", options)
    compiled = core.compile_model(_recorded(body, size), "CPU", options)
    keep_compiled(key, compiled.export_model().getvalue())
    return compiled


def _core() -> Any:
    # Where this package is found, importing OpenVINO reports the import to its maker.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as Python allows
    try:
        from openvino import Core
    except ImportError as error:
        raise SettingsError(
            "CXR_RUNTIME is 'openvino', which is not installed. "
            "Run: pip install -r requirements.txt, or set CXR_RUNTIME=torch."
        ) from error
    return Core()


def _recorded(body: nn.Module, size: int) -> Any:
    """Return a body as OpenVINO's model, for any number of films."""
    from openvino import PartialShape, Type
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    films = torch.zeros(_EXAMPLES, 1, size, size)
    try:
        with warnings.catch_warnings():
            # OpenVINO reads no newer recording, and the sides of the films are fixed.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(body, films, check_trace=False)  # type: ignore[no-untyped-call]
            frozen = torch.jit.freeze(traced)
        # What `openvino.convert_model` does; that one looks for more that reports to its maker.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(frozen, example_input=(films,))  # lives to the end
        loaded = frontend.load(decoder)
        # Else sums and products of the films stay undecided, and nothing can compute them.
        loaded.set_element_type(loaded.get_inputs()[0], Type.f32)
        model = frontend.convert(loaded)
    except RuntimeError as error:
        raise SettingsError(
            "CXR_RUNTIME is 'openvino', which cannot run this network. Set CXR_RUNTIME=torch."
        ) from error
    model.reshape(PartialShape([-1, 1, size, size]))
    return model
