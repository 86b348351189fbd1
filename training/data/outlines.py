"""Outlines of lungs that people drew or checked, by the name of their film."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from cxr_app.errors import TrainingDataError
from cxr_app.lung_fields import Mask
from cxr_app.model.networks.lung_unet import LUNG_SIDE


def read_masks(path: Path) -> dict[str, Mask]:
    """Read outlines ``(96, 96)`` by the name of their film.

    Parameters
    ----------
    path
        ``.npz`` with ``name`` and ``bits``, `numpy.packbits` of each mask.

    Raises
    ------
    TrainingDataError
        If it is no such file.
    """
    try:
        with path.open("rb") as source, np.load(source) as file:
            names, bits = file["name"], file["bits"]
            masks = np.unpackbits(bits, axis=1)[:, : LUNG_SIDE**2].astype(bool)
    except (OSError, EOFError, BadZipFile, KeyError, TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{path.name} cannot be read as outlines. Give an .npz file with 'name' and 'bits'."
        ) from error
    outlines = masks.reshape(-1, LUNG_SIDE, LUNG_SIDE)
    return dict(zip(names.tolist(), outlines, strict=True))
