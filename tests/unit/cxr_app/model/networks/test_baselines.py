import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.models import vgg19

from cxr_app.errors import CheckpointMismatchError, SettingsError
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classes import BINARY_CLASSES
from cxr_app.model.classifier import Classifier
from cxr_app.model.evidence import (
    class_activation_map,
    gradient_map,
    relevance,
    resample_evenly,
)
from cxr_app.model.networks import baselines, build
from cxr_app.model.networks.base import BinaryNetwork, GlobalAveragePoolingNetwork
from cxr_app.model.networks.baselines import Equalisation
from tests.support.checkpoints import describe, write_ancestor
from tests.support.package_cam import package_map

SMALL = ("five_conv_swish", "five_conv_relu", "four_conv", "separable_conv")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    path = write_ancestor(tmp_path_factory.mktemp("weights") / "four.safetensors", "four_conv")
    return Classifier.load(path, "cpu")


def films(network: BinaryNetwork, count: int = 2) -> torch.Tensor:
    assert network.size is not None
    return torch.rand(count, 1, network.size, network.size)


def ancestor(name: str) -> BinaryNetwork:
    torch.manual_seed(0)
    network = build(name).eval()
    assert isinstance(network, BinaryNetwork)
    return network


def test_the_first_ancestor_has_the_parameters_that_its_author_counted() -> None:
    network = ancestor("five_conv_swish")

    assert sum(weights.numel() for weights in network.parameters()) == 311_041
    assert network.size == 300
    assert network.features(films(network)).shape == (2, 128, 3, 3)


@pytest.mark.parametrize("name", baselines.NETWORKS)
def test_an_ancestors_head_fits_its_films(name: str) -> None:
    with torch.device("meta"):  # shapes, and no numbers
        network = build(name)
        assert isinstance(network, BinaryNetwork)
        assert network(films(network)).shape == (2, 2)


@pytest.mark.parametrize("name", SMALL)
def test_an_ancestor_has_one_sigmoid_output(name: str) -> None:
    network = ancestor(name)
    with torch.no_grad():
        features = network.features(films(network, 1))
        logits = network.classify(features)

        torch.testing.assert_close(
            logits.softmax(dim=1)[:, 1], torch.sigmoid(network.head(features)[:, 0])
        )


@pytest.mark.parametrize("name", SMALL)
def test_an_ancestors_cells_look_where_they_say(name: str) -> None:
    """What moves a cell lies around its middle, measured by the gradient on the input."""
    network = ancestor(name)
    body = network.body[1:] if name == "separable_conv" else network.body  # type: ignore[index]
    film = films(network, 1).expand(-1, network.channels, -1, -1).clone().requires_grad_()
    features = body(film)
    cell = features.shape[2] // 2
    (gradient,) = torch.autograd.grad(features[0, :, cell, cell].sum(), film)
    weight = (gradient[0] ** 2).sum(dim=0)
    place = torch.arange(film.shape[2]) + 0.5
    middle = float((weight.sum(dim=1) * place).sum() / weight.sum())

    assert middle == pytest.approx(network.first + cell * network.spacing, abs=0.03 * len(place))


@pytest.mark.parametrize("name", SMALL)
def test_the_gradients_map_is_the_packages_grad_cam(name: str) -> None:
    network = ancestor(name)
    film = films(network, 1)
    with torch.inference_mode():
        ours = gradient_map(network, network.features(film))[0].numpy()

    theirs = package_map(network, network.body, film)
    np.testing.assert_allclose(ours, theirs * ours.size, rtol=1e-4, atol=1e-5)


def test_both_ways_to_a_map_agree_where_both_can_be_gone() -> None:
    torch.manual_seed(2)
    network = build("resnet18").eval()
    assert isinstance(network, GlobalAveragePoolingNetwork)
    with torch.inference_mode():
        features = network.features(torch.rand(2, 1, 96, 96))
        logits = network.classify(features)

        one_pass = class_activation_map(features, logits, network.linear.weight)

    torch.testing.assert_close(gradient_map(network, features), one_pass, rtol=1e-4, atol=1e-5)


def test_a_map_leaves_nothing_behind() -> None:
    network = ancestor("four_conv")
    batch = films(network)
    before = relevance(network, network.features(batch), network(batch))

    after = relevance(network, network.features(batch), network(batch))

    assert torch.equal(before, after)
    assert all(weights.grad is None for weights in network.parameters())


