"""The network's answer is the sum of its evidence, and one film does not touch another."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.lung_fields import LungFields
from cxr_app.model.evidence import forward_with_map, log_odds, to_activation_map
from cxr_app.model.networks import build
from cxr_app.model.networks.evidence_pyramid import EvidencePyramid
from cxr_app.model.networks.lung_crop import (
    CROP_SHARE,
    MAP_SIDE,
    NO_EVIDENCE,
    LungCropNetwork,
    member_weights,
)


@pytest.fixture(scope="module", params=["crop_and_film", "lung_crop"])
def network(request: pytest.FixtureRequest) -> LungCropNetwork:
    torch.manual_seed(0)
    built = build(request.param)
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


def test_only_a_member_that_reads_the_film_sees_beyond_the_lungs(network: LungCropNetwork) -> None:
    box = torch.tensor([[0.25, 0.25, 0.75, 0.75]])
    changed = films(1)
    changed[..., :50, :] = 1.0
    with torch.inference_mode():
        before, _, _ = network.read_boxes(films(1), box)
        after, _, _ = network.read_boxes(changed, box)
    assert torch.equal(before, after) == ("film" not in network.reads)


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=5))
def test_what_members_count_adds_up_to_one(adult: list[float]) -> None:
    for reads in (["crop"], ["film"], ["crop", "crop"], ["crop", "film"], ["film", "crop", "crop"]):
        weights = member_weights(reads, torch.tensor(adult))  # type: ignore[arg-type]
        assert weights.shape == (len(reads), len(adult))
        torch.testing.assert_close(weights.sum(dim=0), torch.ones(len(adult)))


def test_the_crop_counts_more_of_adults_than_of_children() -> None:
    crop, film = member_weights(["crop", "film"], torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(crop, torch.tensor(CROP_SHARE))
    torch.testing.assert_close(film, 1 - torch.tensor(CROP_SHARE))
    two = member_weights(["crop", "crop"], torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(two, torch.full((2, 2), 0.5))


def test_the_map_is_log_odds_above_the_threshold(network: LungCropNetwork) -> None:
    with torch.inference_mode():
        reading = forward_with_map(network, films())
    shown = to_activation_map(reading.maps, reading.logits, 1.0, 0.25, relative=False)
    assert torch.allclose(shown, reading.maps + torch.log(torch.tensor(3.0)), atol=1e-5)
