"""The Modality LUT of a film: a table, or slope and intercept."""

from pydicom import Dataset

from cxr_app.imaging.dicom_values import integer, items, number, text, value
from cxr_app.imaging.lut import LookupTable

_WITHOUT = {
    "1.2.840.10008.5.1.4.1.1.12.1",  # X-Ray Angiographic Image Storage
    "1.2.840.10008.5.1.4.1.1.12.1.1",  # Enhanced XA Image Storage
    "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic Image Storage
    "1.2.840.10008.5.1.4.1.1.12.2.1",  # Enhanced XRF Image Storage
    "1.2.840.10008.5.1.4.1.1.12.3",  # X-Ray Angiographic Bi-Plane Image Storage, retired
}
"""(0008,0016) *SOP Class UID* of images whose Modality LUT only restores beam intensities."""
_NONE = (1.0, 0.0)


def modality_lut(
    ds: Dataset,
) -> tuple[LookupTable | None, tuple[float, float], tuple[str, ...]]:
    """Read the Modality LUT: a table, or else slope and intercept; also return remarks.

    Slope and intercept are 1 and 0 if there is none, and for XA and XRF images, where it is not
    part of the way to the display.

    Raises
    ------
    PixelDataError
        If the table is damaged; an empty item is left out with a remark.

    References
    ----------
    DICOM PS3.3 C.11.1; PS3.4 N.2.1.2 and N.2.5.
    """
    if text(ds, "SOPClassUID") in _WITHOUT:
        return None, _NONE, ()
    remarks: tuple[str, ...] = ()
    for item in items(ds, "ModalityLUTSequence")[:1]:
        if value(item, "LUTDescriptor") is not None or value(item, "LUTData") is not None:
            return LookupTable.read(item, ds, signed=_has_signed_input(ds)), _NONE, ()
        remarks = ("The Modality LUT of the file is empty and was ignored.",)
    if "RescaleSlope" not in ds or "RescaleIntercept" not in ds:
        return None, _NONE, remarks
    slope, intercept = number(ds, "RescaleSlope"), number(ds, "RescaleIntercept")
    if slope is None or intercept is None or not 1e-9 < abs(slope) < 1e9 or abs(intercept) > 1e12:
        remark = "The file's rescale slope and intercept are meaningless and were ignored."
        return None, _NONE, (*remarks, remark)
    return None, (slope, intercept), remarks


def _has_signed_input(ds: Dataset) -> bool:
    return integer(ds, "PixelRepresentation") == 1
