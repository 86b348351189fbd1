"""What the receiver accepts: every storage class, in every transfer syntax that is decoded.

A class that can hold no film is accepted too, because an object can be refused in words, whereas
senders report a rejected presentation context badly.
"""

from collections.abc import Iterable
from typing import Self

from pydicom.uid import (
    UID,
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
from pynetdicom import DEFAULT_TRANSFER_SYNTAXES, AllStoragePresentationContexts
from pynetdicom.presentation import PresentationContext

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


class SharedContext(PresentationContext):
    """A context that all associations have in common: none changes it.

    pynetdicom copies the contexts for each association; 172 of them took 41 ms.
    """

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def supported_contexts() -> list[PresentationContext]:
    """Return the presentation contexts of the receiver.

    The acceptor takes the first syntax of its own list that the sender offers, so that a film stays
    compressed if it is.
    """
    storage = [
        _shared(context.abstract_syntax, TRANSFER_SYNTAXES)
        for context in AllStoragePresentationContexts
        if context.abstract_syntax is not None
    ]
    others = [_shared(each, DEFAULT_TRANSFER_SYNTAXES) for each in (VERIFICATION, COMMITMENT)]
    return [*others, *storage]


def _shared(abstract_syntax: str, transfer_syntaxes: Iterable[str]) -> SharedContext:
    context = SharedContext()
    context.abstract_syntax = UID(abstract_syntax)
    context.transfer_syntax = [UID(each) for each in transfer_syntaxes]
    return context
