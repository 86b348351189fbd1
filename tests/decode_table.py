"""Compare every DICOM file of a folder with pydicom's own functions, and print a table.

python -m tests.decode_table FOLDER
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread

from cxr_app.errors import FilmError
from cxr_app.intake import read_radiograph, read_softcopy
from cxr_app.pixels import to_image
from tests.integration.test_real_dicom import is_monochrome, reference


def main() -> int:
    """Print a line a file: name, transfer syntax, reference, largest difference."""
    print("| file | transfer syntax | reference | largest difference, grey levels of 255 |")
    print("|---|---|---|---|")
    for path in sorted(Path(sys.argv[1]).iterdir()):
        print(f"| `{path.name}` | {' | '.join(line(path.read_bytes()))} |")
    return 0


def line(data: bytes) -> tuple[str, str, str]:
    """Say how a file is stored, what it was compared with, and what came of it."""
    try:
        radiograph = read_radiograph(data)
    except FilmError as error:
        return "", "none", f"refused: {error}"
    syntax = radiograph.header.transfer_syntax if radiograph.header else ""
    if not is_monochrome(data):
        colour = dcmread(BytesIO(data), force=True).PhotometricInterpretation
        return syntax, "none", f"{colour}, shown by its luminance"
    difference = 255 * np.abs(to_image(read_softcopy(data)) - reference(data)).max()
    return syntax, "pydicom", f"{difference:.3f}"


if __name__ == "__main__":
    sys.exit(main())
