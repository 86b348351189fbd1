"""A compiled network computes what PyTorch computes, and needs none of it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.compiled_classifier import CompiledClassifier
from cxr_app.model.description import SCREENING_PREFIX
from cxr_app.model.networks import build
from cxr_app.model.networks.view import ViewNetwork
from cxr_app.model.view_spec import ViewSpec
from cxr_app.settings import PROJECT, Settings
from cxr_app.usable_cores import cores
from tests.support.checkpoints import describe
from tests.support.films import jpeg
from tests.unit.cxr_app.model.test_classifier import films

Pair = tuple[Classifier, CompiledClassifier]


@pytest.fixture(
    scope="module", params=["resnet18", "resnet18_two_scales", "lung_crop", "crop_and_film"]
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The same checkpoint with a view network, once with PyTorch and once with OpenVINO.

    That uses all cores, as a server does, though each test may have but one.
    """
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("pair") / "pair.safetensors"
    views = checkpoint.rounded(ViewNetwork())
    weights = checkpoint.rounded(build(request.param))
    spec = ViewSpec(64, 0.5, 0.25, least_frontal=-0.1, least_mirrored=0.0)
    described = replace(describe(architecture=request.param), screening=spec)
    screening = {SCREENING_PREFIX + name: each for name, each in views.items()}
    checkpoint.save(path, {**weights, **screening}, described)
    return Classifier.load(path, "cpu"), CompiledClassifier.load(path, threads=cores())


def test_probabilities_maps_and_views_are_those_of_torch(pair: Pair) -> None:
    reference, compiled = pair
    for count in (1, 2, 7):
        inputs = [reference.prepare(film) for film in films(count)]
        expected = reference.predict(inputs)
        for one, other in zip(compiled.predict(inputs), expected, strict=True):
            assert abs(one.pneumonia_probability - other.pneumonia_probability) < 1e-4
            np.testing.assert_allclose(one.activation_map, other.activation_map, atol=1e-4)
            assert one.model_version == other.model_version
        assert compiled.views(inputs) == reference.views(inputs)
    assert compiled.device_name == "CPU · OpenVINO"


def test_no_films_have_no_views_and_no_predictions(pair: Pair) -> None:
    assert (pair[1].views([]), pair[1].predict([])) == ([], [])


def test_many_threads_get_what_one_gets(pair: Pair) -> None:
    compiled = pair[1]
    inputs = [compiled.prepare(film) for film in films(16)]
    alone = [compiled.predict([each])[0] for each in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda one: compiled.predict([one])[0], inputs)
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_array_equal(one.activation_map, other.activation_map)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed by Linux")
def test_no_thread_is_bound_to_a_core(pair: Pair) -> None:
    """Else the processes of a backlog are bound to the same one, and take twice as long."""
    compiled = pair[1]
    inputs = [compiled.prepare(film) for film in films(8)]
    seen = set()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(lambda: [compiled.predict(inputs) for _ in range(8)])
        while not work.done():
            for task in Path("/proc/self/task").iterdir():
                with suppress(ProcessLookupError):
                    seen.add(frozenset(os.sched_getaffinity(int(task.name))))
    assert seen == {frozenset(os.sched_getaffinity(0))}


def test_the_share_of_pneumonia_of_a_site_moves_both_alike() -> None:
    shipped = Settings.model_fields["checkpoint"].default
    reference = Classifier.load(shipped, "cpu", prevalence=0.1)
    compiled = CompiledClassifier.load(shipped, prevalence=0.1)
    inputs = [reference.prepare(film) for film in films(3)]
    for one, other in zip(compiled.predict(inputs), reference.predict(inputs), strict=True):
        assert abs(one.pneumonia_probability - other.pneumonia_probability) < 1e-4
    assert compiled.operating_points == reference.operating_points
    assert compiled.model_version == reference.model_version != compiled.file_version


SCORE = """
import sys
from pathlib import Path
from cxr_app.model.classifier_choice import load_classifier
from cxr_app.scoring import Scorer

scorer = Scorer(load_classifier(Path(sys.argv[1]), "cpu"), in_subprocess=True)
print(scorer.score(Path(sys.argv[2]).read_bytes()).state.value)
assert not {name for name in sys.modules if name.partition(".")[0] in ("torch", "torchvision")}
"""
IMPORT = """
import sys
import {module}
assert not {{name for name in sys.modules if name.partition(".")[0] in ("torch", "torchvision")}}
"""


def python(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_film_is_scored_without_torch(tmp_path: Path) -> None:
    film = tmp_path / "film.jpg"
    film.write_bytes(jpeg(1, rows=400, columns=380))
    done = python(SCORE, str(Settings.model_fields["checkpoint"].default), str(film))
    assert (done.returncode, done.stdout.strip()) == (0, "SCORED"), done.stderr


@pytest.mark.parametrize(
    "module",
    [
        "cxr_app.scoring_engine",
        "cxr_app.ui.resources",
        "cxr_app.ui.panels.challenger_panel",
        "cxr_app.ui.text.retrain_text",
        "cxr_app.ui.server.monitoring_routes",
        "training.batch",
        "training.backlog.engines.scoring_worker",
    ],
)
def test_torch_is_not_imported_to_score(module: str) -> None:
    done = python(IMPORT.format(module=module))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["cxr_app.worklist", "cxr_app.scoring_engine", "training.batch"])
def test_statistics_are_not_imported_where_none_are_computed(module: str) -> None:
    """They take most of a second, in every process that scores, receives or sends."""
    done = python(f"import sys, {module}; assert 'scipy.stats' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_nobody_outside_hears_of_it(tmp_path: Path) -> None:
    """Importing OpenVINO by itself reports the import, and leaves a client's number at home."""
    script = (
        "import os, sys\n"
        "events = ('urllib.Request', 'socket.getaddrinfo', 'socket.connect')\n"
        "heard = lambda name, _: name in events and os.write(2, name.encode())\n"
        "sys.addaudithook(heard)\n"  # also in what it forks
        "from pathlib import Path\n"
        "from cxr_app.model import checkpoint\n"
        "from cxr_app.model.film_programs import film_programs\n"
        "from cxr_app.model.openvino_runtime import Program\n"
        "programs = film_programs(checkpoint.load(Path(sys.argv[1])))\n"
        "for each in programs.values(): Program(each, 1)\n"
        "import threading; [each.join(9) for each in threading.enumerate()[1:]]\n"
    )
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    shipped = str(Settings.model_fields["checkpoint"].default)
    command = [sys.executable, "-W", "ignore", "-c", script, shipped]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not any(each.name != ".cache" for each in tmp_path.iterdir())
