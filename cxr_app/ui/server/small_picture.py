"""A small picture of a film with the outline of its heat, for a preview in the list."""

from io import BytesIO

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from cxr_app.model import activation_map
from cxr_app.prediction import ActivationMap, HeatScale
from cxr_app.radiograph import Image

SIDE = 360
"""Longest side in pixels."""
COLOUR = (255, 179, 71)


def draw(image: Image, cells: ActivationMap | None, scale: HeatScale | None) -> bytes:
    """Draw a film small, as PNG.

    Parameters
    ----------
    image
        Grey values in ``[0, 1]``, shape ``(rows, columns)``.
    cells, scale
        The film's heat; None for a picture without an outline.
    """
    film = PillowImage.fromarray(np.rint(image * 255).astype(np.uint8))
    film.thumbnail((SIDE, SIDE), PillowImage.Resampling.BILINEAR)
    picture = film.convert("RGB")
    if cells is not None and scale is not None:
        _draw_outline(picture, cells, scale)
    content = BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def _draw_outline(picture: PillowImage.Image, cells: ActivationMap, scale: HeatScale) -> None:
    width, height = picture.size
    heat = activation_map.on_film(activation_map.heat(cells, scale), height, width)
    pen = ImageDraw.Draw(picture)
    for line in activation_map.outline(heat):
        points = [(float(x) * width, float(y) * height) for x, y in line]
        if len(points) > 1:
            pen.line(points, fill=COLOUR, width=2)
