"""A film read at its decoder's reduced size has the score that it has at full size."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from pydicom import dcmread
from pydicom.uid import HTJ2K, JPEG2000, JPEG2000Lossless

from cxr_app.imaging import intake
from cxr_app.imaging.pixels import to_image
from cxr_app.model.classifier import Classifier
from cxr_app.model.preprocessing import resize_to_square
from cxr_app.radiograph import SCORED_SIDE
from cxr_app.settings import Settings
from tests.support.checkpoints import write_tiny
from tests.support.factories import (
    Pixels,
    compressed_dicom_bytes,
    dicom_bytes,
    encapsulated_dicom_bytes,
    film_pixels,
    lut_item,
    radiograph_dataset,
    with_elements,
)
from training.drawing.phantom_films import draw_phantom, opacities_of

PROBABILITY, OF_REAL_FILMS = 0.06, 0.02
"""Largest differences; the box of the lungs moves by whole pixels of a film of 96."""
GREY = 1.5 / 255
"""Mean over the network's input: one film in a hundred comes near it, most have a tenth."""
REAL_FILMS = 12


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(Settings.model_fields["checkpoint"].default, "cpu")


def drawn(seed: int) -> bytes:
    rows, columns = ((1000, 1400), (1801, 2403), (900, 897), (3000, 2500))[seed % 4]
    film = draw_phantom(seed, rows, columns, opacities_of(seed))
    picture = PillowImage.fromarray(np.rint(film * 255).astype(np.uint8))
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=(75, 90)[seed % 2])
    return buffer.getvalue()


def assert_equivalent(classifier: Classifier, data: bytes, most: float = PROBABILITY) -> None:
    size = classifier.description.input_spec.size
    reduced = intake.read_radiograph(data).image
    full = to_image(intake.read_softcopy(data))
    assert np.abs(resize_to_square(reduced, size) - resize_to_square(full, size)).mean() < GREY
    one, other = classifier.predict([classifier.prepare(reduced), classifier.prepare(full)])
    assert abs(one.pneumonia_probability - other.pneumonia_probability) < most


@pytest.mark.parametrize("seed", range(4))
def test_a_drawn_film_keeps_its_score(classifier: Classifier, seed: int) -> None:
    assert_equivalent(classifier, drawn(seed))


