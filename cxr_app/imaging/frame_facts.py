"""Facts of the first frame that an enhanced file keeps in functional groups."""

from pydicom import DataElement, Dataset

from cxr_app.errors import raise_shortage
from cxr_app.imaging.dicom_values import DICOM_DAMAGE, items

_MACROS = {
    "FrameVOILUTSequence": (
        "WindowCenter",
        "WindowWidth",
        "WindowCenterWidthExplanation",
        "VOILUTFunction",
        "VOILUTSequence",
    ),
    "PixelValueTransformationSequence": (
        "RescaleIntercept",
        "RescaleSlope",
        "RescaleType",
        "ModalityLUTSequence",
    ),
    "PixelMeasuresSequence": ("PixelSpacing",),
    "FramePixelDataPropertiesSequence": ("ImagerPixelSpacing",),
    "FrameDisplayShutterSequence": (
        "ShutterShape",
        "ShutterLeftVerticalEdge",
        "ShutterRightVerticalEdge",
        "ShutterUpperHorizontalEdge",
        "ShutterLowerHorizontalEdge",
        "CenterOfCircularShutter",
        "RadiusOfCircularShutter",
        "VerticesOfThePolygonalShutter",
        "ShutterPresentationValue",
        "ShutterPresentationColorCIELabValue",
    ),
    "PatientOrientationInFrameSequence": ("PatientOrientation",),
}
"""Functional group macros and what they say of a frame."""
_GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")


def set_frame_facts(ds: Dataset) -> None:
    """Set the facts of the first frame where those of a single image are.

    What the frame says of itself counts more than what it shares with others, and both count more
    than what the file says besides.

    References
    ----------
    DICOM PS3.3 C.7.6.16.
    """
    for macro, keywords in _MACROS.items():
        found = next((item for group in _GROUPS for item in _macro(ds, group, macro)), None)
        if found is None:
            continue
        facts = [_element(found, keyword) for keyword in keywords]
        for keyword, fact in zip(keywords, facts, strict=True):
            if fact is not None:
                ds[keyword] = fact
            elif keyword in ds and any(facts):
                del ds[keyword]


def _macro(ds: Dataset, group: str, macro: str) -> list[Dataset]:
    """Return the item of a macro for the first frame; none if it is missing."""
    return [item for first in items(ds, group)[:1] for item in items(first, macro)[:1]]


def _element(item: Dataset, keyword: str) -> DataElement | None:
    if keyword not in item:
        return None
    try:
        return item[keyword]
    except DICOM_DAMAGE as error:
        raise_shortage(error)
        return None
