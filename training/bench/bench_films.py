"""Films for the benchmark: drawn, 1400 x 1000, all different, in three formats."""

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    generate_uid,
)

from training.drawing.phantom_films import draw_phantom, opacities_of

ROWS, COLUMNS = 1000, 1400
BITS = 12
QUALITY = 90
DRAWN = 4
"""Pictures of each format, which are repeated: drawing takes longer than scoring."""
SUFFIXES = {"jpeg": ".jpg", "dicom": ".dcm", "jpeg2000": ".dcm"}


def write_bench_films(folder: Path, kind: str, count: int) -> Path:
    """Write films of one kind (a key of `SUFFIXES`); all files are different.

    Returns
    -------
    Path
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [draw_phantom(seed, ROWS, COLUMNS, opacities_of(seed)) for seed in range(DRAWN)]
    files = [_jpeg(picture) for picture in pictures] if kind == "jpeg" else []
    films = [_dicom(picture, compressed=kind == "jpeg2000") for picture in pictures if not files]
    for number in range(count):
        path = folder / f"{number:06}{SUFFIXES[kind]}"
        if files:
            path.write_bytes(files[number % DRAWN] + b"%d" % number)  # after the end of the picture
        else:
            _write_as_another(films[number % DRAWN], path)
    return folder


def write_study_films(folder: Path, count: int, rows: int, columns: int) -> list[Path]:
    """Write uncompressed films as a modality sends them, each of a patient and study of its own.

    Parameters
    ----------
    rows, columns
        Of the films, of 16 bits a pixel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [draw_phantom(seed, rows, columns, opacities_of(seed)) for seed in range(DRAWN)]
    films = [_dicom(picture, compressed=False) for picture in pictures]
    for number in range(count):
        ds = films[number % DRAWN]
        ds.PatientName, ds.PatientID = f"Phantom^{number}", f"BENCH-{number}"
        ds.PatientBirthDate, ds.PatientSex = "", "O"
        ds.StudyID, ds.StudyDate, ds.StudyTime = str(number), "20260105", "093000"
        ds.AccessionNumber, ds.ReferringPhysicianName = f"A{number}", ""
        ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        _write_as_another(ds, folder / f"{number:06}.dcm")
    return sorted(folder.glob("*.dcm"))


def _jpeg(picture: NDArray[np.float32]) -> bytes:
    file = BytesIO()
    PillowImage.fromarray(np.rint(picture * 255).astype(np.uint8)).save(
        file, "JPEG", quality=QUALITY
    )
    return file.getvalue()


def _dicom(picture: NDArray[np.float32], *, compressed: bool) -> Dataset:
    """Build a digital radiograph of twelve bits, as a detector writes it."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = generate_uid()
    ds.Modality = "DX"
    ds.BodyPartExamined = "CHEST"
    ds.ViewPosition = "PA"
    ds.PatientAge = "003Y"
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = picture.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, BITS, BITS - 1
    ds.PixelRepresentation = 0
    ds.WindowCenter, ds.WindowWidth = 2 ** (BITS - 1), 2**BITS
    ds.PixelData = np.rint(picture * (2**BITS - 1)).astype("<u2").tobytes()
    ds["PixelData"].VR = "OW"
    if compressed:
        ds.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg")
    return ds


def _write_as_another(ds: Dataset, path: Path) -> None:
    ds.SOPInstanceUID = generate_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    dcmwrite(path, ds, enforce_file_format=True)
