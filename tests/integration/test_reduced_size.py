"""A JPEG read at its decoder's reduced size has the score that it has at full size."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from cxr_app import intake
from cxr_app.classifier import Classifier
from cxr_app.pixels import to_image
from cxr_app.preprocessing import squeeze
from cxr_app.settings import Settings
from training.phantom import draw, opacities_of

PROBABILITY = 0.005
GREY = 1.5 / 255
"""Mean over the network's input: one film in a hundred comes near it, most have a tenth."""
REAL_FILMS = 12


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(Settings.model_fields["checkpoint"].default, "cpu")


def drawn(seed: int) -> bytes:
    rows, columns = ((1000, 1400), (1801, 2403), (900, 897), (3000, 2500))[seed % 4]
    film = draw(seed, rows, columns, opacities_of(seed))
    picture = PillowImage.fromarray(np.rint(film * 255).astype(np.uint8))
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=(75, 90)[seed % 2])
    return buffer.getvalue()


def assert_equivalent(classifier: Classifier, data: bytes) -> None:
    size = classifier.description.input_spec.size
    reduced = intake.read_radiograph(data).image
    full = to_image(intake.read_softcopy(data))
    assert np.abs(squeeze(reduced, size) - squeeze(full, size)).mean() < GREY
    one, other = classifier.predict([classifier.prepare(reduced), classifier.prepare(full)])
    assert abs(one.pneumonia_probability - other.pneumonia_probability) < PROBABILITY


@pytest.mark.parametrize("seed", range(4))
def test_a_drawn_film_keeps_its_score(classifier: Classifier, seed: int) -> None:
    assert_equivalent(classifier, drawn(seed))


def test_real_films_keep_their_scores(classifier: Classifier, shared_data: Path) -> None:
    films = sorted((shared_data / "chest_xray_original").rglob("*.jpeg"))
    if not films:
        pytest.skip("../shared/data holds no films at their original size")
    for film in films[:: len(films) // REAL_FILMS]:
        assert_equivalent(classifier, film.read_bytes())
