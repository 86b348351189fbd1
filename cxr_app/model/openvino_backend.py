"""The convolutional body of a network on a faster runtime for CPUs, with the same weights.

OpenVINO is optional. PyTorch stays the default and the reference: what comes out is equal within
1e-4, for everything behind the body is the same code.
"""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from cxr_app.errors import SettingsError

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
        If OpenVINO is not installed or does not know this kind of network; says what to do.
    """

    def __init__(self, body: nn.Module, size: int) -> None:
        super().__init__()
        self._compiled = _compiled(body, size)

    def forward(self, batch: Tensor) -> Tensor:
        """Turn films into features."""
        return torch.from_numpy(self._compiled(batch.contiguous().numpy())[0])


def _compiled(body: nn.Module, size: int) -> Any:
    try:
        from openvino import Core, PartialShape
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
        # Not `openvino.convert_model`: that one tells its maker of every use.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(recorded, example_input=(films,))
        model = frontend.convert(frontend.load(decoder))
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
