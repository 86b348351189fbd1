"""The networks of a checkpoint as programs of OpenVINO: whole passes, from film to answer.

PyTorch records them once; what they compute is the reference within 1e-4. A film needs no PyTorch
afterwards.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cxr_app.errors import SettingsError
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import build_network, build_view_network
from cxr_app.model.compiled_networks import CROP, FILM, LUNGS, VIEW
from cxr_app.model.description import Description
from cxr_app.model.evidence import forward_with_map, to_activation_map
from cxr_app.model.networks.base import GlobalAveragePoolingNetwork, GridNetwork
from cxr_app.model.networks.lung_crop import LungCropNetwork
from cxr_app.model.networks.view import ViewNetwork, view_logits
from cxr_app.model.openvino_runtime import CANNOT_RUN, compile_program, import_quietly
from cxr_app.model.preprocessing import InputSpec
from cxr_app.model.view_spec import ViewSpec

_EXAMPLES = 2
"""Films in the pass that is recorded; any number fits afterwards."""


def film_programs(source: Checkpoint) -> Mapping[str, bytes]:
    """Record and compile the networks of a checkpoint, by name; none if their map needs gradients.

    OpenVINO can compute no gradients, however often it is tried.

    Raises
    ------
    CheckpointMismatchError
        If weights and architecture do not fit.
    SettingsError
        If OpenVINO is not installed, or recording fails, which may go well another time.
    """
    import_quietly()
    cpu = torch.device("cpu")
    network = build_network(source, cpu).to(memory_format=torch.contiguous_format)
    view_network = build_view_network(source, cpu)
    side = source.description.input_spec.size
    films = torch.zeros(_EXAMPLES, 1, side, side)
    passes: dict[str, tuple[nn.Module, Sequence[Tensor]]] = {}
    if isinstance(network, LungCropNetwork):
        boxes = torch.tensor([[0.1, 0.1, 0.9, 0.9]] * _EXAMPLES)
        passes[LUNGS] = (_LungPass(network), [films])
        passes[CROP] = (_CropPass(network, source.description), [films, boxes])
    elif isinstance(network, GlobalAveragePoolingNetwork):
        passes[FILM] = (_FilmPass(network, source.description), [films])
    else:
        return {}
    if view_network is not None and source.description.screening is not None:
        spec = source.description.screening
        passes[VIEW] = (_ViewPass(view_network, spec, source.description.input_spec), [films])
    return {name: compile_program(_recorded(*each)) for name, each in passes.items()}


class _LungPass(nn.Module):
    """Films to the probability of lung of each pixel."""

    def __init__(self, network: LungCropNetwork) -> None:
        super().__init__()
        self._network = network
        self.eval()

    def forward(self, films: Tensor) -> Tensor:
        return self._network.draw_lungs(films)


class _CropPass(nn.Module):
    """Films and the boxes around their lungs to logits and activation maps."""

    def __init__(self, network: LungCropNetwork, description: Description) -> None:
        super().__init__()
        self._network = network
        self._scaling = _Scaling(network, description)
        self.eval()

    def forward(self, films: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        logits, evidence, _ = self._network.read_boxes(films, boxes)
        return self._scaling(logits, evidence)


class _FilmPass(nn.Module):
    """Films to logits and activation maps."""

    def __init__(self, network: GlobalAveragePoolingNetwork, description: Description) -> None:
        super().__init__()
        self._network = network
        self._scaling = _Scaling(network, description)
        self.eval()

    def forward(self, films: Tensor) -> tuple[Tensor, Tensor]:
        reading = forward_with_map(self._network, films)
        return self._scaling(reading.logits, reading.maps)


class _Scaling:
    """Evidence to the scale of `Prediction.activation_map`."""

    def __init__(self, network: GridNetwork, description: Description) -> None:
        self._temperature = description.temperature
        self._threshold = description.operating_points["balanced"].threshold
        self._is_relative = not network.map_is_log_odds

    def __call__(self, logits: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor]:
        maps = to_activation_map(
            evidence, logits, self._temperature, self._threshold, relative=self._is_relative
        )
        return logits, maps


class _ViewPass(nn.Module):
    """Prepared films to the logits of the view network."""

    def __init__(self, network: ViewNetwork, spec: ViewSpec, input_spec: InputSpec) -> None:
        super().__init__()
        self._network = network
        self._spec = spec
        self._input_spec = input_spec
        self.eval()

    def forward(self, films: Tensor) -> Tensor:
        grey = films * self._input_spec.standard_deviation + self._input_spec.mean
        return view_logits(self._network, grey.clamp(0, 1), self._spec)


def _recorded(module: nn.Module, examples: Sequence[Tensor]) -> Any:
    """Return a pass as OpenVINO's model, for any number of films."""
    from openvino import PartialShape, Type
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    try:
        with warnings.catch_warnings():
            # OpenVINO reads no newer recording, and the sides of the films are fixed.
            warnings.simplefilter("ignore")
            traced = torch.jit.trace(module, tuple(examples), check_trace=False)  # type: ignore[no-untyped-call]
            frozen = torch.jit.freeze(traced)
        # What `openvino.convert_model` does; that one looks for more that reports to its maker.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(
            frozen, example_input=tuple(examples)
        )  # lives to the end
        loaded = frontend.load(decoder)
        # Else sums and products of the films stay undecided, and nothing can compute them.
        for each in loaded.get_inputs():
            loaded.set_element_type(each, Type.f32)
        model = frontend.convert(loaded)
        shapes = [PartialShape([-1, *example.shape[1:]]) for example in examples]
        model.reshape(dict(zip(model.inputs, shapes, strict=True)))
    except RuntimeError as error:
        raise SettingsError(CANNOT_RUN) from error
    return model
