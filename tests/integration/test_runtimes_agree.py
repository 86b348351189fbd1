"""OpenVINO and PyTorch say the same of films of every kind, by the shipped model."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_app.model.activation_map import heat
from cxr_app.model.classifier import Classifier
from cxr_app.model.compiled_classifier import CompiledClassifier
from cxr_app.settings import Settings
from tests.twins import read_pixels
from training.drawing.laterals import draw_lateral
from training.drawing.negatives import draw_picture
from training.drawing.phantom_films import draw_phantom, opacities_of

Film = NDArray[np.float32]
Both = tuple[Classifier, CompiledClassifier]

MOST_APART = 1e-3
"""Of probabilities."""
ONE_GREY_LEVEL = 1 / 255
"""Of the heat as it is drawn."""
DRAWN = 500
REAL = 100

CHANGES: tuple[Callable[[Film, np.random.Generator], Film], ...] = (
    lambda film, _: film,
    lambda film, _: 1 - film,
    lambda film, _: np.ascontiguousarray(np.rot90(film)),
    lambda film, rng: np.clip(film + rng.normal(0, 0.1, film.shape), 0, 1).astype(np.float32),
    lambda film, rng: film ** np.float32(rng.uniform(0.4, 2.5)),
    lambda film, _: np.ascontiguousarray(film[: len(film) // 2]),
)
"""As films arrive that are upright, inverted, turned, noisy, of another tone curve, cut."""


@pytest.fixture(scope="module")
def both() -> Both:
    shipped = Settings.model_fields["checkpoint"].default
    return Classifier.load(shipped, "cpu"), CompiledClassifier.load(shipped)


def drawn_films() -> Iterator[Film]:
    rng = np.random.default_rng(0)
    for number in range(DRAWN):
        if number % 5 == 3:
            yield (draw_picture(rng) / 255).astype(np.float32)
        elif number % 5 == 4:
            yield (draw_lateral(rng, 224) / 255).astype(np.float32)
        else:
            phantom = draw_phantom(number, 224, 200, opacities_of(number))
            yield CHANGES[number % len(CHANGES)](phantom, rng)


def check(both: Both, films: Iterable[Film]) -> None:
    reference, compiled = both
    left = iter(films)
    while some := list(islice(left, 20)):
        inputs = [reference.prepare(film) for film in some]
        assert compiled.views(inputs) == reference.views(inputs)
        pairs = zip(compiled.predict(inputs), reference.predict(inputs), strict=True)
        for one, other in pairs:
            apart = one.pneumonia_probability - other.pneumonia_probability
            assert abs(apart) < MOST_APART
            shown, expected = (
                heat(each.activation_map, reference.heat_scale) for each in (one, other)
            )
            assert np.abs(shown - expected).max() < ONE_GREY_LEVEL
            assert (one.lungs is None) == (other.lungs is None)


def test_drawn_films_are_scored_alike(both: Both) -> None:
    check(both, drawn_films())


def test_real_films_are_scored_alike(both: Both, shared_data: Path) -> None:
    suffixes = {".jpeg", ".jpg", ".png"}
    paths = sorted(path for path in shared_data.rglob("*") if path.suffix.lower() in suffixes)
    if not paths:
        pytest.skip("../shared/data has no pictures here")
    chosen = paths[:: max(1, len(paths) // REAL)]
    check(both, ((read_pixels(path) / 255).astype(np.float32) for path in chosen))
