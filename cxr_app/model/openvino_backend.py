"""The convolutional body of a network on a faster runtime for CPUs, with the same weights.

OpenVINO is optional. PyTorch stays the default and the reference: what comes out is equal within
1e-4, for everything behind the body is the same code.
"""

import warnings
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor, nn

from cxr_app.errors import SettingsError
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

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        outputs = self._member(crops)
        return tuple(getattr(outputs, each.name) for each in fields(Evidence))


def accelerate(network: GridNetwork, size: int) -> None:
    """Replace a network's convolutions by OpenVINO.

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
    network.lung_network = OpenVINOBody(network.lung_network, LUNG_SIDE)
    for place, member in enumerate(network.members):
        if isinstance(member, EvidencePyramid):
            network.members[place] = OpenVINOEvidence(member, CROP_SIDE)


def _compiled(body: nn.Module, size: int) -> Any:
    try:
        from openvino import Core, PartialShape, Type
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
    except ImportError as error:
        raise SettingsError(
            "CXR_RUNTIME is 'openvino', which is not installed. "
            "Run: pip install -r requirements-openvino.txt, or set CXR_RUNTIME=torch."
        ) from error
    films = torch.zeros(_EXAMPLES, 1, size, size)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # OpenVINO reads no newer recording
            traced = torch.jit.trace(body, films, check_trace=False)  # type: ignore[no-untyped-call]
            recorded = torch.jit.freeze(traced)
        # Not `openvino.convert_model`: that one reports every use to its maker.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(recorded, example_input=(films,))
        loaded = frontend.load(decoder)
        # Else sums and products of the films stay undecided, and nothing can compute them.
        loaded.set_element_type(loaded.get_inputs()[0], Type.f32)
        model = frontend.convert(loaded)
    except RuntimeError as error:
        raise SettingsError(
            "CXR_RUNTIME is 'openvino', which cannot run this network. Set CXR_RUNTIME=torch."
        ) from error
    model.reshape(PartialShape([-1, 1, size, size]))
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # else the workers of a backlog share one core
        "INFERENCE_PRECISION_HINT": "f32",  # left to choose, it takes 16 bits where it can
    }
    return Core().compile_model(model, "CPU", options)
