#!/usr/bin/env bash
# Pillow does not invert a 16-bit TIFF in which white is 0.
#
# TIFF 6.0, PhotometricInterpretation 0 (WhiteIsZero): 0 is imaged as white. Pillow 13.0.0 inverts such
# a file of 8 bits, but returns the samples of one of 16 bits as they are, in the same mode as one
# in which black is 0. Whoever reads the picture as it comes sees the negative.
# Expected: both depths show the ramp that was meant. Seen: 8 bits do, 16 bits show it inverted.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" pillow==13.0.0 numpy==2.4.6
PYTHONPATH="$folder/site" python3 - <<'PYTHON'
import struct
import sys
from io import BytesIO

import numpy as np
import PIL
from PIL import Image


def tiff(samples: np.ndarray, photometric: int) -> bytes:
    """Write an uncompressed little-endian TIFF of one strip."""
    rows, columns = samples.shape
    bits = samples.itemsize * 8
    tags = ((256, columns), (257, rows), (258, bits), (259, 1), (262, photometric), (273, 8),
            (277, 1), (278, rows), (279, samples.nbytes))
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHI", b"II", 42, 8 + samples.nbytes) + samples.tobytes() + directory + bytes(4)


seen = {}
for dtype in (np.uint8, np.uint16):
    white = np.iinfo(dtype).max
    meant = np.linspace(0, white, 64).astype(dtype).reshape(8, 8)
    assert (np.asarray(Image.open(BytesIO(tiff(meant, 1)))) == meant).all()
    read = np.asarray(Image.open(BytesIO(tiff(white - meant, 0))))
    answers = {"as meant": meant, "inverted": white - meant}
    seen[dtype.__name__] = next((name for name, each in answers.items() if (read == each).all()), "?")
print(f"Pillow {PIL.__version__}: {seen}")
sys.exit(seen != {"uint8": "as meant", "uint16": "inverted"})
PYTHON
