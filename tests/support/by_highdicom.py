"""A DICOM film rendered by highdicom, with its own Modality, VOI and Presentation LUT."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from cxr_app.imaging.intake import read_softcopy
from tests.support.dcm2pnm import LUMINANCE


def is_installed() -> bool:
    """Return whether highdicom is installed (`pip install highdicom`)."""
    return find_spec("highdicom") is not None


def render(path: Path) -> NDArray[np.float64] | None:
    """Render the first frame by the first VOI LUT or window; None if highdicom cannot.

    A grey film without them is shown over the range that our reader uses, and colour is reduced to
    luminance.

    Returns
    -------
    image
        Shape ``(rows, columns)``, in ``[0, 1]``.
    """
    import highdicom

    ds = dcmread(path, force=True)
    is_grey = ds.PhotometricInterpretation.startswith("MONOCHROME")
    own = read_softcopy(path.read_bytes()).windows[0]
    # PS3.3 C.11.2.1.2.1: the equal LINEAR window has a centre 0.5 higher and is 1 wider.
    window = highdicom.VOILUTTransformation(own.window_center + 0.5, own.window_width + 1)
    has_window = "VOILUTSequence" in ds or ds.get("WindowCenter", None) not in (None, "")
    try:
        shown = highdicom.Image.from_dataset(ds, copy=False).get_frame(
            1,
            apply_real_world_transform=False,
            apply_voi_transform=is_grey,
            voi_transform_selector=0 if has_window else window,
            apply_icc_profile=False,
        )
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return None
    return np.asarray(shown if is_grey else shown @ LUMINANCE / _white(ds))


def _white(ds: Dataset) -> float:
    """Return the largest value that a channel of a colour film can have."""
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        return float(2 ** ds.RedPaletteColorLookupTableDescriptor[2] - 1)
    return float(2**ds.BitsStored - 1)
