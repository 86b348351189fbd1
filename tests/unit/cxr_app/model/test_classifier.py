import math

import numpy as np
import pytest
import torch

from cxr_app.errors import CheckpointMismatchError
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.networks import build
from tests.support.checkpoints import SIZE, describe


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    torch.manual_seed(0)
    weights = checkpoint.rounded(build("resnet18"))
    return Classifier(Checkpoint(describe(), weights, "ab" * 32), torch.device("cpu"))


def films(count: int, seed: int = 0) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.random((90, 70), dtype=np.float32) for _ in range(count)]


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


def test_weights_of_another_architecture_are_named() -> None:
    weights = checkpoint.rounded(build("resnet18"))
    weights["linear.bias"] = torch.zeros(5)

    with pytest.raises(CheckpointMismatchError, match=r"linear\.bias is \(5,\)"):
        Classifier(Checkpoint(describe(), weights, "0" * 64), torch.device("cpu"))


def test_an_unknown_architecture_is_named() -> None:
    with pytest.raises(CheckpointMismatchError, match="resnet18"):
        build("a pickle")


def test_inputs_have_the_size_that_the_checkpoint_wants(classifier: Classifier) -> None:
    assert classifier.prepare(films(1)[0]).shape == (SIZE, SIZE)
