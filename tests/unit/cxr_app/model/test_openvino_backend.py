"""OpenVINO computes what PyTorch computes; if it cannot, a message says what to do."""

import gc
import importlib
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_app.errors import SettingsError
from cxr_app.model import checkpoint, classifier, openvino_backend
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.networks import build
from cxr_app.settings import PROJECT
from tests.support.checkpoints import describe
from tests.unit.cxr_app.model.test_classifier import films


@pytest.fixture(scope="module", params=["resnet18", "resnet18_two_scales", "lung_crop"])
def source(request: pytest.FixtureRequest) -> Checkpoint:
    torch.manual_seed(0)
    weights = checkpoint.rounded(build(request.param))
    return Checkpoint(describe(architecture=request.param), weights, "ab" * 32)


@pytest.fixture(scope="module")
def openvino(source: Checkpoint) -> Classifier:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # its own import leaves a folder open
        importlib.import_module("openvino")
        gc.collect()
    return Classifier(source, torch.device("cpu"), "openvino")


def test_probabilities_and_maps_are_those_of_torch(
    source: Checkpoint, openvino: Classifier
) -> None:
    reference = Classifier(source, torch.device("cpu"))
    for count in (1, 2, 7):
        inputs = [reference.prepare(film) for film in films(count)]
        expected = reference.predict(inputs)
        for one, other in zip(openvino.predict(inputs), expected, strict=True):
            assert abs(one.pneumonia_probability - other.pneumonia_probability) < 1e-4
            np.testing.assert_allclose(one.activation_map, other.activation_map, atol=1e-4)
            assert one.model_version == other.model_version
    assert openvino.device_name == "CPU · OpenVINO"


def test_many_threads_get_what_one_gets(openvino: Classifier) -> None:
    inputs = [openvino.prepare(film) for film in films(16)]
    alone = [openvino.predict([each])[0] for each in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda one: openvino.predict([one])[0], inputs)
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_array_equal(one.activation_map, other.activation_map)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed by Linux")
def test_no_thread_is_bound_to_a_core(openvino: Classifier) -> None:
    """Else the processes of a backlog are bound to the same one, and take twice as long."""
    inputs = [openvino.prepare(film) for film in films(8)]
    seen = set()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(lambda: [openvino.predict(inputs) for _ in range(8)])
        while not work.done():
            for task in Path("/proc/self/task").iterdir():
                with suppress(ProcessLookupError):
                    seen.add(frozenset(os.sched_getaffinity(int(task.name))))
    assert seen == {frozenset(os.sched_getaffinity(0))}


def test_without_it_the_message_says_how_to_install_it(
    source: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(SettingsError, match=r"pip install -r requirements\.txt"):
        Classifier(source, torch.device("cpu"), "openvino")


def test_on_another_device_the_message_says_what_to_set(source: Checkpoint) -> None:
    with pytest.raises(SettingsError, match="Set CXR_DEVICE=cpu or CXR_RUNTIME=torch"):
        Classifier(source, torch.device("meta"), "openvino")


def test_left_to_choose_the_cpu_takes_openvino_and_another_device_does_not(
    source: Checkpoint,
) -> None:
    assert "OpenVINO" in Classifier(source, torch.device("cpu"), "auto").device_name
    assert "OpenVINO" not in Classifier(source, torch.device("meta"), "auto").device_name


@pytest.mark.parametrize("fault", ["not installed", "cannot run it"])
def test_left_to_choose_torch_does_what_openvino_cannot(
    fault: str, source: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "not installed":
        monkeypatch.setattr(classifier, "is_installed", lambda: False)
    else:
        monkeypatch.setattr(torch.jit, "freeze", refuse)
        monkeypatch.setattr(openvino_backend, "read_compiled", lambda _: None)
    chosen = Classifier(source, torch.device("cpu"), "auto")
    assert "OpenVINO" not in chosen.device_name
    expected = Classifier(source, torch.device("cpu"))
    inputs = [chosen.prepare(film) for film in films(2)]
    for one, other in zip(chosen.predict(inputs), expected.predict(inputs), strict=True):
        np.testing.assert_array_equal(one.activation_map, other.activation_map)


def test_nobody_outside_hears_of_it(tmp_path: Path) -> None:
    """Importing OpenVINO by itself reports the import, and leaves a client's number at home."""
    script = (
        "import os, sys, torch\n"
        "events = ('urllib.Request', 'socket.getaddrinfo', 'socket.connect')\n"
        "heard = lambda name, _: name in events and os.write(2, name.encode())\n"
        "sys.addaudithook(heard)\n"  # also in what it forks
        "from cxr_app.model.openvino_backend import OpenVINOBody\n"
        "body = torch.nn.Conv2d(1, 1, 1).requires_grad_(False).eval()\n"
        "OpenVINOBody(body, 16)(torch.ones(1, 1, 16, 16))\n"
        "import threading; [each.join(9) for each in threading.enumerate()[1:]]\n"
    )
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [each.name for each in tmp_path.iterdir()] == [".cache"]


def refuse(*_: object) -> None:
    raise RuntimeError("an operation is not known")
