"""The evidence of the heatmap as numbers, on the network's own grid: for machines.

References
----------
DICOM PS3.3 A.75 (Parametric Map).
"""

from copy import copy

import numpy as np
from highdicom import VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import number, numbers
from cxr_app.imaging.orientation import as_stored, turn_needed
from cxr_app.imaging.own_results import MODEL_NAME
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.result_object import completed, identity, with_own_values
from cxr_app.pacs.result_uids import derived_uid
from cxr_app.pacs.scored_film import ScoredFilm

LOG_ODDS = Code("1", "UCUM", "no units")
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing")


def parametric_map(film: ScoredFilm, installation: Installation) -> Dataset | None:
    """Build the map of a film's evidence; None if it was not kept."""
    if film.activation_map is None:
        return None
    kind = ResultKind.HEATMAP
    cells = np.ascontiguousarray(as_stored(film.activation_map, turn_needed(film.header)))
    low, high = float(cells.min()), float(cells.max())
    width = max(high - low, 1e-3)
    mapping = RealWorldValueMapping(
        lut_label="EVIDENCE",
        lut_explanation="Log-odds of pneumonia above the operating point",
        unit=LOG_ODDS,
        value_range=(low, low + width),
        slope=1.0,
        intercept=0.0,
        quantity_definition=codes.DCM.GradientWeightedClassActivation,
    )
    result = ParametricMap(
        source_images=[_with_plane(film, cells)],
        pixel_array=cells[None, ..., None].astype(np.float32),
        **identity(film, kind),
        manufacturer_model_name=MODEL_NAME,
        software_versions=plain(film.model_version),
        device_serial_number=installation.serial_number,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[[mapping]],
        voi_lut_transformations=[VOILUTTransformation(low + width / 2, width)],
        content_label="EVIDENCE",
        content_description="Evidence of an AI, investigational",
    )
    organization = derived_uid("dimensions", film.instance_uid(kind))
    for item in (*result.DimensionOrganizationSequence, *result.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    return completed(with_own_values(result, film), film, installation, kind)


def _with_plane(film: ScoredFilm, cells: NDArray[np.generic]) -> Dataset:
    """Return the film's header as if it lay in a plane of its own, which highdicom asks for.

    Its frame of reference is the map's alone, so that nothing can be laid over it by position.
    """
    header = copy(film.evidence)
    rows, columns = (number(header, keyword) or 1 for keyword in ("Rows", "Columns"))
    known = [numbers(header, name) for name in SPACINGS]
    spacing = next((each for each in known if len(each) == 2 and min(each) > 0), [1.0, 1.0])
    header.FrameOfReferenceUID = derived_uid("frame", film.instance_uid(ResultKind.HEATMAP))
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.ImagePositionPatient = [0, 0, 0]
    header.SliceThickness = 1
    header.Rows, header.Columns = cells.shape
    header.PixelSpacing = [
        f"{spacing[0] * rows / cells.shape[0]:.6f}",
        f"{spacing[1] * columns / cells.shape[1]:.6f}",
    ]
    return header
