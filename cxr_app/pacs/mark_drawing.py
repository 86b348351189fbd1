"""What readers marked on a film, drawn on a picture of it."""

from collections.abc import Iterator

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from cxr_app.pacs.plain_words import plain
from cxr_app.worklist import AnnotationKind, Measurement

MARK_COLOUR = (126, 231, 135)
"""As in the viewer (`components/viewer/marking.js`); heat has no green."""
EDGE_COLOUR = (0, 0, 0)
GAP = 4
"""Pixels between a mark and its words."""

_Points = list[tuple[float, float]]


def draw_mark(
    shown: PillowImage.Image,
    mark: Measurement,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw a mark on a picture of the whole film as its file has it, with its words in ASCII."""
    draw = ImageDraw.Draw(shown)
    last = (shown.width - 1, shown.height - 1)
    points = [(x * last[0], y * last[1]) for x, y in mark.points_of_file]
    for line in _lines(mark.kind, points):
        draw.line(line, EDGE_COLOUR, width=3)
        draw.line(line, MARK_COLOUR, width=1)
    words = plain(_words(mark))
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    x, y = points[-1]
    place = (
        max(0.0, min(x + GAP, last[0] - (right - left) - GAP)),
        max(0.0, min(y - (bottom - top) - 2 * GAP, last[1] - bottom - GAP)),
    )
    draw.text(place, words, MARK_COLOUR, font=font, stroke_width=1, stroke_fill=EDGE_COLOUR)


def _words(mark: Measurement) -> str:
    if mark.kind is AnnotationKind.KEY_IMAGE:
        return "Key image"
    return mark.words.replace("°", " deg")


def _lines(kind: AnnotationKind, points: _Points) -> Iterator[_Points]:
    """Yield the lines of a mark: two for a ratio, around the view for a key image."""
    if kind is AnnotationKind.RATIO:
        yield points[:2]
        yield points[2:]
    elif kind is AnnotationKind.KEY_IMAGE:
        (left, top), (right, bottom) = points
        yield [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    else:
        yield points
