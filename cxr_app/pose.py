"""How a film lies, in a person's word: turned by quarters and mirrored until it lies as it is read.

Nothing here decides that a film is turned or mirrored; only a person does.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_app.radiograph import Radiograph, Softcopy

QUARTERS = 4
_KEY = re.compile(r"([0-3])(m?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pose:
    """What makes a film lie as it is read: turned first, then mirrored.

    Parameters
    ----------
    quarter_turns
        Clockwise, 0 to 3.
    mirrored
        Whether left and right are exchanged after turning.

    Raises
    ------
    ValueError
        If there are not 0 to 3 quarter turns.
    """

    quarter_turns: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.quarter_turns not in range(QUARTERS):
            raise ValueError(f"quarter_turns must be 0 to 3, got {self.quarter_turns}")

    @property
    def key(self) -> str:
        """A short form for an address, such as ``1m``."""
        return f"{self.quarter_turns}{'m' if self.mirrored else ''}"

    @property
    def changes_nothing(self) -> bool:
        """Whether a film stays as its file has it."""
        return self == AS_IT_LIES

    def applied(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels of shape ``(rows, columns)`` in this pose, as an array of their own."""
        turned = np.rot90(pixels, -self.quarter_turns)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    def undone(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Return cells of a film in this pose as they lie on the film of the file."""
        turned = cells[:, ::-1] if self.mirrored else cells
        return np.ascontiguousarray(np.rot90(turned, self.quarter_turns))

    def undone_point(self, point: tuple[float, float]) -> tuple[float, float]:
        """Return where a point of a film in this pose lies on the film of the file.

        Parameters
        ----------
        point
            Across and down, as fractions of the film in this pose.
        """
        x, y = (1 - point[0] if self.mirrored else point[0]), point[1]
        for _ in range(self.quarter_turns):
            x, y = y, 1 - x
        return x, y


AS_IT_LIES = Pose()


def pose_of(key: str) -> Pose:
    """Return the pose of a short form; of any other text, the film as it lies."""
    found = _KEY.fullmatch(key)
    return Pose(int(found[1]), bool(found[2])) if found else AS_IT_LIES


def posed_radiograph(radiograph: Radiograph, pose: Pose) -> Radiograph:
    """Return a film in a pose; its size turns with it."""
    if pose.changes_nothing:
        return radiograph
    size = radiograph.size
    if size is not None and pose.quarter_turns % 2:
        size = (size[1], size[0])
    return replace(radiograph, image=pose.applied(radiograph.image), size=size)


def posed_softcopy(softcopy: Softcopy, pose: Pose) -> Softcopy:
    """Return what the viewer shows of a film in a pose; what is hidden stays hidden."""
    if pose.changes_nothing:
        return softcopy
    hidden, spacing = softcopy.hidden, softcopy.spacing
    if spacing is not None and pose.quarter_turns % 2:
        spacing = replace(spacing, down_mm=spacing.across_mm, across_mm=spacing.down_mm)
    return replace(
        softcopy,
        spacing=spacing,
        values=pose.applied(softcopy.values),
        hidden=None if hidden is None else pose.applied(hidden),
    )
