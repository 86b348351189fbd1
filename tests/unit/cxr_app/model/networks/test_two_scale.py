import pytest
import torch

from cxr_app.model.networks import build, join, members
from cxr_app.model.networks.base import GlobalAveragePoolingNetwork
from cxr_app.model.networks.two_scale import TwoScaleNetwork

SIDE = 449
"""As 193, but its middle cells see no edge: they see farther than the film is wide there."""


@pytest.fixture
def parts() -> list[GlobalAveragePoolingNetwork]:
    """The networks that the shipped one is joined from, as if they were trained."""
    torch.manual_seed(0)
    built = [build(name).eval() for name in members("resnet18_two_scales")]
    assert all(isinstance(part, GlobalAveragePoolingNetwork) for part in built)
    return built  # type: ignore[return-value]


@pytest.mark.parametrize("side", [65, 129, 193])
def test_it_says_the_mean_of_what_its_networks_say(
    parts: list[GlobalAveragePoolingNetwork], side: int
) -> None:
    films = torch.rand(3, 1, side, side)
    with torch.no_grad():
        fine, coarse = (part(films) for part in parts)

        answer = join(parts).eval()(films)

    assert answer.shape == fine.shape == (3, 3)
    assert not torch.allclose(fine, coarse, atol=1e-3)
    torch.testing.assert_close(answer, (fine + coarse) / 2, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("side", [64, 160, 224])
def test_it_reads_films_of_any_size(parts: list[GlobalAveragePoolingNetwork], side: int) -> None:
    with torch.no_grad():
        answer = join(parts).eval()(torch.rand(2, 1, side, side))

    assert torch.isfinite(answer).all()


def test_joined_it_has_the_weights_that_its_checkpoint_wants(
    parts: list[GlobalAveragePoolingNetwork],
) -> None:
    joined = join(parts)

    assert isinstance(joined, TwoScaleNetwork)
    stored = {name: weight.shape for name, weight in joined.state_dict().items()}
    built = build("resnet18_two_scales").state_dict()
    assert stored == {name: weight.shape for name, weight in built.items()}


def test_each_body_looks_where_the_grid_says(parts: list[GlobalAveragePoolingNetwork]) -> None:
    """The middle of what moves a cell, measured by the gradient on the input."""
    network = join(parts).eval()
    film = torch.rand(1, 1, SIDE, SIDE, requires_grad=True)
    features = network.features(film)
    place = torch.arange(SIDE) + 0.5
    assert features.shape[-2:] == (15, 15)
    for body in torch.split(features, [512, 256], dim=1):
        for row, column in ((6, 8), (8, 6)):
            (gradient,) = torch.autograd.grad(
                body[0, :, row, column].sum(), film, retain_graph=True
            )
            weight = gradient[0, 0] ** 2
            for direction, cell in ((1, row), (0, column)):
                middle = float((weight.sum(dim=direction) * place).sum() / weight.sum())
                expected = network.first + cell * network.spacing
                assert middle == pytest.approx(expected, abs=0.03 * SIDE)
