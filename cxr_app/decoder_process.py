"""A decoder in a process of its own: GDCM ends the whole process on some damaged JPEG files.

It is the only free decoder of lossless JPEG, and is used for nothing else. Started as a program,
this file reads a DICOM file from standard input and writes its first frame to standard output.
"""

import subprocess
import sys
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array

TIMEOUT_SECONDS = 60.0


def decode_apart(data: bytes) -> NDArray[Any]:
    """Decode the first frame of a DICOM file by GDCM, out of this process.

    Raises
    ------
    RuntimeError
        If GDCM cannot, crashes, or takes longer than `TIMEOUT_SECONDS`.
    """
    try:
        finished = subprocess.run(  # noqa: S603 - this very file
            [sys.executable, __file__],
            input=data,
            capture_output=True,
            check=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.SubprocessError:
        raise RuntimeError("GDCM gave no picture") from None  # its words may name the patient
    return np.asarray(np.load(BytesIO(finished.stdout), allow_pickle=False))


def main() -> None:
    """Decode standard input."""
    frame = pixel_array(dcmread(BytesIO(sys.stdin.buffer.read())), index=0, decoding_plugin="gdcm")
    np.save(sys.stdout.buffer, frame, allow_pickle=False)


if __name__ == "__main__":
    main()