def test_real_films_keep_their_scores(classifier: Classifier, shared_data: Path) -> None:
    films = sorted((shared_data / "chest_xray_original").rglob("*.jpeg"))
    if not films:
        pytest.skip("../shared/data holds no films at their original size")
    for film in films[:: len(films) // REAL_FILMS]:
        assert_equivalent(classifier, film.read_bytes())


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(write_tiny(tmp_path_factory.mktemp("tiny") / "tiny.safetensors"), "cpu")


SIZES = ((900, 1401), (1801, 2001), (1797, 1900), (449, 3000))


def twelve_bits(seed: int) -> Pixels:
    film = draw_phantom(seed, *SIZES[seed % 4], opacities_of(seed))
    return np.asarray(np.rint(4095 * (film - film.min()) / np.ptp(film)), dtype=np.uint16)


SHOWN: list[dict[str, Any]] = [
    {},
    {"window": (2000, 3000)},
    {"photometric_interpretation": "MONOCHROME1", "window": (2000, 3500)},
    {"VOILUTSequence": [lut_item(0, np.arange(4096) ** 2 // 4096, 12)]},
    {"RescaleSlope": "-1", "RescaleIntercept": "4095", "window": (2000, 4096)},
]
"""How a film is shown: by its stored bits, by a window, inverted, by tables."""


@pytest.mark.parametrize("seed", range(len(SHOWN)))
@pytest.mark.parametrize("lossy", [False, True], ids=["lossless", "lossy"])
def test_a_drawn_jpeg_2000_film_keeps_its_score(
    classifier: Classifier, tiny: Classifier, seed: int, lossy: bool
) -> None:
    ds = radiograph_dataset(twelve_bits(seed), **SHOWN[seed])
    if lossy:
        data = compressed_dicom_bytes(ds, JPEG2000, j2k_cr=[15])
    else:
        data = compressed_dicom_bytes(ds, JPEG2000Lossless)
    radiograph = intake.read_radiograph(data)
    assert radiograph.size == (SIZES[seed % 4] if seed % 4 != 3 else None)
    assert (radiograph.rows, radiograph.columns) == SIZES[seed % 4]
    assert SCORED_SIDE <= min(radiograph.image.shape) < 2 * SCORED_SIDE
    assert_equivalent(classifier, data)
    assert_equivalent(tiny, data)


def test_a_drawn_htj2k_film_keeps_its_score(classifier: Classifier) -> None:
    codestream = (Path(__file__).parent.parent / "data" / "large_film.j2c").read_bytes()
    ds = radiograph_dataset(np.zeros((900, 897), np.uint16), bits_stored=16)
    data = encapsulated_dicom_bytes(ds, codestream, HTJ2K)
    assert intake.read_radiograph(data).size == (900, 897)
    assert_equivalent(classifier, data)


def padded() -> bytes:
    pixels = film_pixels(900, 900)
    pixels[:300] = 0
    ds = radiograph_dataset(pixels, window=(2000, 3000), PixelPaddingValue=0)
    return compressed_dicom_bytes(ds, JPEG2000Lossless)


def of_one_resolution() -> bytes:
    ds = radiograph_dataset(film_pixels(900, 900, bits=8), window=(128, 200))
    buffer = BytesIO()
    picture = PillowImage.fromarray(film_pixels(900, 900, bits=8))
    picture.save(buffer, "JPEG2000", no_jp2=True, num_resolutions=1)
    return encapsulated_dicom_bytes(ds, buffer.getvalue(), JPEG2000Lossless)


def with_bits_beyond_the_film() -> bytes:
    """An overlay of the older kind stands in the highest bit."""
    pixels = film_pixels(900, 900)
    pixels[::2] |= 0x8000
    written = dcmread(
        BytesIO(
            compressed_dicom_bytes(
                radiograph_dataset(pixels, bits_stored=16, window=(2000, 3000)), JPEG2000Lossless
            )
        )
    )
    return dicom_bytes(with_elements(written, BitsStored=12, HighBit=11), JPEG2000Lossless)


def small() -> bytes:
    return compressed_dicom_bytes(radiograph_dataset(film_pixels(894, 900)), JPEG2000Lossless)


def signed() -> bytes:
    pixels = film_pixels(900, 900).astype(np.int16)
    return compressed_dicom_bytes(radiograph_dataset(pixels), JPEG2000Lossless)


def of_few_bits() -> bytes:
    """No window, and one bright pixel decides which bits the film is shown over."""
    pixels = film_pixels(900, 900) // 8
    pixels[450, 450] = 2047
    return compressed_dicom_bytes(radiograph_dataset(pixels), JPEG2000Lossless)


@pytest.mark.parametrize(
    "film", [padded, of_one_resolution, with_bits_beyond_the_film, small, signed, of_few_bits]
)
def test_a_film_that_must_not_be_averaged_is_read_pixel_for_pixel(
    film: Callable[[], bytes],
) -> None:
    data = film()
    radiograph = intake.read_radiograph(data)
    assert radiograph.size is None
    assert np.abs(radiograph.image - to_image(intake.read_softcopy(data))).max() < 1e-6


def test_what_is_shown_of_jpeg_2000_is_never_reduced() -> None:
    pixels = twelve_bits(1)
    data = compressed_dicom_bytes(radiograph_dataset(pixels), JPEG2000Lossless)
    assert (intake.read_softcopy(data).values == pixels).all()


def test_real_jpeg_2000_films_keep_their_scores(classifier: Classifier, shared_data: Path) -> None:
    films = [
        path for path in sorted((shared_data / "dicom").glob("*J2KI.dcm")) if "_RG" in path.name
    ]
    if not films:
        pytest.skip("../shared/data holds no films in JPEG 2000")
    for film in films:
        data = film.read_bytes()
        assert intake.read_radiograph(data).size is not None
        assert_equivalent(classifier, data)
