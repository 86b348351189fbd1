"""The heatmap's outline as a presentation state: a viewer draws it on the film itself.

References
----------
DICOM PS3.3 A.33.1, C.10.5 (Graphic Annotation), C.11.6 (Softcopy Presentation LUT).
"""

import numpy as np
from highdicom import PresentationLUTTransformation
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
)
from numpy.typing import NDArray
from pydicom import Dataset

from cxr_app.destination import ResultKind
from cxr_app.imaging.dicom_values import integer, text
from cxr_app.imaging.orientation import points_as_stored, turn_needed
from cxr_app.imaging.own_results import MODEL_NAME
from cxr_app.model import activation_map
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.plain_words import plain
from cxr_app.pacs.result_object import completed, identity, with_own_values
from cxr_app.pacs.scored_film import ScoredFilm

GRID = 512
"""Side of the grid on which the outline is drawn; heat is smooth."""


def presentation_state(film: ScoredFilm, installation: Installation) -> Dataset | None:
    """Build the outline of a film's heat; None if the film has no heat to outline."""
    lines = _outline(film)
    if not lines:
        return None
    kind = ResultKind.OUTLINE
    layer = GraphicLayer("AI_OUTLINE", order=1, description="Outline of an AI heatmap")
    is_inverted = text(film.header, "PhotometricInterpretation") == "MONOCHROME1"
    state = GrayscaleSoftcopyPresentationState(
        referenced_images=[film.evidence],
        **identity(film, kind),
        manufacturer_model_name=MODEL_NAME,
        software_versions=plain(film.model_version),
        device_serial_number=installation.serial_number,
        content_label="AI_OUTLINE",
        content_description="Outline of an AI heatmap, investigational",
        graphic_annotations=[
            GraphicAnnotation(
                referenced_images=[film.evidence],
                graphic_layer=layer,
                graphic_objects=[
                    GraphicObject(graphic_type="POLYLINE", graphic_data=line, units="PIXEL")
                    for line in lines
                ],
            )
        ],
        graphic_layers=[layer],
        presentation_lut_transformation=PresentationLUTTransformation(
            presentation_lut_shape="INVERSE" if is_inverted else "IDENTITY"
        ),
    )
    return completed(with_own_values(state, film), film, installation, kind)


def _outline(film: ScoredFilm) -> list[NDArray[np.float64]]:
    """Draw the outline in pixels of the film as stored, each line of shape ``(n, 2)``."""
    rows, columns = integer(film.header, "Rows"), integer(film.header, "Columns")
    if film.activation_map is None or film.heat_scale is None or not (rows and columns):
        return []
    cells = activation_map.heat(film.activation_map, film.heat_scale)
    turn = turn_needed(film.header)
    lines = activation_map.outline(activation_map.on_film(cells, GRID, GRID))
    return [points_as_stored(line, turn) * (columns, rows) for line in lines]
