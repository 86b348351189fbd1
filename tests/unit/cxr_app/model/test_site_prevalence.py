"""Another share of pneumonia moves probabilities and thresholds alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from cxr_app.errors import SettingsError
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.device import choose_device
from cxr_app.model.site_prevalence import at_prevalence
from cxr_app.settings import Settings
from tests.support.checkpoints import write_tiny
from tests.support.scores import scored_films
from training.data.anonymous import anonymous
from training.drawing.phantom_films import draw_phantom, opacities_of

OWN = 0.65


@pytest.fixture(scope="module")
def source() -> Checkpoint:
    found = checkpoint.load(Settings.model_fields["checkpoint"].default)
    return replace(found, description=replace(found.description, prevalence=OWN))


@pytest.fixture(scope="module")
def plain(source: Checkpoint) -> Classifier:
    return Classifier(source, choose_device("cpu"))


@pytest.mark.parametrize(("site", "seed"), [(0.02, 1), (0.1, 2), (0.4, 3), (0.9, 4)])
def test_the_same_films_are_flagged_and_show_the_same_heat(
    source: Checkpoint, plain: Classifier, site: float, seed: int
) -> None:
    image = draw_phantom(seed, 300, 300, opacities_of(seed))
    there = Classifier(at_prevalence(source, site), choose_device("cpu"))
    (own,) = plain.predict([plain.prepare(image)])
    (moved,) = there.predict([there.prepare(image)])

    change = logit(moved.pneumonia_probability) - logit(own.pneumonia_probability)
    assert change == pytest.approx(logit(site) - logit(OWN), abs=1e-3)
    for name, point in plain.operating_points.items():
        assert own.is_flagged(point) == moved.is_flagged(there.operating_points[name])
    visible = [np.maximum(each.activation_map, plain.heat_scale.begin) for each in (own, moved)]
    np.testing.assert_allclose(visible[1], visible[0], atol=1e-3)
    assert there.model_version == f"{plain.model_version}-p{site:g}"
    assert there.file_version == plain.model_version


def test_no_setting_changes_nothing(source: Checkpoint) -> None:
    assert at_prevalence(source, None) is source


def test_a_checkpoint_without_a_stated_share_is_refused(tmp_path: Path) -> None:
    tiny = checkpoint.load(write_tiny(tmp_path / "tiny.safetensors"))
    with pytest.raises(SettingsError, match="does not say for which share of pneumonia"):
        at_prevalence(tiny, 0.1)


def test_the_scores_of_the_labelled_films_move_as_the_classifier_does() -> None:
    films = scored_films()
    scores = anonymous(
        films.probabilities, films.films, model_version="one", data=Path("films"), partition=""
    )
    moved = scores.at_prevalence(OWN, 0.1)
    np.testing.assert_allclose(
        logit(moved.pneumonia) - logit(scores.pneumonia), logit(0.1) - logit(OWN), atol=1e-6
    )
    np.testing.assert_allclose(moved.bacterial + moved.viral, moved.pneumonia, atol=1e-9)
    assert (np.argsort(moved.pneumonia) == np.argsort(scores.pneumonia)).all()
