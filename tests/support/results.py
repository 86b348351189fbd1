"""Scored films, and the objects that are made of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
from pydicom import Dataset, dcmread

from cxr_app.destination import ResultKind
from cxr_app.imaging import intake
from cxr_app.imaging.dicom import parse
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.parametric_map import parametric_map
from cxr_app.pacs.presentation_state import presentation_state
from cxr_app.pacs.reading_report import reading_report
from cxr_app.pacs.scored_film import ScoredFilm, film_header
from cxr_app.pacs.secondary_capture import secondary_capture
from cxr_app.pacs.structured_report import structured_report
from cxr_app.prediction import HeatScale
from cxr_app.worklist import Review, Verdict

INSTALLATION = Installation("CXR", "2.25.329800735698586629295641978511506172918")
SCORED_AT = datetime(2026, 1, 5, 9, 30, 15, 250_000, tzinfo=UTC)


def hot_corner(rows: int = 14, columns: int = 14) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Evidence in the upper left of the film as read, and none elsewhere."""
    cells = np.full((rows, columns), -2.0, np.float32)
    cells[2:5, 1:4] = 3.0
    return cells


def scored_film(data: bytes, **values: Any) -> ScoredFilm:
    """Return a flagged film with heat; `values` replace others."""
    chosen: dict[str, Any] = {
        "header": film_header(parse(data)),
        "sha256": "a" * 64,
        "flagged": True,
        "pneumonia_probability": 0.8725,
        "threshold": 0.2915,
        "operating_point_name": "balanced",
        "model_version": "pneumonia-a41c9f02",
        "scored_at": SCORED_AT,
        "activation_map": hot_corner(),
        "heat_scale": HeatScale(0.0, 2.0),
    }
    return ScoredFilm(**(chosen | values))


def review(**values: Any) -> Review:
    """Return a reader's verdict: the film was flagged rightly; `values` replace others."""
    chosen: dict[str, Any] = {
        "reader": "Dr. Łucja Weiß",
        "reviewed_at": SCORED_AT,
        "verdict": Verdict.AGREE,
        "comment": "Right base – see the lateral.",
        "model_version": "pneumonia-a41c9f02",
        "flagged": True,
        "pneumonia_probability": 0.8725,
        "threshold": 0.2915,
    }
    return Review(**(chosen | values))


def result_object(kind: ResultKind, data: bytes, **values: Any) -> Dataset:
    """Build one object of a film."""
    film = scored_film(data, **values)
    makers: dict[ResultKind, Callable[[], Dataset | None]] = {
        ResultKind.REPORT: lambda: structured_report(film, INSTALLATION),
        ResultKind.PICTURE: lambda: secondary_capture(
            film, intake.read_softcopy(data), INSTALLATION
        ),
        ResultKind.OUTLINE: lambda: presentation_state(film, INSTALLATION),
        ResultKind.HEATMAP: lambda: parametric_map(film, INSTALLATION),
        ResultKind.READING: lambda: reading_report(film, [review()], INSTALLATION),
    }
    built = makers[kind]()
    assert built is not None
    return built


def written(made: Dataset) -> Dataset:
    """Return an object as it arrives at the other side."""
    return dcmread(BytesIO(file_of(made)))


def file_of(made: Dataset) -> bytes:
    """Return an object as the bytes of its file."""
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
