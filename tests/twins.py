"""How far the probability of a film depends on the way in which it is stored.

    python -m tests.twins FOLDER [--films 100]

For each way to store a film, prints the largest difference from the probability of the same film
as 8-bit PNG, over some films of the folder. CXR_CHECKPOINT selects the model.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from cxr_app.imaging.intake import read_radiograph
from cxr_app.model.classifier_choice import load_classifier
from cxr_app.scoring import Scorer
from cxr_app.settings import Settings
from tests.support.factories import (
    Pixels,
    compressed_dicom_bytes,
    dicom_bytes,
    jpeg_bytes,
    jpeg_dicom_bytes,
    png_bytes,
    radiograph_dataset,
)

LOSSLESS, LOSSY = 0.01, 0.15
"""Largest allowed differences of a probability."""
Stored = Callable[[Pixels], bytes]


def deeper(film: Pixels, bits: int) -> Pixels:
    """Return the same grey values in more bits."""
    return np.asarray(np.rint(film / 255 * (2**bits - 1)), dtype=np.uint16)


def in_dicom(syntax: str, bits: int, polarity: str = "MONOCHROME2") -> Stored:
    """Return a function that stores a film as DICOM, without a window."""

    def store(film: Pixels) -> bytes:
        pixels = film if bits == 8 else deeper(film, bits)
        if polarity == "MONOCHROME1":
            pixels = (2**bits - 1 - pixels).astype(pixels.dtype)
        ds = radiograph_dataset(pixels, photometric_interpretation=polarity, bits_stored=bits)
        if syntax in (JPEG2000Lossless, JPEGLSLossless, RLELossless):
            return compressed_dicom_bytes(ds, syntax)
        return dicom_bytes(ds, syntax)

    return store


EXACT: dict[str, Stored] = {
    "PNG, 16 bits": lambda film: png_bytes(deeper(film, 16)),
    "PNG, RGB": lambda film: png_bytes(np.repeat(film[..., None], 3, axis=2)),
    "DICOM, 8 bits": in_dicom(ExplicitVRLittleEndian, 8),
    "DICOM, 12 bits": in_dicom(ExplicitVRLittleEndian, 12),
    "DICOM, 16 bits": in_dicom(ExplicitVRLittleEndian, 16),
    "MONOCHROME1, 8 bits": in_dicom(ExplicitVRLittleEndian, 8, "MONOCHROME1"),
    "MONOCHROME1, 12 bits": in_dicom(ExplicitVRLittleEndian, 12, "MONOCHROME1"),
    "implicit": in_dicom(ImplicitVRLittleEndian, 12),
    "big endian": in_dicom(ExplicitVRBigEndian, 12),
    "deflated": in_dicom(DeflatedExplicitVRLittleEndian, 12),
    "RLE": in_dicom(RLELossless, 12),
    "JPEG-LS": in_dicom(JPEGLSLossless, 12),
    "JPEG 2000": in_dicom(JPEG2000Lossless, 12),
    "JPEG 2000, 8 bits": in_dicom(JPEG2000Lossless, 8),
}
COMPRESSED: dict[str, Stored] = {
    "JPEG, quality 75": lambda film: jpeg_bytes(film, quality=75),
    "JPEG within DICOM, quality 90": jpeg_dicom_bytes,
}


def differences(scorer: Scorer, films: Iterable[Pixels]) -> dict[str, list[float]]:
    """Return each film's difference from its probability as PNG, for each way to store it."""
    ways = EXACT | COMPRESSED
    found: dict[str, list[float]] = {name: [] for name in ways}
    for film in films:
        files = [png_bytes(film), *(store(film) for store in ways.values())]
        first, *others = scorer.score_all([scorer.examine(data) for data in files])
        for name, outcome in zip(ways, others, strict=True):
            if first.prediction is not None and outcome.prediction is not None:
                own = first.prediction.pneumonia_probability
                found[name].append(outcome.prediction.pneumonia_probability - own)
            elif (first.prediction is None) != (outcome.prediction is None):
                found[name].append(np.inf)  # scored in one form but not in the other
    return found


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--films", type=int, default=100)
    options = parser.parse_args()
    settings = Settings.read()
    scorer = Scorer(load_classifier(settings.checkpoint, settings.device, settings.runtime))
    paths = sorted(path for path in options.folder.rglob("*") if path.is_file())
    chosen = paths[:: -(-len(paths) // options.films)]
    found = differences(scorer, map(read_pixels, chosen))
    print("| stored as | films | largest difference | 99th percentile | may be |")
    print("|---|---|---|---|---|")
    for name, each in found.items():
        sizes = np.abs(each)
        most = LOSSLESS if name in EXACT else LOSSY
        percentile = np.percentile(sizes, 99)
        print(f"| {name} | {len(each)} | {sizes.max():.4f} | {percentile:.4f} | {most} |")
    return 0


def read_pixels(path: Path) -> Pixels:
    """Read a film as 8-bit values."""
    return np.asarray(np.rint(255 * read_radiograph(path.read_bytes()).image), dtype=np.uint8)


if __name__ == "__main__":
    sys.exit(main())
