"""OpenVINO computes where it can; where it cannot, PyTorch does or a message says what to do."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import CheckpointMismatchError, CheckpointNotFoundError, SettingsError
from cxr_app.model import classifier_choice, compile_networks
from cxr_app.model.classifier import Classifier
from cxr_app.model.classifier_choice import load_classifier, runs_on_cpu
from cxr_app.model.compiled_classifier import CompiledClassifier
from tests.support.checkpoints import write_tiny
from tests.unit.cxr_app.model.test_classifier import films


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny.safetensors")


def test_left_to_choose_the_cpu_takes_openvino(tiny: Path) -> None:
    assert isinstance(load_classifier(tiny, "cpu"), CompiledClassifier)
    assert isinstance(load_classifier(tiny, "cpu", "torch"), Classifier)


@pytest.mark.parametrize("fault", ["not installed", "cannot run it"])
def test_left_to_choose_torch_does_what_openvino_cannot(
    fault: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "not installed":
        monkeypatch.setattr(classifier_choice, "is_installed", lambda: False)
    else:
        monkeypatch.setattr(compile_networks, "_compiled_elsewhere", lambda *_: b"")
        monkeypatch.setattr(compile_networks, "read_compiled", lambda _: None)
    chosen, expected = load_classifier(tiny, "cpu"), Classifier.load(tiny, "cpu")
    assert isinstance(chosen, Classifier)
    inputs = [chosen.prepare(film) for film in films(2)]
    for one, other in zip(chosen.predict(inputs), expected.predict(inputs), strict=True):
        np.testing.assert_array_equal(one.activation_map, other.activation_map)


def test_without_it_the_message_says_how_to_install_it(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(SettingsError, match=r"pip install -r requirements\.txt"):
        load_classifier(tiny, "cpu", "openvino")


def test_a_network_that_it_cannot_run_is_told_of(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile_networks, "_compiled_elsewhere", lambda *_: b"no networks")
    monkeypatch.setattr(compile_networks, "read_compiled", lambda _: None)
    with pytest.raises(SettingsError, match="Set CXR_RUNTIME=torch"):
        load_classifier(tiny, "cpu", "openvino")


def test_on_another_device_the_message_says_what_to_set(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier_choice, "runs_on_cpu", lambda _: False)
    with pytest.raises(SettingsError, match="Set CXR_DEVICE=cpu or CXR_RUNTIME=torch"):
        load_classifier(tiny, "cuda", "openvino")
    assert not classifier_choice.takes_openvino("cuda", "auto")


def test_a_device_that_is_not_here_is_named() -> None:
    with pytest.raises(SettingsError, match="Set CXR_DEVICE to one of these"):
        runs_on_cpu("tpu")


@pytest.mark.parametrize("runtime", ["auto", "openvino", "torch"])
def test_a_checkpoint_that_cannot_be_used_is_told_of_whatever_computes(
    runtime: str, tiny: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointNotFoundError):
        load_classifier(tmp_path / "none.safetensors", "cpu", runtime)
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(tiny.read_bytes()[:-100])
    with pytest.raises(CheckpointMismatchError, match="not a whole"):
        load_classifier(cut, "cpu", runtime)
