"""Real DICOM files of many makes: equal to pydicom's own functions, or refused in words."""

import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

from cxr_app.errors import FilmError
from cxr_app.imaging.intake import read_radiograph, read_softcopy
from cxr_app.imaging.pixels import full_range, to_image
from cxr_app.model.screening import screen
from cxr_app.radiograph import Radiograph
from tests.support import dcm2pnm

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "dicom"
FILES = sorted(FOLDER.iterdir()) if FOLDER.is_dir() else []
LEVEL = 1 / 255
ROUNDED_TWICE = 1.1 / 255
"""YBR to RGB and RGB to brightness: each program rounds both in its own way."""
READ_OTHERWISE = {
    "pydicom__test_files_rtdose_expb.dcm",
    "pydicom__test_files_rtdose_expb_1frame.dcm",
}
"""DCMTK swaps bytes within 16 of their 32 bits, and shows another picture than of their twins."""

pytestmark = pytest.mark.skipif(not FILES, reason="../shared/data/dicom is not here")


def reference(data: bytes) -> NDArray[np.float64]:
    """Show the first frame by pydicom's functions alone."""
    ds = dcmread(BytesIO(data), force=True)
    stored = pixel_array(ds, index=0)
    output = apply_voi_lut(apply_modality_lut(stored, ds), ds).astype(np.float64)
    low, high = output_range(stored, ds)
    shown = ((output - low) / (high - low)).clip(0, 1)
    return np.asarray(1 - shown if ds.PhotometricInterpretation == "MONOCHROME1" else shown)


def output_range(stored: NDArray[Any], ds: Dataset) -> tuple[float, float]:
    """State what pydicom maps black and white to: the range of the stored bits, rescaled."""
    signed = ds.PixelRepresentation == 1
    low, high = -(2 ** (ds.BitsStored - 1)) if signed else 0, 2 ** (ds.BitsStored - signed) - 1
    if "WindowCenter" not in ds:
        # Nothing says how to show it. Padding stays out of the range.
        film = stored[stored != ds.get("PixelPaddingValue", None)]
        low, high = full_range(int(film.min()), int(film.max()), ds.BitsStored, signed=signed)
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    return slope * low + intercept, slope * high + intercept


def is_monochrome(data: bytes) -> bool:
    ds = dcmread(BytesIO(data), force=True)
    return str(ds.get("PhotometricInterpretation", "")).startswith("MONOCHROME")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_shown_as_pydicom_shows_it_or_refused_in_words(path: Path) -> None:
    data = path.read_bytes()
    try:
        radiograph = read_radiograph(data)
    except FilmError as error:
        refusal = str(error)
    else:
        check(radiograph, data)
        return
    assert re.match(r"[A-Z(].{20,}\.$", refusal)


def check(radiograph: Radiograph, data: bytes) -> None:
    """Compare with what the viewer shows, and with what pydicom shows."""
    shown = to_image(read_softcopy(data))
    assert shown.shape == (radiograph.rows, radiograph.columns)
    if radiograph.size is None:
        assert np.abs(shown - radiograph.image).max() < LEVEL
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compared = is_monochrome(data) and not is_deep_jpeg(data) and not is_mended(radiograph)
        if compared:
            assert np.abs(shown - reference(data)).max() <= LEVEL


def is_mended(radiograph: Radiograph) -> bool:
    """Return whether the film is shown as it is meant, where references follow the letter."""
    words = ("not square", "was turned", "No pixel lies in a window")
    return any(word in remark for word in words for remark in radiograph.remarks)


def is_deep_jpeg(data: bytes) -> bool:
    """Return whether pydicom has no decoder for it."""
    ds = dcmread(BytesIO(data), force=True)
    return ds.file_meta.TransferSyntaxUID == JPEGExtended12Bit and ds.BitsStored > 8


@pytest.mark.skipif(not dcm2pnm.is_installed(), reason="DCMTK is not here")
@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name not in READ_OTHERWISE], ids=lambda path: path.name
)
def test_film_is_shown_as_dcmtk_shows_it(path: Path) -> None:
    data = path.read_bytes()
    try:
        shown = to_image(read_softcopy(data))
        if is_mended(read_radiograph(data)):
            return
    except FilmError:
        return
    expected = dcm2pnm.render(path)
    level = LEVEL if is_monochrome(data) else ROUNDED_TWICE
    assert expected is None or np.abs(shown - expected).max() <= level


@pytest.mark.parametrize(
    "name",
    [
        "dwv__data_gdcm-CR-MONO1-10-chest.dcm",
        "pydicom-data__data_RG1_J2KI.dcm",
        "torchxrayvision__1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm",
        "torchxrayvision__Fake_MONOHR1.dcm",
    ],
)
def test_real_chest_film_may_be_scored(name: str) -> None:
    radiograph = read_radiograph((FOLDER / name).read_bytes())
    assert screen(radiograph) is None
    assert 0.2 < radiograph.image.mean() < 0.8


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pydicom__test_files_693_J2KI.dcm", "a CT image"),
        ("pydicom__test_files_MR_small.dcm", "an MR image"),
        ("pylibjpeg-data__JPEGLSLossless_RG2_JLSL.dcm", "another part of the body"),
        ("pydicom-data__data_RG3_J2KI.dcm", "another part of the body"),
        ("pydicom__test_files_liver_1frame.dcm", "a segmentation"),
        ("pydicom__test_files_examples_palette.dcm", "an ultrasound image"),
        ("pydicom__test_files_image_dfl.dcm", None),
    ],
)
def test_what_is_no_chest_film_is_refused(name: str, words: str | None) -> None:
    reason = screen(read_radiograph((FOLDER / name).read_bytes()))
    assert (words or "") in (reason or "")


def test_monochrome1_and_2_of_one_film_are_each_others_inverse() -> None:
    first = read_radiograph(
        (
            FOLDER / "torchxrayvision__1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm"
        ).read_bytes()
    )
    second = read_radiograph((FOLDER / "torchxrayvision__Fake_MONOHR1.dcm").read_bytes())
    assert np.abs(first.image + second.image - 1).max() < 1e-5
