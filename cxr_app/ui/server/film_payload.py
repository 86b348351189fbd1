"""Binary format of films and heatmaps for the viewer: lossless and compact.

Little-endian: length of the header (4 bytes), header as JSON, then the values row by row. The
viewer windows, inverts and colours them in the browser. No Streamlit here.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.lung_fields import LungFields
from cxr_app.model import activation_map
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Softcopy, Values, Window

LONGEST_SIDE = 3072
"""Longest side in pixels sent to the browser; a larger film is reduced, and the viewer says so."""

HEAT_SIDE = 512
"""Longest side of the heatmap in pixels; it is smooth, so more would show no more."""

LUNG_SIDE = 192
"""Side of the grid on which the outline of the lungs is drawn, twice that of their mask."""

_ALIGNMENT = 4


def pack_film(softcopy: Softcopy) -> bytes:
    """Pack a film's grey values before windowing, in 8 bits each if they all fit."""
    values = _reduced(softcopy.values)
    largest = int(values.max())
    bits = 8 if largest < 2**8 else 16
    header = {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "film_rows": softcopy.values.shape[0],
        "film_columns": softcopy.values.shape[1],
        "millimetres": _millimetres(softcopy),
        "bits": bits,
        "largest": largest,
        "origin": softcopy.origin,
        "step": softcopy.step,
        "inverted": softcopy.inverted,
        "windows": [_window_fields(window) for window in softcopy.windows],
    }
    return _packed(header, values.astype(f"<u{bits // 8}"))


def pack_heat(
    cells: ActivationMap,
    scale: HeatScale,
    rows: int,
    columns: int,
    lungs: LungFields | None = None,
) -> bytes:
    """Pack the heatmap of a film of this size, 0 to 255 on a fixed scale, and its outline.

    The outline of the lungs goes along if two lungs were found.
    """
    factor = HEAT_SIDE / max(rows, columns)
    height, width = (max(1, round(side * factor)) for side in (rows, columns))
    heat = activation_map.on_film(activation_map.heat(cells, scale), height, width)
    values = np.rint(heat * 255).astype(np.uint8)
    header = {
        "rows": height,
        "columns": width,
        "bits": 8,
        "empty": not values.any(),
        "outline": _points(activation_map.outline(heat)),
        "lungs": _lung_outline(lungs),
    }
    return _packed(header, values)


def pack_refusal(message: str) -> bytes:
    """Pack a message that the viewer shows instead of the film."""
    return _packed({"message": message}, np.empty(0, np.uint8))


def _millimetres(softcopy: Softcopy) -> dict[str, Any] | None:
    """Return the size of the whole film in mm, and what it was measured at; None if unknown."""
    spacing, (rows, columns) = softcopy.spacing, softcopy.values.shape
    if spacing is None:
        return None
    return {
        "down": spacing.down_mm * rows,
        "across": spacing.across_mm * columns,
        "basis": spacing.basis,
    }


def _lung_outline(lungs: LungFields | None) -> list[list[list[float]]]:
    if lungs is None or not lungs.found:
        return []
    smooth = activation_map.on_film(lungs.mask.astype(np.float32), LUNG_SIDE, LUNG_SIDE)
    return _points(activation_map.outline(smooth, 0.5))


def _points(lines: Iterable[NDArray[np.float64]]) -> list[list[list[float]]]:
    return [line.round(4).tolist() for line in lines]


def _reduced(values: Values) -> Values:
    """Reduce the longest side to `LONGEST_SIDE` by averaging; keep smaller films unchanged."""
    rows, columns = values.shape
    factor = LONGEST_SIDE / max(rows, columns)
    if factor >= 1:
        return values
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    image = PillowImage.fromarray(values.astype(np.float32), mode="F")
    averaged = np.asarray(image.resize(size, PillowImage.Resampling.BOX))
    reduced: Values = np.rint(averaged).astype(np.uint16)
    return reduced


def _window_fields(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "center": window.window_center,
        "width": window.window_width,
        "function": window.function.value,
        "lut": [round(value, 5) for value in window.lut],
    }


def _packed(header: Mapping[str, Any], values: NDArray[Any]) -> bytes:
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)  # align 16-bit values
    return struct.pack("<I", len(text)) + text + values.tobytes()
