import pytest
import torch
from torch import nn

from cxr_app.model.networks import build
from cxr_app.model.preprocessing import InputSpec
from training.data.dataset import ANY_CAUSE
from training.fit import distributed
from training.fit.epochs import recalibrate_batch_norm
from training.fit.loss import mean_loss
from training.fit.recipe import Recipe, Stage
from training.fit.training_state import initial_state


def films_in_batches() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(16, 1, 32, 32) * 3 + 1 for _ in range(4)]


def test_recalibration_changes_statistics_and_no_weight() -> None:
    torch.manual_seed(0)
    model = build("resnet18")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    recalibrate_batch_norm(model, films_in_batches())

    after = model.state_dict()
    weights = {name for name, _ in model.named_parameters()}
    assert all(torch.equal(before[name], after[name]) for name in weights)
    assert not torch.equal(before["body.bn1.running_mean"], after["body.bn1.running_mean"])
    assert not model.training


def test_recalibrated_statistics_are_those_of_the_films() -> None:
    torch.manual_seed(0)
    model = build("resnet18")
    first = model.body.get_submodule("conv1")
    expected = torch.stack([first(films).mean(dim=(0, 2, 3)) for films in films_in_batches()])

    recalibrate_batch_norm(model, films_in_batches())

    recalibrated = model.body.get_submodule("bn1")
    assert isinstance(recalibrated, nn.BatchNorm2d)
    assert recalibrated.running_mean is not None
    torch.testing.assert_close(
        recalibrated.running_mean, expected.mean(dim=0), atol=1e-4, rtol=1e-4
    )


def test_the_average_forgets_the_first_weights_faster_than_later_ones() -> None:
    decay, steps = 0.6, 12
    recipe = Recipe("test", "four_conv", (Stage(128, 1),), average_decay=decay)
    state = initial_state(distributed.set_up("cpu"), recipe, InputSpec(128, 0.5, 0.25), steps)
    weight = state.model.get_parameter("body.0.weight")
    torch.manual_seed(0)
    expected = torch.zeros_like(weight)

    for step in range(steps):
        with torch.no_grad():
            weight.add_(torch.randn_like(weight))
        state.average.update_parameters(state.model)
        kept = min(decay, (1 + step) / (10 + step)) if step else 0.0
        expected = kept * expected + (1 - kept) * weight.detach()

    torch.testing.assert_close(state.averaged.get_parameter("body.0.weight"), expected)


def loss(logits: torch.Tensor, *targets: int, **options: float) -> float:
    recipe = Recipe("test", "resnet18", (Stage(32, 1),), **options)  # type: ignore[arg-type]
    weights = torch.ones(4)
    weights[0] = recipe.normal_weight
    return float(mean_loss(logits, torch.tensor(targets), weights, recipe))


def test_pneumonia_of_unknown_cause_counts_as_both_causes_together() -> None:
    logits = torch.tensor([[0.3, -1.0, 2.0]])
    probabilities = torch.softmax(logits, dim=1)[0]
    expected = -torch.log(probabilities[1] + probabilities[2])

    assert loss(logits, ANY_CAUSE, label_smoothing=0.0) == pytest.approx(float(expected))


def test_films_of_known_cause_have_the_ordinary_loss() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(4, 3), (0, 1, 2, 0)
    for weight in (1.0, 1.7):
        expected = nn.functional.cross_entropy(
            logits,
            torch.tensor(targets),
            weight=torch.tensor([weight, 1.0, 1.0]),
            label_smoothing=0.05,
        )
        options = {"normal_weight": weight, "label_smoothing": 0.05}
        assert loss(logits, *targets, **options) == pytest.approx(float(expected))
        both = loss(torch.cat([logits, logits[:2]]), *targets, 0, ANY_CAUSE, **options)
        separate = loss(logits[:1], 0, **options) * weight + loss(logits[1:2], ANY_CAUSE, **options)
        whole = float(expected) * (2 + 2 * weight)
        assert both * (3 + 3 * weight) == pytest.approx(whole + separate)
