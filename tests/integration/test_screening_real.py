"""The shipped screening network on real pictures that it has not learned from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_app.errors import CxrError
from cxr_app.imaging.intake import read_radiograph
from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import InputSpec
from cxr_app.model.screening import ViewClass, screen_view
from cxr_app.outcome import ScoringState
from cxr_app.radiograph import Image
from cxr_app.scoring import Scorer
from tests.support.checkpoints import write_tiny
from tests.support.factories import dicom_bytes, film_pixels, png_bytes, radiograph_dataset
from training.data.splits import Indices
from training.drawing import laterals
from training.drawing.phantom_films import draw_phantom, opacities_of
from training.fit.export import SCREENING
from training.view_network.sources import split_films, split_others

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILMS = 100
"""Of each source: enough to see a fault, few enough for seconds."""

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("weights")
    source = checkpoint.load(write_tiny(folder / "tiny.safetensors"))
    description = replace(source.description, input_spec=InputSpec(224, 0.48, 0.22))
    joined = checkpoint.with_screening(source.weights, description, SCREENING)
    checkpoint.save(folder / "joined.safetensors", *joined)
    return Classifier.load(folder / "joined.safetensors", "cpu")


def pictures(folder: str, part: Indices | None = None) -> list[Image]:
    paths = sorted(path for path in (DATA / folder).rglob("*") if path.is_file())
    chosen = np.arange(len(paths)) if part is None else part
    step = max(1, len(chosen) // FILMS)
    return [read_radiograph(paths[index].read_bytes()).image for index in chosen[::step]]


def kinds(classifier: Classifier, images: Sequence[Image]) -> list[ViewClass]:
    inputs = [classifier.prepare(np.ascontiguousarray(image)) for image in images]
    return [
        kind for i in range(0, len(inputs), 32) for kind in classifier.views(inputs[i : i + 32])
    ]


def share_refused(found: Sequence[ViewClass]) -> float:
    return float(np.mean([screen_view(kind).refusal is not None for kind in found]))


@needs_data
@pytest.mark.parametrize(("folder", "count"), [("hand", 40), ("photo", 300)])
def test_what_is_no_chest_film_is_refused(classifier: Classifier, folder: str, count: int) -> None:
    _, held_back = split_others(count)
    found = kinds(classifier, pictures(f"not_chest/{folder}", held_back))
    assert share_refused(found) >= 0.97


@needs_data
@pytest.mark.parametrize(
    ("folder", "count"), [("adult/NORMAL", 8672), ("adult/COVID-19", 3616), ("", 0)]
)
def test_real_film_is_scored_and_noticed_where_it_does_not_lie_right(
    classifier: Classifier, folder: str, count: int
) -> None:
    part = split_films(count)[2] if folder else None
    films = pictures(folder or "chest_xray_original", part)
    assert share_refused(kinds(classifier, films)) <= 0.02
    for quarters in (1, 2, 3):
        turned = kinds(classifier, [np.rot90(film, quarters) for film in films])
        assert share_refused(turned) >= 0.9
    mirrored = kinds(classifier, [film[:, ::-1] for film in films])
    assert np.mean([kind is ViewClass.MIRRORED for kind in mirrored]) >= 0.9


@needs_data
def test_pixels_alone_separate_chest_films_from_other_images(classifier: Classifier) -> None:
    """Headers lie: CT, MR, ultrasound, hips and hands come here as pictures without one."""
    scorer = Scorer(classifier)
    scored: list[tuple[str, str]] = []
    refused: list[tuple[str, str]] = []
    for path in sorted((DATA / "dicom").iterdir()):
        try:
            film = read_radiograph(path.read_bytes())
        except CxrError:
            continue
        picture = np.rint(film.image * 255).astype(np.uint8)
        outcome = scorer.score(png_bytes(picture))
        names = scored if outcome.state is ScoringState.SCORED else refused
        names.append((film.header.body_part_examined if film.header else "", path.name))
    assert len(scored) == 3
    assert {part for part, _ in scored} == {"CHEST"}
    # That one says MONOCHROME1 of a film that is none: shown as it says, it is a negative.
    assert [name for part, name in refused if part == "CHEST"] == [
        "torchxrayvision__Fake_MONOHR1.dcm"
    ]
    assert len(refused) > 80


@needs_data
def test_the_one_lateral_film_at_hand_is_refused_by_its_pixels(classifier: Classifier) -> None:
    """It stands among adults' frontal films; nothing was learned or chosen on it."""
    film = read_radiograph((DATA / "adult" / "COVID-19" / "COVID-1799.jpg").read_bytes()).image
    within = film[8:200, 12:198]  # without its black border
    low, high = np.percentile(within, (1, 99))
    stretched = ((within - low) / (high - low)).clip(0, 1)
    shown = [film, within, stretched, stretched**1.5]
    assert share_refused(kinds(classifier, [*shown, *(each[:, ::-1] for each in shown)])) == 1


def test_drawn_lateral_film_is_refused(classifier: Classifier) -> None:
    rng = np.random.default_rng(2_026)  # no seed that the network learned from
    films = [np.float32(1 / 255) * laterals.draw_lateral(rng, 192) for _ in range(60)]
    assert share_refused(kinds(classifier, films)) >= 0.97


def test_drawn_film_is_scored(classifier: Classifier) -> None:
    films = [draw_phantom(seed, 300, 260, opacities_of(seed)) for seed in range(1, 13)]
    assert kinds(classifier, films) == [ViewClass.UPRIGHT] * 12


def test_refused_and_remarked_films_go_the_one_path(classifier: Classifier) -> None:
    film = film_pixels(300, 260, bits=8)
    scorer = Scorer(classifier)
    turned = scorer.score(png_bytes(np.ascontiguousarray(np.rot90(film))))
    assert turned.state is ScoringState.REJECTED
    assert turned.prediction is None
    assert "on its side" in turned.reason
    mirrored = scorer.score(png_bytes(np.ascontiguousarray(film[:, ::-1])))
    assert mirrored.state is ScoringState.SCORED
    assert any("may be mirrored" in remark for remark in mirrored.remarks)


def test_patient_of_another_age_is_remarked_on_or_refused(classifier: Classifier) -> None:
    data = dicom_bytes(radiograph_dataset(film_pixels(300, 260), PatientAge="054Y"))
    outcome = Scorer(classifier).score(data)
    assert outcome.state is ScoringState.SCORED
    assert "outside the ages" in outcome.remarks[0]
    refused = Scorer(classifier, other_ages="reject").score(data)
    assert refused.state is ScoringState.REJECTED
    assert "outside the ages" in refused.reason


def test_films_of_one_batch_keep_their_order(classifier: Classifier) -> None:
    film = film_pixels(300, 260, bits=8)
    files = [png_bytes(film), png_bytes(np.ascontiguousarray(film[::-1])), b"none", png_bytes(film)]
    scorer = Scorer(classifier)
    outcomes = scorer.score_all([scorer.examine(data) for data in files])
    states = [outcome.state.value for outcome in outcomes]
    assert states == ["SCORED", "REJECTED", "FAILED", "SCORED"]
