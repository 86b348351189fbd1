"""Display shutters."""

from typing import Any

import numpy as np

from tests.support.factories import Pixels
from tests.unit.cxr_app.imaging.cases.odd_film import (
    COLUMNS,
    ROWS,
    OddFilm,
    film,
    plain_pixels,
    within,
)

ROW, COLUMN = np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]
IN_RECTANGLE = (ROW > 24) & (ROW < 216) & (COLUMN > 29) & (COLUMN < 259)
IN_CIRCLE = (ROW - 120) ** 2 + (COLUMN - 144) ** 2 <= 100**2
RECTANGLE: dict[str, Any] = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": "29",
    "ShutterRightVerticalEdge": "259",
    "ShutterUpperHorizontalEdge": "24",
    "ShutterLowerHorizontalEdge": "216",
    "ShutterPresentationValue": 0,
}
CIRCLE: dict[str, Any] = {
    "ShutterShape": "CIRCULAR",
    "CenterOfCircularShutter": ["120", "144"],
    "RadiusOfCircularShutter": "100",
}
POLYGON: dict[str, Any] = {
    "ShutterShape": "POLYGONAL",
    "VerticesOfThePolygonalShutter": ["24", "29", "24", "259", "216", "259", "216", "29"],
}
AUTHORITY = "PS3.3 C.7.6.11"
REFERENCES = "dcm2pnm 3.6.7 and pydicom 3.0.2 apply no shutter of an image"


def white_outside(visible: Pixels) -> Pixels:
    return np.where(visible, plain_pixels(), np.uint16(4095))


CASES = (
    OddFilm(
        "rectangular shutter",
        lambda: film(white_outside(IN_RECTANGLE), **RECTANGLE),
        AUTHORITY,
        REFERENCES,
        lambda: within(IN_RECTANGLE),
    ),
    OddFilm(
        "polygonal shutter",
        lambda: film(white_outside(IN_RECTANGLE), **POLYGON),
        AUTHORITY,
        REFERENCES,
        lambda: within(IN_RECTANGLE),
    ),
    OddFilm(
        "circular shutter behind MONOCHROME1",
        lambda: film(
            4095 - white_outside(IN_CIRCLE), photometric_interpretation="MONOCHROME1", **CIRCLE
        ),
        AUTHORITY,
        REFERENCES,
        lambda: within(IN_CIRCLE),
    ),
)
