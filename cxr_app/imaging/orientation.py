"""How a film lies, by its Patient Orientation: turned as a frontal chest film is read.

The patient's head is up, and the left side is on the right.
"""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxr_app.imaging.dicom_values import text, texts
from cxr_app.radiograph import Softcopy

_CHEST = re.compile("CHEST|THORAX|LUNG|RIB")
_TURNS = {
    ("L", "H"): "upside down and mirrored",
    ("R", "F"): "mirrored",
    ("R", "H"): "upside down",
    ("F", "L"): "on its side and mirrored",
    ("F", "R"): "on its side",
    ("H", "L"): "on its side",
    ("H", "R"): "on its side and mirrored",
}
"""Where rows and columns run to, for a frontal film that does not lie as it is read."""


def turn_needed(ds: Dataset) -> tuple[str, str] | None:
    """Return where rows and columns of a frontal film run to, if it does not lie as it is read.

    None for a film that does, for any other view, for another part of the body and if it is
    unknown.

    References
    ----------
    DICOM PS3.3 C.7.6.1.1.1.
    """
    ends = texts(ds, "PatientOrientation")
    part = text(ds, "BodyPartExamined").upper()
    if len(ends) != 2 or (part and not _CHEST.search(part)):
        return None
    found = (ends[0][:1].upper(), ends[1][:1].upper())
    return found if found in _TURNS else None


def turned(softcopy: Softcopy, ends: tuple[str, str] | None) -> Softcopy:
    """Return a film as it is read, and say that it was turned; None leaves it as it is."""
    if ends is None:
        return softcopy
    hidden = softcopy.hidden
    remark = f"By its Patient Orientation the film lies {_TURNS[ends]}: it was turned."
    return replace(
        softcopy,
        values=np.ascontiguousarray(_as_read(softcopy.values, ends)),
        hidden=None if hidden is None else np.ascontiguousarray(_as_read(hidden, ends)),
        remarks=(*softcopy.remarks, remark),
    )


def _as_read(pixels: NDArray[np.generic], ends: tuple[str, str]) -> NDArray[np.generic]:
    if ends[0] in "HF":
        pixels, ends = pixels.T, (ends[1], ends[0])
    pixels = pixels[:, ::-1] if ends[0] == "R" else pixels
    return pixels[::-1] if ends[1] == "H" else pixels


def as_stored(pixels: NDArray[np.generic], ends: tuple[str, str] | None) -> NDArray[np.generic]:
    """Return a picture of a film as read, turned back to how the film is stored.

    Parameters
    ----------
    pixels
        Any shape ``(rows, columns)``: the film, or a map over it.
    ends
        Result of `turn_needed`; None leaves the picture as it is.
    """
    if ends is None:
        return pixels
    lies_across = ends[0] in "HF"
    across, down = (ends[1], ends[0]) if lies_across else ends
    pixels = pixels[::-1] if down == "H" else pixels
    pixels = pixels[:, ::-1] if across == "R" else pixels
    return pixels.T if lies_across else pixels


def points_as_stored(
    points: NDArray[np.float64], ends: tuple[str, str] | None
) -> NDArray[np.float64]:
    """Return points on a film as read, moved to where they lie on the film as stored.

    Parameters
    ----------
    points
        Shape ``(n, 2)``: x and y as fractions of the film's width and height.
    ends
        Result of `turn_needed`; None leaves the points where they are.
    """
    if ends is None:
        return points
    lies_across = ends[0] in "HF"
    across, down = (ends[1], ends[0]) if lies_across else ends
    x, y = points[:, 0], points[:, 1]
    x, y = 1 - x if across == "R" else x, 1 - y if down == "H" else y
    return np.stack([y, x] if lies_across else [x, y], axis=1)
