#!/usr/bin/env bash
# pydicom keeps the bits above Bits Stored of JPEG 2000, and cuts them off native pixel data.
#
# PS3.5 8.1.1: the value is Bits Stored bits wide; what lies above (here an overlay in bit 12) is no
# part of it. pydicom 3.0.2 cuts it off in a native film. For the same words in JPEG 2000, whose
# codestream has 16 bits, pixel_array holds them, for the sign correction of JPEG 2000 takes the
# place of that cut.
# Expected: both arrays hold the film. Seen: the native one does, that of JPEG 2000 has 4096 added.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" \
    pydicom==3.0.2 numpy==2.4.6 pylibjpeg==2.1.0 pylibjpeg-openjpeg==2.6.0
PYTHONPATH="$folder/site" python3 - <<'PYTHON'
import sys

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, SecondaryCaptureImageStorage

film = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) % 4096
words = film.copy()
words[16:48, 16:48] |= 1 << 12  # the overlay

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
ds.SOPClassUID = SecondaryCaptureImageStorage
ds.SOPInstanceUID = "1.2.3"
ds.Rows, ds.Columns = words.shape
ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
ds.PixelData = words.tobytes()
ds["PixelData"].VR = "OW"

seen = {}
for name in ("native", "JPEG 2000"):
    if name != "native":
        ds.BitsStored, ds.HighBit = 16, 15
        ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    ds.BitsStored, ds.HighBit = 12, 11
    added = ds.pixel_array.astype(int) - film
    seen[name] = sorted({int(value) for value in added.ravel()})
print(f"pydicom {pydicom.__version__}, added to the film: {seen}")
sys.exit(seen != {"native": [0], "JPEG 2000": [0, 4096]})
PYTHON
