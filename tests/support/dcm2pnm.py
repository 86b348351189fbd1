"""A DICOM film rendered by DCMTK, a reference that shares no code with our readers."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from cxr_app.imaging.intake import read_softcopy

LUMINANCE = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601-7, 2.5.1
COMMANDS = ("dcmj2pnm", "dcml2pnm")
"""Variants of `dcm2pnm` that decode JPEG and JPEG-LS; none decodes JPEG 2000."""


def is_installed() -> bool:
    """Return whether DCMTK is installed (Debian: `apt-get install dcmtk`)."""
    return all(shutil.which(command) for command in COMMANDS)


def render(path: Path) -> NDArray[np.float64] | None:
    """Render the first frame by the first VOI LUT or window; None if DCMTK cannot.

    A grey film without them is shown over the range that our reader uses.

    Returns
    -------
    image
        Shape ``(rows, columns)``, in ``[0, 1]``; colour is reduced to luminance here,
        because DCMTK rounds the share of each channel down.
    """
    options = ["+opw", "-O", *_voi(dcmread(path, force=True), path)]
    with TemporaryDirectory() as folder:
        written = Path(folder) / "film.pgm"
        for command in COMMANDS:
            found = subprocess.run(
                [command, *options, str(path), str(written)], capture_output=True, check=False
            )
            if found.returncode == 0 and written.exists():
                return _read_pgm(written.read_text())
    return None


def _voi(ds: Dataset, path: Path) -> list[str]:
    """Return the options for a film's first window; a VOI LUT comes before windows."""
    if not ds.PhotometricInterpretation.startswith("MONOCHROME"):
        return []
    if "VOILUTSequence" in ds:
        return ["+Wl", "1"]
    if ds.get("WindowCenter", None) not in (None, ""):
        return ["+Wi", "1"]
    own = read_softcopy(path.read_bytes()).windows[0]
    # PS3.3 C.11.2.1.2: the equal LINEAR window has a centre 0.5 higher and is 1 wider.
    return ["+Ww", f"{own.window_center + 0.5:f}", f"{own.window_width + 1:f}"]


def _read_pgm(text: str) -> NDArray[np.float64]:
    """Read a file that `+opw` wrote: P2 or P3, both sides, the largest value, and the values."""
    words = [
        word for line in text.splitlines() if not line.startswith("#") for word in line.split()
    ]
    kind, columns, rows, largest = words[0], *map(int, words[1:4])
    values = np.array(words[4:], dtype=np.float64) / largest
    if kind == "P2":
        return values.reshape(rows, columns)
    assert kind == "P3"
    return np.asarray(values.reshape(rows, columns, 3) @ LUMINANCE)
