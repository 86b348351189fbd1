"""Millimetres are those that the file states, with what they were measured at; never guessed."""

import numpy as np
import pytest
from pydicom import Dataset

from cxr_app.imaging import intake
from cxr_app.imaging.pixel_spacing import spacing_of
from cxr_app.pose import Pose, posed_softcopy
from tests.support.factories import dicom_bytes, film_pixels, radiograph_dataset


def film(**facts: object) -> Dataset:
    ds = Dataset()
    ds.Rows, ds.Columns = 100, 200
    for keyword, value in facts.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize(
    ("facts", "basis", "down"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.2]}, "at the detector", 0.2),
        ({"NominalScannedPixelSpacing": [0.2, 0.2]}, "at the detector", 0.2),
        ({"PixelSpacing": [0.15, 0.15]}, "not stated", 0.15),
        (
            {"PixelSpacing": [0.15, 0.15], "PixelSpacingCalibrationType": "FIDUCIAL"},
            "calibrated",
            0.15,
        ),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2]}, "at the detector", 0.2),
        ({"PixelSpacing": [0.15, 0.15], "ImagerPixelSpacing": [0.2, 0.2]}, "calibrated", 0.15),
    ],
)
def test_what_a_spacing_was_measured_at(facts: dict[str, object], basis: str, down: float) -> None:
    spacing = spacing_of(film(**facts), (100, 200))
    assert spacing is not None
    assert (spacing.basis, spacing.down_mm) == (basis, down)


@pytest.mark.parametrize(
    "facts",
    [{}, {"PixelSpacing": [0, 0.2]}, {"ImagerPixelSpacing": [0.2]}, {"PixelSpacing": [40, 40]}],
)
def test_without_a_credible_spacing_there_are_no_millimetres(facts: dict[str, object]) -> None:
    assert spacing_of(film(**facts), (100, 200)) is None


def test_pixels_that_were_joined_are_further_apart() -> None:
    spacing = spacing_of(film(ImagerPixelSpacing=[0.2, 0.1]), (50, 200))
    assert spacing is not None
    assert (spacing.down_mm, spacing.across_mm) == (0.4, 0.1)


def test_a_film_keeps_its_size_in_mm_when_it_is_made_square_and_turned() -> None:
    ds = radiograph_dataset(film_pixels(100, 60))
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        if keyword in ds:
            del ds[keyword]
    ds.ImagerPixelSpacing = [0.2, 0.4]
    softcopy = intake.read_softcopy(dicom_bytes(ds))
    assert softcopy.spacing is not None
    sizes = (
        softcopy.spacing.down_mm * softcopy.values.shape[0],
        (softcopy.spacing.across_mm * softcopy.values.shape[1]),
    )
    assert np.allclose(sizes, (100 * 0.2, 60 * 0.4))
    turned = posed_softcopy(softcopy, Pose(1))
    assert turned.spacing is not None
    assert np.isclose(turned.spacing.down_mm * turned.values.shape[0], 60 * 0.4)
