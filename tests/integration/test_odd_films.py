"""Odd films have the probability of the plain film, by the shipped checkpoint."""

import pytest

from cxr_app.model.classifier import Classifier
from cxr_app.outcome import Outcome
from cxr_app.scoring import Scorer
from cxr_app.settings import PROJECT
from tests.unit.cxr_app.imaging.cases.odd_film import film
from tests.unit.cxr_app.imaging.cases.table import CASES

NAMES = (
    "VOI LUT that begins at -2048, written unsigned",
    "VOI LUT of 12 bits that claims 16",
    "Modality LUT of an XRF image",
    "overlay in bit 12 of JPEG 2000",
    "High Bit 15 of 12 bits in JPEG-LS",
    "PNG of RGBA, 14 bits in 16",
    "Patient Orientation R\\F",
)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(Classifier.load(PROJECT / "weights" / "pneumonia.safetensors", "cpu"))


def probability(outcome: Outcome) -> float:
    assert outcome.prediction is not None, outcome.reason
    return outcome.prediction.pneumonia_probability


@pytest.fixture(scope="module")
def plain(scorer: Scorer) -> float:
    return probability(scorer.score(film()))


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_film_has_the_probability_of_the_plain_one(
    name: str, scorer: Scorer, plain: float
) -> None:
    (case,) = (case for case in CASES if case.name == name)
    assert abs(probability(scorer.score(case.data())) - plain) <= 0.01
