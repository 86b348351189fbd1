"""What a picture shows: the network's two views, its thresholds, and its place in a checkpoint."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxr_app.errors import CheckpointError, CheckpointMismatchError
from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.networks import view
from cxr_app.model.networks.view import ViewNetwork, view_logits
from cxr_app.model.screening import ViewClass
from cxr_app.model.view_spec import VIEWS, ViewSpec, views_of
from tests.support.checkpoints import write_tiny
from training import embed_screening
from training.drawing.phantom_films import draw_phantom

SPEC = ViewSpec(size=32, mean=0.5, standard_deviation=0.25, least_frontal=0.0, least_mirrored=1.0)


def network(seed: int = 0) -> ViewNetwork:
    torch.manual_seed(seed)
    return ViewNetwork().eval()


def sure_of(kind: ViewClass, odds: float = 4.0) -> NDArray[np.float32]:
    """Logits of a network that is sure."""
    logits = np.zeros((1, len(VIEWS)), np.float32)
    logits[0, VIEWS.index(kind)] = odds
    return logits


@pytest.mark.parametrize("kind", VIEWS)
def test_likeliest_kind_is_taken(kind: ViewClass) -> None:
    assert views_of(sure_of(kind), SPEC) == [kind]


def test_film_below_the_threshold_is_refused_for_the_likeliest_reason() -> None:
    strict = ViewSpec(32, 0.5, 0.25, least_frontal=5.0, least_mirrored=1.0)
    logits = sure_of(ViewClass.UPRIGHT) + 0.5 * sure_of(ViewClass.UPSIDE_DOWN)
    assert views_of(logits, strict) == [ViewClass.UPSIDE_DOWN]


def test_slightly_likelier_mirrored_film_counts_as_upright() -> None:
    logits = sure_of(ViewClass.UPRIGHT) + sure_of(ViewClass.MIRRORED, odds=4.9)
    assert views_of(logits, SPEC) == [ViewClass.UPRIGHT]
    assert views_of(logits + sure_of(ViewClass.MIRRORED, odds=0.2), SPEC) == [ViewClass.MIRRORED]


def test_mirror_image_of_a_picture_swaps_left_and_right() -> None:
    picture = torch.from_numpy(draw_phantom(3, 64, 60).copy())[None, None]
    one, other = (view_logits(network(), p, SPEC) for p in (picture, picture.flip(3)))
    swapped = [VIEWS.index(view._MIRROR_IMAGE[kind]) for kind in VIEWS]
    assert torch.allclose(one, other[:, swapped], atol=1e-4)


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 8},
        {"standard_deviation": 0.0},
        {"least_frontal": float("nan")},
        {"least_mirrored": float("inf")},
    ],
)
def test_impossible_description_is_refused(changed: dict[str, float]) -> None:
    values: dict[str, Any] = {"size": 32, "mean": 0.5, "standard_deviation": 0.25}
    values |= {"least_frontal": 0.0, "least_mirrored": 0.0} | changed
    with pytest.raises(ValueError, match=r"too low|finite"):
        ViewSpec(**values)


def test_checkpoint_carries_the_screening_network(tmp_path: Path) -> None:
    alone, plain = tmp_path / "screening.safetensors", write_tiny(tmp_path / "tiny.safetensors")
    joined = tmp_path / "joined.safetensors"
    weights = checkpoint.rounded(network())
    checkpoint.save_screening(alone, weights, SPEC)
    arguments = [str(plain), "--screening", str(alone), "--out", str(joined)]
    assert embed_screening.main(arguments) == 0

    before, after = checkpoint.load(plain), checkpoint.load(joined)
    assert after.description.screening == SPEC
    assert after.weights.keys() == before.weights.keys()
    assert after.screening_weights.keys() == weights.keys()
    assert all(torch.equal(after.screening_weights[name], weights[name]) for name in weights)

    old, new = (Classifier.load(path, "cpu") for path in (plain, joined))
    inputs = [old.prepare(draw_phantom(seed, 200, 180)) for seed in range(3)]
    assert old.views(inputs) == [ViewClass.UPRIGHT] * 3
    assert len(new.views(inputs)) == 3
    assert new.views([]) == []
    one, other = (classifier.predict(inputs)[0] for classifier in (old, new))
    assert one.pneumonia_probability == other.pneumonia_probability


def test_half_of_a_screening_network_is_named(tmp_path: Path) -> None:
    source = checkpoint.load(write_tiny(tmp_path / "tiny.safetensors"))
    weights = {**source.weights, "screening.linear.bias": torch.zeros(7)}
    checkpoint.save(tmp_path / "half.safetensors", weights, source.description)
    with pytest.raises(CheckpointMismatchError, match="one half of its screening network"):
        checkpoint.load(tmp_path / "half.safetensors")


def test_file_that_is_no_screening_network_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = write_tiny(tmp_path / "tiny.safetensors")
    assert embed_screening.main([str(tiny), "--screening", str(tiny)]) == 2
    assert "is no screening network" in capsys.readouterr().err
    assert embed_screening.main([str(tiny), "--screening", str(tmp_path / "none")]) == 2
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "none")
