import torch
from torch import nn

from cxr_app.network import build
from training.engine import settle


def films_in_batches() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(16, 1, 32, 32) * 3 + 1 for _ in range(4)]


def test_settling_moves_statistics_and_no_weight() -> None:
    torch.manual_seed(0)
    model = build("resnet18")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    settle(model, films_in_batches())

    after = model.state_dict()
    learns = {name for name, _ in model.named_parameters()}
    assert all(torch.equal(before[name], after[name]) for name in learns)
    assert not torch.equal(before["body.bn1.running_mean"], after["body.bn1.running_mean"])
    assert not model.training


def test_settled_statistics_are_those_of_the_films() -> None:
    torch.manual_seed(0)
    model = build("resnet18")
    first = model.body.get_submodule("conv1")
    expected = torch.stack([first(films).mean(dim=(0, 2, 3)) for films in films_in_batches()])

    settle(model, films_in_batches())

    settled = model.body.get_submodule("bn1")
    assert isinstance(settled, nn.BatchNorm2d)
    assert settled.running_mean is not None
    torch.testing.assert_close(settled.running_mean, expected.mean(dim=0), atol=1e-4, rtol=1e-4)
