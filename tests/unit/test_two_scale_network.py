import pytest
import torch

from cxr_app.network import build
from cxr_app.two_scale_network import TwoScaleNetwork

SIDE = 449
"""As 193, but its middle cells see no edge: they see farther than the film is wide there."""


@pytest.fixture
def network() -> TwoScaleNetwork:
    torch.manual_seed(0)
    built = build("resnet18_two_scales")
    assert isinstance(built, TwoScaleNetwork)
    return built.eval()


def answers_of(network: TwoScaleNetwork, films: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What each body says, without what learning does to normalisation."""
    network.training = True  # of the network alone: its layers go on reading
    fine, coarse = network(films).chunk(len(network.bodies))
    network.training = False
    return fine, coarse


@pytest.mark.parametrize("side", [64, 129, 193])
def test_it_says_the_mean_of_what_its_bodies_say(network: TwoScaleNetwork, side: int) -> None:
    films = torch.rand(3, 1, side, side)
    with torch.no_grad():
        fine, coarse = answers_of(network, films)

        said = network(films)

    assert said.shape == fine.shape == (3, 3)
    assert not torch.allclose(fine, coarse, atol=1e-3)
    torch.testing.assert_close(said, (fine + coarse) / 2, atol=1e-5, rtol=1e-5)


def test_no_body_learns_from_the_others_answer(network: TwoScaleNetwork) -> None:
    fine, coarse = answers_of(network, torch.rand(2, 1, 65, 65))

    for answer, own, other in ((fine, "fine", "coarse"), (coarse, "coarse", "fine")):
        network.zero_grad()
        torch.autograd.backward(answer.sum(), retain_graph=True)
        touched = {
            name.split(".")[1]
            for name, weight in network.named_parameters()
            if name.startswith("body.") and weight.grad is not None and weight.grad.any()
        }
        assert touched == {own}, f"{other} moved"


def test_each_body_looks_where_the_grid_says(network: TwoScaleNetwork) -> None:
    """The middle of what moves a cell, measured by the gradient on the input."""
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
