"""What the receiver accepts: every storage class, in every transfer syntax that is decoded.

A class that can hold no film is accepted too, because an object can be refused in words, whereas
senders report a rejected presentation context badly.
"""

from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    XRayAngiographicImageStorage,
    XRayRadiofluoroscopicImageStorage,
)
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.presentation import PresentationContext, build_context

from cxr_app.imaging.dicom_decoding import TRANSFER_SYNTAXES
from cxr_app.pacs.association import VERIFICATION

COMMITMENT = "1.2.840.10008.1.20.1"
"""Storage Commitment Push Model SOP Class."""

FILM_CLASSES = frozenset(
    str(uid)
    for uid in (
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,  # its entry says what to send
        SecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        MultiFrameTrueColorSecondaryCaptureImageStorage,
        XRayAngiographicImageStorage,
        XRayRadiofluoroscopicImageStorage,
    )
)
"""SOP classes of objects that may be chest films."""


def supported_contexts() -> list[PresentationContext]:
    """Return the presentation contexts of the receiver.

    The acceptor takes the first syntax of its own list that the sender offers, so that a film stays
    compressed if it is.
    """
    storage = [
        build_context(context.abstract_syntax, list(TRANSFER_SYNTAXES))
        for context in AllStoragePresentationContexts
        if context.abstract_syntax is not None
    ]
    return [build_context(VERIFICATION), build_context(COMMITMENT), *storage]
