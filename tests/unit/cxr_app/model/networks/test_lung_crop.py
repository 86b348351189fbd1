"""The network's answer is the sum of its evidence, and one film does not touch another."""

import numpy as np
import pytest
import torch

from cxr_app.lung_fields import LungFields
from cxr_app.model.evidence import forward_with_map, log_odds, to_activation_map
from cxr_app.model.networks import build
from cxr_app.model.networks.evidence_pyramid import EvidencePyramid
from cxr_app.model.networks.lung_crop import MAP_SIDE, NO_EVIDENCE, LungCropNetwork


@pytest.fixture(scope="module")
def network() -> LungCropNetwork:
    torch.manual_seed(0)
    built = build("lung_crop")
    assert isinstance(built, LungCropNetwork)
    return built.eval()


def films(count: int = 3) -> torch.Tensor:
    return torch.rand(count, 1, 224, 224, generator=torch.Generator().manual_seed(1))


def test_the_film_is_the_weighted_sum_of_its_cells() -> None:
    torch.manual_seed(0)
    member = EvidencePyramid().eval()
    with torch.inference_mode():
        said = member(films()[:, :, :160, :160])
    assert torch.allclose(said.weights.sum(dim=(1, 2)), torch.ones(3), atol=1e-5)
    total = (said.weights * said.cells).sum(dim=(1, 2))
    assert torch.allclose(total, said.log_odds, atol=1e-4)


def test_a_film_is_read_alike_alone_and_in_a_batch(network: LungCropNetwork) -> None:
    with torch.inference_mode():
        together = network.read(films())
        alone = [network.read(film[None]) for film in films()]
    for place, one in enumerate(alone):
        assert torch.allclose(together.logits[place], one.logits[0], atol=1e-4)
        assert torch.allclose(together.evidence[place], one.evidence[0], atol=1e-4)
        np.testing.assert_array_equal(together.lungs[place].mask, one.lungs[0].mask)


def test_logits_from_features_are_those_of_the_film(network: LungCropNetwork) -> None:
    with torch.inference_mode():
        reading = network.read(films())
        features = network.features(films())
    assert torch.allclose(network.classify(features), reading.logits, atol=1e-4)
    assert torch.allclose(features[:, 0], reading.evidence, atol=1e-4)
    assert features.shape == (3, 3, MAP_SIDE, MAP_SIDE)


def test_calibration_moves_the_log_odds_and_not_the_causes(network: LungCropNetwork) -> None:
    with torch.inference_mode():
        before = network.read(films())
        network.slope.fill_(2.0)
        network.offset.fill_(-1.0)
        after = network.read(films())
        network.slope.fill_(1.0)
        network.offset.fill_(0.0)
    assert torch.allclose(log_odds(after.logits), 2 * log_odds(before.logits) - 1, atol=1e-4)
    causes = [reading.logits[:, 1] - reading.logits[:, 2] for reading in (before, after)]
    assert torch.allclose(causes[0], causes[1], atol=1e-4)


def test_cells_outside_the_crop_speak_for_nothing(
    network: LungCropNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    lungs = LungFields(np.ones((96, 96), bool), found=True)
    box = (0.25, 0.25, 0.75, 0.75)
    monkeypatch.setattr(network, "find_lungs", lambda films: ((lungs,), [box]))
    with torch.inference_mode():
        reading = network.read(films(1))
    outside = reading.evidence[0] == NO_EVIDENCE
    assert outside[0].all()
    assert not outside[MAP_SIDE // 2, MAP_SIDE // 2]
    assert float(outside.float().mean()) == pytest.approx(0.75, abs=0.01)


def test_the_map_is_log_odds_above_the_threshold(network: LungCropNetwork) -> None:
    with torch.inference_mode():
        reading = forward_with_map(network, films())
    shown = to_activation_map(reading.maps, reading.logits, 1.0, 0.25, relative=False)
    assert torch.allclose(shown, reading.maps + torch.log(torch.tensor(3.0)), atol=1e-5)