def test_an_ancestors_map_marks_the_place_of_a_blob() -> None:
    network = ancestor("four_conv")
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
        for layer in network.body.children():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight[0, 0, 1, 1] = 1.0  # hand the grey value on
        dense, last = network.head[2], network.head[5]
        assert isinstance(dense, torch.nn.Linear)
        assert isinstance(last, torch.nn.Linear)
        dense.weight[0, :64] = 1.0  # all 8 x 8 places of the first feature
        last.weight[0, 0] = 1.0
    film = torch.zeros(1, 1, 128, 128)
    film[..., 36:44, 84:92] = 1.0

    cells = resample_evenly(
        relevance(network, network.features(film), network(film)), network, 128
    )[0]

    row, column = np.unravel_index(int(cells.argmax()), cells.shape)
    assert (row + 0.5) / len(cells) == pytest.approx(40 / 128, abs=0.02)
    assert (column + 0.5) / len(cells) == pytest.approx(88 / 128, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(gamma=st.floats(0.5, 2.0), slope=st.floats(0.1, 5.0), shift=st.floats(-2.0, 2.0))
def test_equalised_films_are_the_same_however_they_were_exposed(
    gamma: float, slope: float, shift: float
) -> None:
    torch.manual_seed(0)
    film = torch.randint(0, 256, (2, 1, 20, 20)).double() / 255
    equalise = Equalisation()

    torch.testing.assert_close(equalise(film**gamma * slope + shift), equalise(film))


def test_an_equalised_film_has_mean_0_and_variance_1() -> None:
    torch.manual_seed(0)
    equal = Equalisation()(torch.rand(1, 1, 100, 100) ** 3)

    assert float(equal.mean()) == pytest.approx(0, abs=1e-3)
    assert float(equal.var()) == pytest.approx(1, abs=1e-3)


def test_a_network_without_causes_gives_none(classifier: Classifier) -> None:
    generator = np.random.default_rng(0)
    film = generator.random((90, 70), dtype=np.float32)

    (prediction,) = classifier.predict([classifier.prepare(film)])

    assert classifier.description.classes == BINARY_CLASSES
    assert (prediction.bacterial_probability, prediction.viral_probability) == (None, None)
    probability = prediction.pneumonia_probability
    threshold = classifier.operating_points["balanced"].threshold
    above = math.log(probability / (1 - probability)) - math.log(threshold / (1 - threshold))
    assert prediction.activation_map.mean() == pytest.approx(above, abs=1e-4)


def test_company_does_not_change_an_ancestors_prediction(classifier: Classifier) -> None:
    generator = np.random.default_rng(0)
    inputs = [classifier.prepare(generator.random((64, 64), dtype=np.float32)) for _ in range(3)]

    for one, prediction in zip(inputs, classifier.predict(inputs), strict=True):
        (alone,) = classifier.predict([one])
        assert alone.pneumonia_probability == pytest.approx(prediction.pneumonia_probability)
        np.testing.assert_allclose(alone.activation_map, prediction.activation_map, atol=1e-5)


def test_classes_that_the_architecture_does_not_have_are_refused() -> None:
    weights = checkpoint.rounded(build("four_conv"))
    with pytest.raises(CheckpointMismatchError, match="architecture's"):
        Classifier(
            Checkpoint(describe(architecture="four_conv"), weights, "0" * 64), torch.device("cpu")
        )


def test_missing_imagenet_weights_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody answers there

    with pytest.raises(SettingsError, match="--random-initialisation") as answer:
        baselines.load_imagenet(build("vgg19_transfer"))

    assert str(answer.value).count(". ") == 0


def test_imagenet_weights_are_taken_over_and_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(1)
    features = vgg19(weights=None).features
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    named = {f"features.{name}": value for name, value in features.state_dict().items()}
    torch.save(named, folder / "vgg19-dcbb9e9d.pth")  # as torchvision keeps what it fetched
    network = ancestor("vgg19_transfer")

    baselines.load_imagenet(network)

    expected = features.state_dict()
    assert all(torch.equal(value, expected[n]) for n, value in network.body.state_dict().items())
    learns = {name for name, weights in network.named_parameters() if weights.requires_grad}
    assert learns == {"head.3.weight", "head.3.bias"}
