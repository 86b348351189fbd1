"""The methods to compute a map, on real networks with random weights."""

import numpy as np
import pytest
import torch

from cxr_app.model import checkpoint, networks
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.evidence import forward_with_map
from tests.support.checkpoints import SIZE, describe, write_ancestor
from training.explain.cams import METHODS, Explainer, build_explainer
from training.explain.randomisation import PARTS, randomised
from training.explain.stability import similarity


@pytest.fixture(scope="module")
def source() -> Checkpoint:
    torch.manual_seed(0)
    return Checkpoint(describe(), checkpoint.rounded(networks.build("resnet18")), "ab" * 32)


def inputs(explainer: Explainer, count: int = 2) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    films = [generator.random((90, 70), dtype=np.float32) for _ in range(count)]
    return [explainer.classifier.prepare(film) for film in films]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_returns_a_map_and_the_same_score(method: str, source: Checkpoint) -> None:
    chosen = build_explainer(source, "cpu", method)
    films = inputs(chosen)

    found = chosen.explain(films)

    assert found.maps.shape == (2, 4, 4)  # a grid of 2 x 2, laid evenly
    assert np.isfinite(found.maps).all()
    np.testing.assert_allclose(found.pneumonia, chosen.score(films), atol=1e-6)
    heat = chosen.heat(found.maps[0])
    assert 0 <= heat.min() <= heat.max() <= 1


def test_our_map_is_the_packages_grad_cam(source: Checkpoint) -> None:
    ours, theirs = (build_explainer(source, "cpu", method) for method in ("one-pass", "gradcam"))
    films = inputs(ours)
    net = networks.build("resnet18").eval()
    checkpoint.fill(net, source.weights)
    with torch.inference_mode():
        raw = forward_with_map(net, torch.from_numpy(np.stack(films))[:, None]).maps

    cells = (SIZE // 32) ** 2  # the package takes the mean of the gradient, ours its sum
    np.testing.assert_allclose(theirs.explain(films).maps * cells, raw.numpy(), atol=1e-5)
    for own, package in zip(ours.explain(films).maps, theirs.explain(films).maps, strict=True):
        assert similarity(own, package) == pytest.approx(1.0)


@pytest.mark.parametrize("method", METHODS)
def test_no_hook_is_left_on_the_classifier(method: str, source: Checkpoint) -> None:
    chosen = build_explainer(source, "cpu", method)
    before = chosen.classifier.predict(inputs(chosen))

    chosen.explain(inputs(chosen))

    after = chosen.classifier.predict(inputs(chosen))
    np.testing.assert_array_equal(before[0].activation_map, after[0].activation_map)


@pytest.mark.parametrize("method", METHODS)
def test_a_network_without_causes_is_explained_too(
    method: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_ancestor(tmp_path_factory.mktemp("weights") / "a.safetensors", "four_conv")
    chosen = build_explainer(checkpoint.load(path), "cpu", method)

    found = chosen.explain(inputs(chosen, 1))

    assert found.maps.shape[0] == 1
    assert np.isfinite(found.maps).all()


@pytest.mark.parametrize("architecture", ["resnet18", "resnet18_two_scales", "four_conv"])
@pytest.mark.parametrize("part", PARTS)
def test_only_the_part_is_randomised(part: str, architecture: str) -> None:
    torch.manual_seed(0)
    weights = checkpoint.rounded(networks.build(architecture))
    source = Checkpoint(describe(architecture=architecture), weights, "ab" * 32)

    changed = randomised(source, part, seed=1)

    different = {n for n in weights if not torch.equal(weights[n], changed.weights[n])}
    bodies = ("body.fine.", "body.coarse.") if "two" in architecture else ("body.",)
    stages = {
        name.removeprefix(body).split(".")[0]
        for name in different
        for body in bodies
        if name.startswith(body)
    }
    last = "9" if architecture == "four_conv" else "layer4"
    assert any(not name.startswith("body.") for name in different)
    if part != "whole network":
        assert stages == (set() if part == "head" else {last})
    else:
        assert len(stages) > 1


def test_random_weights_do_not_affect_the_global_generator(source: Checkpoint) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)

    randomised(source, "head", seed=0)

    assert torch.equal(torch.rand(1), expected)
