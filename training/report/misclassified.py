"""The films that a classifier gets most wrong, with heatmaps small enough for one page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from cxr_app.model import activation_map
from cxr_app.model.activation_map import HeatArray
from cxr_app.model.classifier import Classifier
from cxr_app.radiograph import Image, Radiograph
from training.measure.predictions import Predictions, read_each

MOST = 12
"""Films shown of each kind: missed, and falsely flagged."""
SIDE = 224
"""Longer side of a picture, in pixels: a page of 24 films stays below a megabyte."""
QUALITY = 80
HEAT_COLOUR = (255, 122, 26)
HEAT_OPACITY = 0.7


@dataclass(frozen=True, slots=True)
class WrongFilm:
    """A film on the wrong side of the threshold.

    Parameters
    ----------
    sha256
        Of its file; the page shows this instead of the file name, which may name a patient.
    path
        For the JSON report only.
    truth
        ``NORMAL``, ``bacterial`` or ``viral``.
    probability
        Of pneumonia.
    picture, heatmap
        Data URIs; empty if the film may name its patient or cannot be read again.
    """

    sha256: str
    path: str
    truth: str
    probability: float
    picture: str = ""
    heatmap: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return the fields of the JSON report."""
        names = ("sha256", "path", "truth", "probability")
        return {name: getattr(self, name) for name in names}


def most_wrong(
    classifier: Classifier, scored: Predictions
) -> tuple[list[WrongFilm], list[WrongFilm]]:
    """Return the missed and the falsely flagged films with pictures, the most wrong first."""
    threshold = classifier.operating_points["balanced"].threshold
    pneumonia, truth = scored.pneumonia, scored.truth
    missed = np.flatnonzero(truth & (pneumonia < threshold))
    alarms = np.flatnonzero(~truth & (pneumonia >= threshold))
    return (
        _pictured(classifier, scored, missed[np.argsort(pneumonia[missed], kind="stable")][:MOST]),
        _pictured(classifier, scored, alarms[np.argsort(-pneumonia[alarms], kind="stable")][:MOST]),
    )


def _pictured(
    classifier: Classifier, scored: Predictions, places: Sequence[int] | np.ndarray[Any, Any]
) -> list[WrongFilm]:
    """Read the films again and draw their pictures."""
    films = [scored.films[place] for place in places]
    pictures = read_each(films, lambda radiograph: pictures_of(classifier, radiograph))
    return [
        WrongFilm(
            scored.facts[place].sha256,
            str(film.path),
            film.cause or film.target,
            float(scored.pneumonia[place]),
            *(made or ("", "")),
        )
        for place, (film, made) in zip(places, pictures, strict=True)
    ]


def pictures_of(classifier: Classifier, radiograph: Radiograph) -> tuple[str, str]:
    """Draw a film without and with its heat; neither if text is burned in (0028,0301)."""
    header = radiograph.header
    if header is not None and header.burned_in_annotation.strip().upper() == "YES":
        return "", ""
    film = _small(radiograph.image)
    (prediction,) = classifier.predict([classifier.prepare(radiograph.image)])
    cells = activation_map.heat(prediction.activation_map, classifier.heat_scale)
    heat = activation_map.on_film(cells, *film.shape)
    return _data_uri(np.repeat(film[:, :, None], 3, axis=2)), _data_uri(_coloured(film, heat))


def _small(image: Image) -> Image:
    """Reduce the longer side to `SIDE`; the aspect ratio is kept."""
    rows, columns = image.shape
    share = min(1.0, SIDE / max(rows, columns))
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    film = PillowImage.fromarray(image, mode="F")
    resized = np.asarray(film.resize(size, PillowImage.Resampling.BILINEAR))
    small: Image = np.clip(resized, 0.0, 1.0, dtype=np.float32)
    return small


def _coloured(film: Image, heat: HeatArray) -> Image:
    """Blend the heat over the film, which is unchanged if there is no heat."""
    colour = np.array(HEAT_COLOUR, dtype=np.float32) / 255
    opacity = (HEAT_OPACITY * heat)[:, :, None]
    coloured: Image = film[:, :, None] * (1 - opacity) + colour * opacity
    return coloured


def _data_uri(picture: Image) -> str:
    """Encode a picture ``(rows, columns, 3)`` in ``[0, 1]`` for use within a page."""
    buffer = io.BytesIO()
    pixels = np.rint(picture * 255).astype(np.uint8)
    PillowImage.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
