import torch

from cxr_app.network import build
from training.engine import settle


def test_settling_moves_statistics_and_no_weight() -> None:
    torch.manual_seed(0)
    model = build("resnet18")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    settle(model, [torch.randn(8, 1, 32, 32) for _ in range(3)])

    after = model.state_dict()
    learns = {name for name, _ in model.named_parameters()}
    assert all(torch.equal(before[name], after[name]) for name in learns)
    assert not torch.equal(before["body.bn1.running_mean"], after["body.bn1.running_mean"])
    assert not model.training


def test_settled_statistics_are_those_of_the_films() -> None:
    torch.manual_seed(0)
    model = build("resnet18")
    films = torch.randn(64, 1, 32, 32) * 3 + 1

    settle(model, films.split(16))

    expected = torch.stack([model.body.conv1(part).mean(dim=(0, 2, 3)) for part in films.split(16)])
    assert torch.allclose(model.body.bn1.running_mean, expected.mean(dim=0), atol=1e-4)
