"""The storage format of a film does not change its score by the shipped model."""

from pathlib import Path

import numpy as np
import pytest

from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from tests.support.factories import Pixels
from tests.twins import COMPRESSED, EXACT, LOSSLESS, LOSSY, differences, read_pixels
from training.drawing.phantom_films import draw_phantom, opacities_of

FILMS = 6
"""Of each source: `tests.twins` measures more."""


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(Classifier.load(Settings.model_fields["checkpoint"].default, "cpu"))


def check(scorer: Scorer, films: list[Pixels]) -> None:
    found = differences(scorer, films)
    assert all(found.values()), "films must be scored for their scores to be compared"
    for names, most in ((EXACT, LOSSLESS), (COMPRESSED, LOSSY)):
        too_far = {name: found[name] for name in names if np.abs(found[name]).max() > most}
        assert not too_far


def test_a_drawn_film_has_one_score_however_it_is_stored(scorer: Scorer) -> None:
    drawn = [draw_phantom(seed, 500, 460, opacities_of(seed)) for seed in range(1, FILMS + 1)]
    check(scorer, [np.rint(255 * film).astype(np.uint8) for film in drawn])


@pytest.mark.parametrize("folder", ["chest_xray", "chest_xray_original", "adult"])
def test_a_real_film_has_one_score_however_it_is_stored(
    scorer: Scorer, shared_data: Path, folder: str
) -> None:
    paths = sorted(path for path in (shared_data / folder).rglob("*") if path.is_file())
    if not paths:
        pytest.skip(f"../shared/data/{folder} is not here")
    check(scorer, [read_pixels(path) for path in paths[:: -(-len(paths) // FILMS)]])
