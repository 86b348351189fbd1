"""Lungs of films that exist nowhere, drawn as two rectangles."""

import numpy as np

from cxr_app.lung_fields import LungFields, lungs_of

SIDE = 96


def two_lungs(*, found: bool = True, first_column: int = 8) -> LungFields:
    """Return two lungs; the right one begins at a column, of 96."""
    mask = np.zeros((SIDE, SIDE), bool)
    mask[12:81, first_column:40] = True
    mask[18:84, 54:90] = True
    return lungs_of(mask, found=found)
