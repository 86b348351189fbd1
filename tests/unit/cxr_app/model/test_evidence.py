"""Where on a film the evidence lies, and that it adds up to the film's log-odds."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.model.activation_map import heat, on_film
from cxr_app.model.evidence import (
    class_activation_map,
    log_odds,
    resample_evenly,
    to_activation_map,
)
from cxr_app.model.networks import GlobalAveragePoolingNetwork, build
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.prediction import HeatScale
from tests.support.package_cam import package_map
from training.fit.recipe import read_recipe


def test_the_cells_of_a_map_average_the_films_own_log_odds() -> None:
    torch.manual_seed(0)
    raw, logits = torch.randn(4, 3, 5), torch.randn(4, 3)

    maps = to_activation_map(raw, logits, temperature=1.4, threshold=0.3)

    above = log_odds(logits / 1.4) - math.log(0.3 / 0.7)
    torch.testing.assert_close(maps.mean(dim=(1, 2)), above)


def test_a_cell_sees_the_part_of_the_film_that_its_network_declares() -> None:
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


def test_resampling_moves_evidence_to_its_place_and_invents_none() -> None:
    network = build("resnet18")
    maps = torch.zeros(1, 7, 7)
    maps[0, 2, 5] = 1.0

    even = resample_evenly(maps, network, size=224)[0]

    assert even.shape == (14, 14)
    assert even.min() >= 0
    assert even.max() <= 1
    place = (torch.arange(14) + 0.5) / 14
    middle = [float((even.sum(dim=d) * place).sum() / even.sum()) for d in (1, 0)]
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

    theirs = package_map(network, network.body, film)
    # The package weighs by the mean gradient, ours by its sum over the grid: h x w times as much.
    np.testing.assert_allclose(ours, theirs * ours.size, rtol=1e-5, atol=1e-5)


class Opacity(nn.Module):
    """A body that sees bright spots: one feature, the mean grey of each 8 x 8 cell."""

    def forward(self, batch: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(batch, 8)


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
    found = to_activation_map(raw, logits, temperature=1.0, threshold=0.5)
    cells = resample_evenly(found, network, size=256)[0].detach().numpy()
    even = on_film(heat(cells, HeatScale(0.0, float(cells.max()))), rows, columns)

    peak = np.argwhere(even >= even.max() - 1e-6).mean(axis=0) + 0.5
    assert abs(peak[0] / rows - down) <= 0.02
    assert abs(peak[1] / columns - right) <= 0.02


def test_the_cells_of_the_shipped_network_are_symmetric() -> None:
    """Sides of 32 n make cells that begin at the left edge and end before the right one.

    A network of such cells favoured one side of the film: 87 % of its heat lay there.
    """
    recipe = read_recipe(SHIPPED)
    ours = build(recipe.architecture).eval()
    size = ours.size or recipe.size

    cells = ours.features(torch.zeros(1, 1, size, size)).shape[-1]

    assert ours.first == size - (ours.first + ours.spacing * (cells - 1))
