"""Display shutters: what they hide is one grey, whatever lies there, and counts nowhere."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.pixels import to_image, to_softcopy
from cxr_app.imaging.shutter import COVERS_ALL, DAMAGED
from tests.support.factories import Pixels, dicom_bytes, film_pixels, radiograph_dataset

ROWS, COLUMNS = 160, 144
ROW, COLUMN = np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]
RECTANGLE: dict[str, Any] = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": "20",
    "ShutterRightVerticalEdge": "130",
    "ShutterUpperHorizontalEdge": "11",
    "ShutterLowerHorizontalEdge": "140",
}
IN_RECTANGLE = (ROW > 11) & (ROW < 140) & (COLUMN > 20) & (COLUMN < 130)
CIRCLE: dict[str, Any] = {
    "ShutterShape": "CIRCULAR",
    "CenterOfCircularShutter": ["80", "70"],
    "RadiusOfCircularShutter": "60",
}
IN_CIRCLE = (ROW - 80) ** 2 + (COLUMN - 70) ** 2 <= 60**2
DIAMOND: dict[str, Any] = {
    "ShutterShape": "POLYGONAL",
    "VerticesOfThePolygonalShutter": ["10", "72", "80", "140", "150", "72", "80", "4"],
}
IN_DIAMOND = np.abs(ROW - 80) / 70 + np.abs(COLUMN - 72) / 68 < 1
ALL_THREE = (
    RECTANGLE | CIRCLE | DIAMOND | {"ShutterShape": ["RECTANGULAR", "CIRCULAR", "POLYGONAL"]}
)


def bitmap(hidden: Pixels, **elements: Any) -> Dataset:
    """Build a film with a bitmap shutter in an overlay."""
    ds = radiograph_dataset(ShutterShape="BITMAP", ShutterOverlayGroup=0x6002, **elements)
    ds.add_new((0x6002, 0x0010), "US", hidden.shape[0])
    ds.add_new((0x6002, 0x0011), "US", hidden.shape[1])
    ds.add_new((0x6002, 0x0040), "CS", "G")
    ds.add_new((0x6002, 0x0050), "SS", [1, 1])
    ds.add_new((0x6002, 0x0100), "US", 1)
    ds.add_new((0x6002, 0x0102), "US", 0)
    data = np.packbits(hidden.astype(np.uint8), axis=None, bitorder="little").tobytes()
    ds.add_new((0x6002, 0x3000), "OW", data + b"\0" * (len(data) % 2))
    return ds


def edges_of(visible: Pixels) -> Pixels:
    """Return the pixels at the edge, where rounding decides."""
    near = np.zeros_like(visible)
    for rows, columns in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        near |= np.roll(visible, (rows, columns), (0, 1)) != visible
    return near


SHUTTERS: dict[str, tuple[dict[str, Any], Pixels]] = {
    "rectangular": (RECTANGLE, IN_RECTANGLE),
    "circular": (CIRCLE, IN_CIRCLE),
    "polygonal": (DIAMOND, IN_DIAMOND),
    "all three": (ALL_THREE, IN_RECTANGLE & IN_CIRCLE & IN_DIAMOND),
}


@pytest.mark.parametrize("shown", [0, 65_535, 20_000, None])
@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("shape", SHUTTERS)
def test_what_a_shutter_hides_has_its_presentation_value(
    shape: str, polarity: str, shown: int | None
) -> None:
    elements, visible = SHUTTERS[shape]
    elements = elements | ({} if shown is None else {"ShutterPresentationValue": shown})
    pixels = film_pixels()
    twin = read_radiograph(
        dicom_bytes(radiograph_dataset(pixels, photometric_interpretation=polarity))
    ).image
    pixels[~visible] = 4095 if polarity == "MONOCHROME2" else 0
    ds = radiograph_dataset(pixels, photometric_interpretation=polarity, **elements)
    image = read_radiograph(dicom_bytes(ds)).image
    sure = ~edges_of(visible) if shape != "rectangular" else np.ones_like(visible)
    assert np.abs(image - twin)[visible & sure].max() < 1e-6
    hidden = image[~visible & sure]
    assert np.abs(hidden - (shown or 0) / 65_535).max() < 1e-6


def test_a_bitmap_shutter_hides_where_its_overlay_is_set() -> None:
    hidden = ~IN_DIAMOND
    radiograph = read_radiograph(dicom_bytes(bitmap(hidden)))
    assert (radiograph.image[hidden] == 0).all()
    assert np.abs(radiograph.image - film_pixels() / 4095)[~hidden].max() < 1e-6
    assert radiograph.remarks == ()


def test_an_overlay_beside_a_bitmap_shutter_may_lie_anywhere() -> None:
    ds = bitmap(np.ones((50, 40), bool))
    ds[0x6002, 0x0050].value = [-9, 101]
    image = read_radiograph(dicom_bytes(ds)).image
    expected = np.zeros((ROWS, COLUMNS), bool)
    expected[:40, 100:140] = True
    assert ((image == 0) >= expected).all()
    assert np.abs(image - film_pixels() / 4095)[~expected].max() < 1e-6


@pytest.mark.parametrize("window", [None, (2000.0, 3000.0), (1000.0, 500.0)])
def test_hidden_pixels_are_black_in_the_viewer_too(window: tuple[float, float] | None) -> None:
    softcopy = read_softcopy(dicom_bytes(radiograph_dataset(window=window, **RECTANGLE)))
    assert softcopy.hidden is not None
    values = softcopy.origin + softcopy.step * softcopy.values[~IN_RECTANGLE].astype(float)
    own = softcopy.windows[0]
    assert (values <= own.window_center - own.window_width / 2 + 1).all()
    for each in softcopy.windows:
        assert (to_image(softcopy, each)[~IN_RECTANGLE] == 0).all()


def test_what_is_hidden_changes_no_window() -> None:
    pixels = film_pixels() // 8  # 9 of 12 bits
    plain = read_softcopy(dicom_bytes(radiograph_dataset(pixels)))
    pixels[~IN_RECTANGLE] = 4095
    shut = read_softcopy(dicom_bytes(radiograph_dataset(pixels, **RECTANGLE)))
    assert shut.windows[0] == plain.windows[0]


def test_a_colour_film_has_a_shutter_too() -> None:
    rgb = np.repeat(film_pixels(bits=8)[..., None], 3, axis=2)
    ds = radiograph_dataset(rgb, photometric_interpretation="RGB", **RECTANGLE)
    assert (read_radiograph(dicom_bytes(ds)).image[~IN_RECTANGLE] == 0).all()


@pytest.mark.parametrize(
    ("elements", "remark"),
    [
        ({"ShutterShape": "OVAL"}, DAMAGED),
        ({"ShutterShape": "RECTANGULAR"}, DAMAGED),
        ({"ShutterShape": "BITMAP"}, DAMAGED),
        (CIRCLE | {"RadiusOfCircularShutter": "-1"}, DAMAGED),
        (DIAMOND | {"VerticesOfThePolygonalShutter": ["1", "2", "3"]}, DAMAGED),
        (RECTANGLE | {"ShutterLeftVerticalEdge": "144"}, COVERS_ALL),
    ],
)
def test_a_meaningless_shutter_is_left_out_with_a_remark(
    elements: dict[str, Any], remark: str
) -> None:
    radiograph = read_radiograph(dicom_bytes(radiograph_dataset(**elements)))
    assert np.abs(radiograph.image - film_pixels() / 4095).max() < 1e-6
    assert radiograph.remarks == (remark,)


def test_a_shutter_of_another_size_is_left_out_with_a_remark() -> None:
    ds = radiograph_dataset(**RECTANGLE)
    softcopy = to_softcopy(film_pixels(80, 72), ds)
    assert softcopy.hidden is None
    assert DAMAGED in softcopy.remarks


def test_a_circle_is_round_on_pixels_that_are_not_square() -> None:
    ds = radiograph_dataset(PixelAspectRatio=["2", "1"], **CIRCLE)
    image = read_radiograph(dicom_bytes(ds)).image
    rows, columns = np.mgrid[0 : 2 * ROWS, 0:COLUMNS]
    beyond = ((rows + 0.5 - 159) ** 2 + (columns + 1 - 70) ** 2) > 64**2
    assert image.shape == (2 * ROWS, COLUMNS)
    assert (image[beyond] == 0).all()


def test_a_shutter_hides_before_the_decoder_may_reduce_a_film() -> None:
    pixels = np.repeat(np.repeat(film_pixels(), 8, 0), 8, 1)
    pixels[:, :700] = 4095
    edges: dict[str, Any] = {"ShutterLeftVerticalEdge": "700", "ShutterRightVerticalEdge": "2000"}
    rest: dict[str, Any] = {"ShutterUpperHorizontalEdge": "0", "ShutterLowerHorizontalEdge": "3000"}
    ds = radiograph_dataset(pixels, ShutterShape="RECTANGULAR", **edges, **rest)
    buffer = BytesIO(dicom_bytes(ds))
    assert (read_radiograph(buffer.getvalue()).image[:, :700] == 0).all()
