import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pytorch_grad_cam import GradCAM
from torch import Tensor, nn

from cxr_app.errors import CheckpointMismatchError, SettingsError
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.model import checkpoint
from cxr_app.model.activation_map import heat, on_film
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import (
    Classifier,
    choose_device,
    class_activation_map,
    evidence,
    log_odds,
    name_of,
    resample_evenly,
)
from cxr_app.model.networks import GlobalAveragePoolingNetwork, build
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.prediction import HeatScale
from tests.support.checkpoints import SIZE, describe
from training.fit.recipe import read_recipe


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    torch.manual_seed(0)
    weights = checkpoint.rounded(build("resnet18"))
    return Classifier(Checkpoint(describe(), weights, "ab" * 32), torch.device("cpu"))


def films(count: int, seed: int = 0) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.random((90, 70), dtype=np.float32) for _ in range(count)]


class Opacity(nn.Module):
    """A body that sees bright spots: one feature, the mean grey of each 8 x 8 cell."""

    def forward(self, batch: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(batch, 8)


def test_pneumonia_is_bacterial_and_viral_together(classifier: Classifier) -> None:
    (prediction,) = classifier.predict([classifier.prepare(films(1)[0])])

    bacterial, viral = prediction.bacterial_probability, prediction.viral_probability
    assert bacterial is not None
    assert viral is not None
    assert 0 < bacterial < 1
    assert prediction.pneumonia_probability == pytest.approx(bacterial + viral)
    assert prediction.model_version == "tiny-" + "abababab"


def test_company_in_the_batch_does_not_change_a_prediction(classifier: Classifier) -> None:
    inputs = [classifier.prepare(film) for film in films(5)]

    together = classifier.predict(inputs)

    for network_input, prediction in zip(inputs, together, strict=True):
        (alone,) = classifier.predict([network_input])
        assert alone.pneumonia_probability == pytest.approx(
            prediction.pneumonia_probability, abs=1e-5
        )
        np.testing.assert_allclose(alone.activation_map, prediction.activation_map, atol=1e-4)


def test_no_films_give_no_predictions(classifier: Classifier) -> None:
    assert classifier.predict([]) == []


def test_a_film_above_the_operating_point_has_a_map_above_it(classifier: Classifier) -> None:
    (prediction,) = classifier.predict([classifier.prepare(films(1)[0])])

    probability = prediction.pneumonia_probability
    threshold = classifier.operating_points["balanced"].threshold
    above = math.log(probability / (1 - probability)) - math.log(threshold / (1 - threshold))
    assert prediction.activation_map.mean() == pytest.approx(above, abs=1e-4)


def test_the_cells_of_a_map_average_the_films_own_log_odds() -> None:
    torch.manual_seed(0)
    raw, logits = torch.randn(4, 3, 5), torch.randn(4, 3)

    maps = evidence(raw, logits, temperature=1.4, threshold=0.3)

    above = log_odds(logits / 1.4) - math.log(0.3 / 0.7)
    torch.testing.assert_close(maps.mean(dim=(1, 2)), above)


def test_a_networks_cells_look_where_it_says_they_do() -> None:
    """The middle of what moves a cell, measured by the gradient on the input."""
    torch.manual_seed(0)
    network = build("resnet18").eval()
    film = torch.rand(1, 1, 224, 224, requires_grad=True)
    features = network.features(film)
    for row, column in ((3, 3), (2, 4)):
        (gradient,) = torch.autograd.grad(
            features[0, :, row, column].sum(), film, retain_graph=True
        )
        weight = gradient[0, 0] ** 2
        place = torch.arange(224) + 0.5
        middle_row = float((weight.sum(dim=1) * place).sum() / weight.sum())
        middle_column = float((weight.sum(dim=0) * place).sum() / weight.sum())
        assert middle_row == pytest.approx(network.first + row * network.spacing, abs=0.03 * 224)
        assert middle_column == pytest.approx(
            network.first + column * network.spacing, abs=0.03 * 224
        )


def test_laying_moves_evidence_to_its_place_and_invents_none() -> None:
    network = build("resnet18")
    maps = torch.zeros(1, 7, 7)
    maps[0, 2, 5] = 1.0

    laid = resample_evenly(maps, network, size=224)[0]

    assert laid.shape == (14, 14)
    assert laid.min() >= 0
    assert laid.max() <= 1
    place = (torch.arange(14) + 0.5) / 14
    middle = [float((laid.sum(dim=d) * place).sum() / laid.sum()) for d in (1, 0)]
    assert middle == pytest.approx([(2 * 32 + 0.5) / 224, (5 * 32 + 0.5) / 224], abs=0.01)


@pytest.mark.parametrize("architecture", ["resnet18", "resnet18_two_scales"])
def test_the_one_pass_map_is_the_packages_grad_cam_of_the_log_odds(architecture: str) -> None:
    torch.manual_seed(1)
    network = build(architecture).eval()
    assert isinstance(network, GlobalAveragePoolingNetwork)
    film = torch.rand(1, 1, 96, 96)
    with torch.no_grad():
        features = network.features(film)
        logits = network.classify(features)
        ours = class_activation_map(features, logits, network.linear.weight)[0].numpy()

    targets = [lambda output: log_odds(output[None])[0]]
    with GradCAM(model=network, target_layers=[network.body]) as package:
        package(input_tensor=film, targets=targets)
        seen = package.activations_and_grads
        (theirs,) = package.get_cam_image(
            film,
            network.body,
            targets,
            seen.activations[0].detach().numpy(),
            seen.gradients[0].detach().numpy(),
        )

    # The package weighs by the mean gradient, ours by its sum over the grid: h x w times as much.
    np.testing.assert_allclose(ours, theirs * ours.size, rtol=1e-5, atol=1e-5)


@settings(max_examples=40)
@given(
    rows=st.integers(300, 900),
    columns=st.integers(300, 900),
    down=st.floats(0.08, 0.92),
    right=st.floats(0.08, 0.92),
)
@example(rows=300, columns=900, down=0.3, right=0.65)
@example(rows=900, columns=300, down=0.3, right=0.65)
def test_a_planted_blob_is_where_the_map_peaks(
    rows: int, columns: int, down: float, right: float
) -> None:
    network = GlobalAveragePoolingNetwork(Opacity(), channels=1, spacing=8.0, first=4.0)
    with torch.no_grad():
        network.linear.weight.copy_(torch.tensor([[-4.0], [4.0], [4.0]]))
        network.linear.bias.zero_()
    radius = 0.05 * min(rows, columns)
    y, x = np.ogrid[0.5:rows, 0.5:columns]
    distance = np.hypot(y - down * rows, x - right * columns)
    image = np.maximum(0, 1 - distance / radius).astype(np.float32)

    batch = torch.from_numpy(resize_to_square(image, 256))[None, None]
    features = network.features(batch)
    logits = network.classify(features)
    raw = class_activation_map(features, logits, network.linear.weight)
    found = evidence(raw, logits, temperature=1.0, threshold=0.5)
    cells = resample_evenly(found, network, size=256)[0].detach().numpy()
    laid = on_film(heat(cells, HeatScale(0.0, float(cells.max()))), rows, columns)

    peak = np.argwhere(laid >= laid.max() - 1e-6).mean(axis=0) + 0.5
    assert abs(peak[0] / rows - down) <= 0.02
    assert abs(peak[1] / columns - right) <= 0.02


def test_a_device_that_is_not_there_is_refused_by_name() -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(SettingsError, match=absent):
        choose_device(absent)


def test_auto_takes_the_best_device_there_is() -> None:
    device = choose_device("auto")

    best = "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.backends.mps.is_available():
        assert device.type == best
    assert name_of(torch.device("cpu")) == "CPU"


def test_weights_of_another_architecture_are_named() -> None:
    weights = checkpoint.rounded(build("resnet18"))
    weights["linear.bias"] = torch.zeros(5)

    with pytest.raises(CheckpointMismatchError, match=r"linear\.bias is \(5,\)"):
        Classifier(Checkpoint(describe(), weights, "0" * 64), torch.device("cpu"))


def test_an_unknown_architecture_is_named() -> None:
    with pytest.raises(CheckpointMismatchError, match="resnet18"):
        build("a pickle")


def test_our_network_divides_a_film_alike_from_both_sides() -> None:
    """Sides of 32 n make cells that begin at the left edge and end before the right one.

    A network of such cells favoured one side of the film: 87 % of its heat lay there.
    """
    recipe = read_recipe(SHIPPED)
    ours = build(recipe.architecture).eval()
    size = ours.size or recipe.size

    cells = ours.features(torch.zeros(1, 1, size, size)).shape[-1]

    assert ours.first == size - (ours.first + ours.spacing * (cells - 1))


def test_inputs_have_the_size_that_the_checkpoint_wants(classifier: Classifier) -> None:
    assert classifier.prepare(films(1)[0]).shape == (SIZE, SIZE)
