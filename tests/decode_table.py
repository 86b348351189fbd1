"""Compare films with other people's programs, and print a table.

python -m tests.decode_table [FOLDER] [--dcm2pnm | --highdicom]

Of every DICOM file of a folder: the reference is pydicom's own functions, DCMTK's dcm2pnm, or
highdicom's. Without a folder: of the odd films in ``tests/unit/cxr_app/imaging/cases``, each
against its right value, with all references that are installed.
"""

import argparse
import sys
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from cxr_app.errors import DAMAGE, FilmError
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.pixels import to_image
from tests.integration.test_real_dicom import is_monochrome, reference
from tests.support import by_gdcm, by_highdicom, dcm2pnm
from tests.unit.cxr_app.imaging.cases.odd_film import OddFilm
from tests.unit.cxr_app.imaging.cases.table import CASES, difference, rendered

Reference = Callable[[Path], NDArray[Any] | None]
LEVEL = 1.0
"""Largest difference, in grey levels of 255, that counts as equal."""


def main() -> int:
    """Print name, transfer syntax, reference and largest difference of each file, and a summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--dcm2pnm", action="store_true", help="compare with DCMTK's dcm2pnm")
    others.add_argument("--highdicom", action="store_true", help="compare with highdicom")
    arguments = parser.parse_args()
    if arguments.folder is None:
        print_cases()
        return 0
    name, render = "pydicom", by_pydicom
    if arguments.dcm2pnm:
        if not dcm2pnm.is_installed():
            parser.error("DCMTK is not installed: apt-get install dcmtk")
        name, render = "dcm2pnm", dcm2pnm.render
    elif arguments.highdicom:
        if not by_highdicom.is_installed():
            parser.error("highdicom is not installed: pip install highdicom")
        name, render = "highdicom", by_highdicom.render
    print("| file | transfer syntax | reference | largest difference, grey levels of 255 |")
    print("|---|---|---|---|")
    differences = []
    for path in sorted(arguments.folder.iterdir()):
        syntax, difference = compare(path, render)
        differences.append(difference)
        compared = isinstance(difference, float)
        found = f"{difference:.3f}" if compared else difference
        print(f"| `{path.name}` | {syntax} | {name if compared else 'none'} | {found} |")
    print(summary(differences))
    return 0


def print_cases() -> None:
    """Print how far each program is from the right value of each odd film, in grey levels of 255.

    A reference that is not installed has a dash, and one that shows no picture is empty.
    """
    references: dict[str, Reference | None] = {
        f"pydicom {pydicom.__version__}": by_pydicom,
        "DCMTK": dcm2pnm.render if dcm2pnm.is_installed() else None,
        "GDCM": by_gdcm.render if by_gdcm.is_installed() else None,
        "highdicom": by_highdicom.render if by_highdicom.is_installed() else None,
    }
    print(f"| odd film | authority | here | {' | '.join(references)} |")
    print("|---" * (3 + len(references)) + "|")
    for case in CASES:
        shown = rendered(case)
        own = "refused" if isinstance(shown, str) else levels(case, shown)
        others = (levels_of(case, reference) for reference in references.values())
        print(f"| {case.name} | {case.authority} | {own} | {' | '.join(others)} |")


def levels(case: OddFilm, shown: NDArray[Any]) -> str:
    """Return the difference of a picture from the right one; of another size, say so."""
    found = 255 * difference(case, shown)
    return f"{found:.1f}" if np.isfinite(found) else f"{shown.shape[0]} × {shown.shape[1]}"


def levels_of(case: OddFilm, reference: Reference | None) -> str:
    """Return how far a reference is from the right value of a case."""
    if reference is None:
        return "-"
    if case.refusal:
        return ""
    with NamedTemporaryFile(suffix=".dcm") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.write(case.data())
        file.flush()
        try:
            shown = reference(Path(file.name))
        except (*DAMAGE, InvalidDicomError):
            return ""
    return "" if shown is None else levels(case, shown)


def compare(path: Path, render: Reference) -> tuple[str, float | str]:
    """Return a file's transfer syntax, and its difference or why there is none."""
    data = path.read_bytes()
    try:
        header = read_radiograph(data).header
        shown = to_image(read_softcopy(data))
    except FilmError as error:
        return "", f"refused: {error}"
    syntax = header.transfer_syntax if header else ""
    expected = render(path)
    if expected is None:
        colour = dcmread(BytesIO(data), force=True).PhotometricInterpretation
        return syntax, f"{colour}, which the reference does not show"
    return syntax, 255 * float(np.abs(shown - expected).max())


def by_pydicom(path: Path) -> NDArray[Any] | None:
    """Render a grey film with pydicom's functions; None if it has colour or no decoder."""
    data = path.read_bytes()
    try:
        return reference(data) if is_monochrome(data) else None
    except RuntimeError:  # pydicom has no decoder for the syntax
        return None


def summary(differences: list[float | str]) -> str:
    """Return the number of files of each result."""
    compared = [found for found in differences if isinstance(found, float)]
    refused = sum(isinstance(found, str) and found.startswith("refused") for found in differences)
    near = [found for found in compared if found <= LEVEL]
    return (
        f"\n{len(differences)} files: {len(compared)} compared, {len(near)} of them within one "
        f"grey level, largest difference {max(compared, default=0.0):.3f}; "
        f"{len(differences) - len(compared) - refused} without a reference, {refused} refused."
    )


if __name__ == "__main__":
    sys.exit(main())
