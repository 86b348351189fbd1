"""The picture of a result: the film, its heat, and the result in words."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxr_app.destination import ResultKind
from cxr_app.imaging import intake
from cxr_app.imaging.pixels import to_image
from cxr_app.pacs.picture import HEAT_COLOURS, INVESTIGATIONAL, picture_of, result_lines
from cxr_app.worklist import AnnotationKind, Measurement
from cxr_app.worklist.annotations import POINTS
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset
from tests.support.results import hot_corner, result_object, scored_film


def drawn(data: bytes, **values: Any) -> np.ndarray[Any, Any]:
    """The film's part of the picture."""
    picture = picture_of(scored_film(data, **values), intake.read_softcopy(data))
    rows, columns = to_image(intake.read_softcopy(data)).shape
    factor = max(1, round(max(rows, columns) / 900))
    return picture[-(rows // factor) :, : columns // factor]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_film_without_heat_is_shown_as_the_page_shows_it(photometric: str) -> None:
    data = dicom_bytes(radiograph_dataset(photometric_interpretation=photometric))
    shown = drawn(data, activation_map=np.full((14, 14), -5, np.float32))
    expected = to_image(intake.read_softcopy(data)) * 255
    assert np.abs(shown.astype(float) - expected[..., None]).max() <= 1


def test_heat_lies_where_the_evidence_is_and_nowhere_else() -> None:
    data = dicom_bytes()
    bare = drawn(data, activation_map=np.full((14, 14), -5, np.float32)).astype(int)
    changed = np.abs(drawn(data).astype(int) - bare).max(axis=2) > 2
    cells = hot_corner() > 0
    rows = np.arange(changed.shape[0]) * 14 // changed.shape[0]
    columns = np.arange(changed.shape[1]) * 14 // changed.shape[1]
    on_film = cells[np.ix_(rows, columns)]
    assert changed[on_film].mean() > 0.9
    assert changed[~on_film].mean() < 0.1


def test_a_large_film_is_reduced_and_keeps_its_proportions() -> None:
    data = dicom_bytes(radiograph_dataset(film_pixels(2400, 1800)))
    picture = picture_of(scored_film(data), intake.read_softcopy(data))
    assert picture.shape[1] == 600
    bare = drawn(data, activation_map=np.full((14, 14), -5, np.float32)).astype(float)
    image = to_image(intake.read_softcopy(data)).reshape(800, 3, 600, 3).mean(axis=(1, 3)) * 255
    assert bare.shape == (800, 600, 3)
    assert np.abs(bare[..., 0] - image).mean() < 3


def test_the_words_are_above_the_film_in_light_letters_at_any_width() -> None:
    for columns in (60, 144, 1024, 1800):
        data = dicom_bytes(radiograph_dataset(film_pixels(200, columns)))
        picture = picture_of(scored_film(data), intake.read_softcopy(data))
        words = picture[: -len(drawn(data))]
        assert words.max() == 255
        assert not words[:, -1].any(), "letters are cut off at the right"


def test_the_words_say_what_a_reader_must_know() -> None:
    flagged, cleared = scored_film(dicom_bytes()), scored_film(dicom_bytes(), flagged=False)
    said = " ".join(result_lines(flagged))
    assert said.startswith(INVESTIGATIONAL)
    for part in ("FLAGGED", "0.873", "0.291", "balanced", "pneumonia-a41c9f02", "2026-01-05"):
        assert part in said
    assert "NOT FLAGGED" in " ".join(result_lines(cleared))
    assert "No heatmap" in " ".join(result_lines(scored_film(dicom_bytes(), heat_scale=None)))


def test_the_capture_says_that_words_are_burned_in_and_names_its_film() -> None:
    data = dicom_bytes()
    capture = result_object(ResultKind.PICTURE, data)
    (source,) = capture.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == scored_film(data).header.SOPInstanceUID
    assert capture.BurnedInAnnotation == "YES"
    assert capture.ImageType == ["DERIVED", "SECONDARY"]
    assert "investigational" in capture.SeriesDescription


def test_the_colours_of_heat_are_those_of_the_viewer(project_root: Path) -> None:
    viewer = project_root / "cxr_app/ui/components/viewer/heatmap.js"
    (written,) = re.findall(r"HEAT_COLOURS = (\[.*?\]);", viewer.read_text(), re.DOTALL)
    assert json.loads(re.sub(r",\s*\]", "]", written)) == HEAT_COLOURS.tolist()


GREEN = [126, 231, 135]


def green_places(shown: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.argwhere((shown == GREEN).all(axis=2))


@pytest.mark.parametrize("pose", ["0", "1", "2m", "3m"])
def test_a_reader_s_line_is_drawn_where_it_lies_on_the_film_of_the_file(pose: str) -> None:
    data = dicom_bytes(radiograph_dataset(film_pixels(400, 400)))
    bare = drawn(data)
    assert len(green_places(bare)) == 0
    line = Measurement(
        AnnotationKind.LENGTH, ((0.5, 0.25), (0.5, 0.5)), 9, "mm", "calibrated", pose
    )
    shown = drawn(data, marks=(line,))
    ends = np.array([(y, x) for x, y in line.points_of_file]) * 399
    places = green_places(shown)
    for end in ends:
        assert np.abs(places - end).max(axis=1).min() <= 1
    assert np.abs(places - ends.mean(axis=0)).max(axis=1).min() <= 1, "the line's middle, too"


@pytest.mark.parametrize("kind", list(AnnotationKind))
@pytest.mark.parametrize("corner", [0.0, 1.0])
def test_every_mark_is_drawn_within_the_picture_and_said_to_be_a_reader_s(
    kind: AnnotationKind, corner: float
) -> None:
    data = dicom_bytes(radiograph_dataset(film_pixels(64, 80)))
    points = ((0.5, 0.5),) * (POINTS[kind] - 1) + ((corner, corner),)
    mark = Measurement(kind, points, 0.5, "deg" if kind is AnnotationKind.ANGLE else "")
    assert len(green_places(drawn(data, marks=(mark,)))) > 10
    assert any("reader" in line for line in result_lines(scored_film(data, marks=(mark,))))
    assert not any("reader" in line for line in result_lines(scored_film(data)))


@pytest.mark.parametrize("rows", [90, 400, 3000])
@pytest.mark.parametrize("cell", [(0, 0), (13, 13), (6, 0), (7, 5)])
def test_heat_in_one_place_is_drawn_as_on_the_whole_film(rows: int, cell: tuple[int, int]) -> None:
    data = dicom_bytes(radiograph_dataset(film_pixels(rows, 300)))
    evidence = np.full((14, 14), -2.0, np.float32)
    evidence[cell] = 3.0
    local = drawn(data, activation_map=evidence).astype(int)
    faint = np.maximum(evidence, 0.012)  # one grey level of heat everywhere
    whole = drawn(data, activation_map=faint).astype(int)
    assert np.abs(local - whole).max() <= 4
