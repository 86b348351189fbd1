"""JPEG and PNG files as browsers, phones and hospitals write them."""

import sys
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as PillowImage

from cxr_app.errors import FilmTooLargeError, PixelDataError
from cxr_app.imaging import intake
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.radiograph import SCORED_SIDE
from tests.support.factories import Pixels, film_pixels, jpeg_bytes, png_bomb, png_bytes


@pytest.fixture(autouse=True, params=[False, True], ids=["in this process", "in a subprocess"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test with decoding in this process, and again in a subprocess."""
    here = sys.modules[__name__]
    for read in (intake.read_radiograph, intake.read_softcopy):
        monkeypatch.setattr(here, read.__name__, partial(read, in_subprocess=request.param))


def saved(image: PillowImage.Image, file_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def grey_rgb(bits: int = 8) -> Pixels:
    return np.repeat(film_pixels(bits=bits)[..., None], 3, axis=2)


def test_8_bit_grey_is_its_value_over_255() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    radiograph = read_radiograph(png_bytes(pixels))
    assert np.allclose(radiograph.image, pixels / 255, atol=1e-7)
    assert radiograph.header is None
    assert radiograph.remarks == ()


@pytest.mark.parametrize("bits", [12, 16])
def test_16_bit_png_is_not_reduced_to_8(bits: int) -> None:
    pixels = film_pixels(bits=bits)
    radiograph = read_radiograph(png_bytes(pixels))
    assert np.allclose(radiograph.image, pixels / (2**bits - 1), atol=1e-6)


def test_grey_in_colour_channels_is_the_grey_film() -> None:
    radiograph = read_radiograph(png_bytes(grey_rgb()))
    assert np.allclose(radiograph.image, film_pixels(bits=8) / 255, atol=1e-6)
    assert radiograph.colour_fraction == 0
    assert radiograph.remarks == ()


def test_colour_is_measured_and_has_a_remark() -> None:
    pixels = grey_rgb()
    pixels[:, :72, 2] = 255
    radiograph = read_radiograph(png_bytes(pixels))
    assert radiograph.colour_fraction > 0.4
    assert any("colour" in remark for remark in radiograph.remarks)


def test_palette_is_looked_up() -> None:
    image = PillowImage.fromarray(film_pixels(bits=8)).convert("P")
    assert np.allclose(
        read_radiograph(saved(image, "PNG")).image, film_pixels(bits=8) / 255, atol=1e-6
    )


@pytest.mark.parametrize("bands", [2, 4])
def test_transparent_parts_are_black(bands: int) -> None:
    alpha = np.full((*film_pixels().shape, 1), 255, np.uint8)
    alpha[:50] = 0
    colour = grey_rgb()[..., : bands - 1]
    radiograph = read_radiograph(png_bytes(np.concatenate([colour, alpha], axis=2)))
    assert radiograph.image[:50].max() == 0
    assert np.allclose(radiograph.image[50:], film_pixels(bits=8)[50:] / 255, atol=1e-6)
    assert any("Transparent" in remark for remark in radiograph.remarks)


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_jpeg_of_any_colour_model_is_the_film(mode: str) -> None:
    image = PillowImage.fromarray(grey_rgb()).convert(mode)
    radiograph = read_radiograph(saved(image, "JPEG", quality=95))
    assert np.abs(radiograph.image - film_pixels(bits=8) / 255).mean() < 0.02


def test_black_and_white_png_is_read() -> None:
    image = PillowImage.fromarray(film_pixels(bits=8)).convert("1")
    assert set(np.unique(read_radiograph(saved(image, "PNG")).image)) == {0, 1}


@pytest.mark.parametrize(("orientation", "turns"), [(6, -1), (8, 1), (3, 2)])
def test_film_is_turned_by_its_exif_orientation(orientation: int, turns: int) -> None:
    plain = read_radiograph(jpeg_bytes())
    turned = read_radiograph(jpeg_bytes(orientation=orientation))
    assert np.array_equal(turned.image, np.rot90(plain.image, turns))
    assert any("orientation" in remark for remark in turned.remarks)


def test_animated_png_shows_its_first_picture() -> None:
    first, second = (PillowImage.fromarray(film_pixels(bits=8, seed=seed)) for seed in (0, 1))
    radiograph = read_radiograph(saved(first, "PNG", save_all=True, append_images=[second]))
    assert np.allclose(radiograph.image, film_pixels(bits=8) / 255, atol=1e-6)
    assert any("2 frames" in remark for remark in radiograph.remarks)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("data", [jpeg_bytes(), png_bytes()], ids=["JPEG", "PNG"])
def test_truncated_file_is_refused(data: bytes, share: float) -> None:
    with pytest.raises(PixelDataError, match="cut short"):
        read_radiograph(data[: max(8, int(len(data) * share))])


def test_huge_png_is_refused_before_decoding() -> None:
    with pytest.raises(FilmTooLargeError, match="30000 × 30000 pixels, more than the 64 million"):
        read_radiograph(png_bomb(30_000, 30_000))


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 5), (5, 0)])
def test_image_without_pixels_is_refused(rows: int, columns: int) -> None:
    with pytest.raises(PixelDataError, match=f"no pixels \\({rows} × {columns}\\)"):
        read_radiograph(png_bomb(rows, columns))


def test_jpeg_that_declares_no_rows_is_refused() -> None:
    data = jpeg_bytes()
    rows = film_pixels().shape[0].to_bytes(2, "big")
    with pytest.raises(PixelDataError, match="no pixels"):
        read_radiograph(data.replace(b"\x08" + rows, b"\x08\x00\x00", 1))


def test_film_with_damaged_exif_is_read() -> None:
    data = saved(PillowImage.fromarray(film_pixels(bits=8)), "PNG", exif=b"Exif\0\0no directory")
    assert read_radiograph(data).rows == film_pixels().shape[0]


@pytest.mark.parametrize("orientation", [0, 3, 6])
def test_large_jpeg_is_reduced_and_keeps_its_full_size_on_record(orientation: int) -> None:
    pixels = film_pixels(1801, 2403, bits=8)
    radiograph = read_radiograph(jpeg_bytes(pixels, orientation=orientation))
    assert min(radiograph.image.shape) in range(SCORED_SIDE, 2 * SCORED_SIDE + 2)
    size = (2403, 1801) if orientation == 6 else (1801, 2403)
    assert (radiograph.rows, radiograph.columns) == size
    assert np.argmax(radiograph.image.shape) == np.argmax(size)


def test_film_to_be_shown_is_never_reduced() -> None:
    pixels = film_pixels(1801, 2403, bits=8)
    assert read_softcopy(jpeg_bytes(pixels)).values.shape == pixels.shape
