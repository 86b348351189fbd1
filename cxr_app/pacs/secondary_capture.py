"""The picture as a Secondary Capture, which every viewer shows beside the film.

References
----------
DICOM PS3.3 A.8.1, C.8.6.1, C.7.6.1.1.1 (Patient Orientation).
"""

import numpy as np
from highdicom.sc import SCImage
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import text, texts
from cxr_app.imaging.orientation import turn_needed
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.picture import picture_of
from cxr_app.pacs.result_object import completed, identity
from cxr_app.pacs.scored_film import ScoredFilm
from cxr_app.radiograph import Softcopy

AS_READ = ("L", "F")
"""Where rows and columns of a frontal film run to when it lies as it is read."""


def secondary_capture(film: ScoredFilm, softcopy: Softcopy, installation: Installation) -> Dataset:
    """Build the picture of a scored film."""
    kind = ResultKind.PICTURE
    capture = SCImage.from_ref_dataset(
        ref_dataset=film.evidence,
        pixel_array=np.ascontiguousarray(picture_of(film, softcopy)),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=AS_READ,
        **identity(film, kind),
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    capture.PatientOrientation = _orientation(film.header)
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.BurnedInAnnotation = "YES"
    capture.DerivationDescription = (
        "Film with heatmap, AI result and readers' marks burned in"
        if film.marks
        else "Film with the heatmap and the result of an AI burned in"
    )
    capture.SourceImageSequence = [_reference(film.header)]
    return completed(capture, film, installation, kind)


def _orientation(header: Dataset) -> list[str]:
    """Return where the picture's rows and columns run to; empty if the film does not say.

    A film that a reader turned is turned here too.
    """
    if turn_needed(header) is not None:
        return list(AS_READ)
    found = texts(header, "PatientOrientation")
    return found if len(found) == 2 and all(found) else []


def _reference(header: Dataset) -> Dataset:
    source = Dataset()
    source.ReferencedSOPClassUID = text(header, "SOPClassUID")
    source.ReferencedSOPInstanceUID = text(header, "SOPInstanceUID")
    return source
