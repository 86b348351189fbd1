#!/usr/bin/env bash
# pydicom with Pillow cannot decode a sound JPEG whose components are named R, G and B.
#
# ITU-T T.81 B.2.2: component identifiers are free. libjpeg takes the names R, G and B for a sign of
# RGB if there is neither a JFIF nor an Adobe marker, and Pillow alone decodes such a file. Within DICOM, pydicom
# 3.0.2 asks Pillow for YCbCr (to leave the colours alone) if there is no Adobe marker; libjpeg has no
# way from RGB to YCbCr, so that decoding fails as if the data were damaged.
# Expected: pixel_array returns the picture, as Pillow alone does. Seen: a RuntimeError.
# Exit status 0: still so. 1: that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder/site" pydicom==3.0.2 pillow==13.0.0 numpy==2.4.6
PYTHONPATH="$folder/site" python3 - <<'PYTHON'
import sys
from io import BytesIO

import numpy as np
import PIL
import pydicom
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, SecondaryCaptureImageStorage

rgb = np.repeat(np.linspace(0, 255, 64 * 64).astype(np.uint8).reshape(64, 64, 1), 3, axis=2)
buffer = BytesIO()
Image.fromarray(rgb).save(buffer, "JPEG", quality=95, keep_rgb=True)
jpeg = buffer.getvalue()
for marker in (b"\xff\xee", b"\xff\xe0"):  # Adobe, JFIF
    start = jpeg.find(marker, 2, 64)
    if start > 0:
        jpeg = jpeg[:start] + jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big") :]
frame = jpeg.index(b"\xff\xc0")
names = bytes(jpeg[frame + 10 + 3 * number] for number in range(3))
assert names == b"RGB", names
alone = np.asarray(Image.open(BytesIO(jpeg)))
assert np.abs(alone.astype(int) - rgb).mean() < 3

ds = Dataset()
ds.file_meta = FileMetaDataset()
ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
ds.SOPClassUID, ds.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
ds.Rows, ds.Columns = rgb.shape[:2]
ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
ds.PixelData = encapsulate([jpeg])
ds["PixelData"].VR = "OB"
ds["PixelData"].is_undefined_length = True
try:
    seen = f"decoded, {ds.pixel_array.shape}"
except RuntimeError as error:
    seen = f"RuntimeError: {str(error).splitlines()[-1].strip()}"
print(f"pydicom {pydicom.__version__}, Pillow {PIL.__version__}: {seen}")
sys.exit("RuntimeError" not in seen)
PYTHON
