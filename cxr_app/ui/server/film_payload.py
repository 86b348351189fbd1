"""A film and its heatmap as bytes for the viewer: lossless, and small enough to travel.

Little-endian: the length of the header in 4 bytes, the header as JSON, then the values row by row.
The viewer windows, inverts and colours them in the browser. No Streamlit here.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cxr_app.model import activation_map
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Softcopy, Values, Window

LONGEST_SIDE = 3072
"""Pixels; a longer film is reduced for the way to the browser, and the viewer says so."""

HEAT_SIDE = 512
"""Pixels of the heatmap's longest side; it is smooth, so more would show nothing more."""

_ALIGNMENT = 4


def pack_film(softcopy: Softcopy) -> bytes:
    """Pack a film's grey values before windowing; 8 bits each where that holds them all."""
    values = _reduced(softcopy.values)
    largest = int(values.max())
    bits = 8 if largest < 2**8 else 16
    header = {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "film_rows": softcopy.values.shape[0],
        "film_columns": softcopy.values.shape[1],
        "bits": bits,
        "largest": largest,
        "origin": softcopy.origin,
        "step": softcopy.step,
        "inverted": softcopy.inverted,
        "windows": [_described(window) for window in softcopy.windows],
    }
    return _packed(header, values.astype(f"<u{bits // 8}"))


def pack_heat(cells: ActivationMap, scale: HeatScale, rows: int, columns: int) -> bytes:
    """Pack the heatmap of a film of this size, 0 to 255 on the one fixed scale, and its outline."""
    share = HEAT_SIDE / max(rows, columns)
    height, width = (max(1, round(side * share)) for side in (rows, columns))
    heat = activation_map.on_film(activation_map.heat(cells, scale), height, width)
    values = np.rint(heat * 255).astype(np.uint8)
    header = {
        "rows": height,
        "columns": width,
        "bits": 8,
        "empty": not values.any(),
        "outline": [line.round(4).tolist() for line in activation_map.outline(heat)],
    }
    return _packed(header, values)


def pack_refusal(message: str) -> bytes:
    """Pack a sentence that the viewer shows in the film's place."""
    return _packed({"message": message}, np.empty(0, np.uint8))


def _reduced(values: Values) -> Values:
    """Bring the longest side down to `LONGEST_SIDE` by averaging; smaller films stay whole."""
    rows, columns = values.shape
    share = LONGEST_SIDE / max(rows, columns)
    if share >= 1:
        return values
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    whole = PillowImage.fromarray(values.astype(np.float32), mode="F")
    averaged = np.asarray(whole.resize(size, PillowImage.Resampling.BOX))
    reduced: Values = np.rint(averaged).astype(np.uint16)
    return reduced


def _described(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "center": window.window_center,
        "width": window.window_width,
        "function": window.function.value,
        "lut": [round(share, 5) for share in window.lut],
    }


def _packed(header: Mapping[str, Any], values: NDArray[Any]) -> bytes:
    text = json.dumps(header, allow_nan=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)  # so that 16-bit values start at an even place
    return struct.pack("<I", len(text)) + text + values.tobytes()
