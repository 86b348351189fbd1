"""A report as PDF, one paragraph after the other."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from cxr_app.errors import ReportError

FONT = "Vera"
MARGIN = 20 * mm
BODY = ParagraphStyle("body", fontName=FONT, fontSize=10, leading=14)


def report_pdf(text: str) -> bytes:
    """Return a report as PDF.

    Raises
    ------
    ReportError
        If it has characters that the font of the PDF lacks: none is left out without a word.
    """
    check_characters(text)
    content = BytesIO()
    document = SimpleDocTemplate(
        content,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title="Chest radiograph",
    )
    lines = [
        Paragraph(escape(line), BODY) if line else Spacer(1, BODY.leading / 2)
        for line in text.splitlines()
    ]
    document.build(lines)
    return content.getvalue()


def check_characters(text: str) -> None:
    """Refuse a text with characters that the font of the PDF lacks.

    Raises
    ------
    ReportError
        Naming some of them.
    """
    lacking = sorted({each for each in text if each != "\n" and ord(each) not in _glyphs()})
    if lacking:
        raise ReportError(
            f"The report has characters that the font of the PDF lacks ({' '.join(lacking[:8])}). "
            "Copy the text instead."
        )


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Register the font, and return the characters that it has."""
    path = Path(reportlab.__file__).parent / "fonts" / f"{FONT}.ttf"
    font = TTFont(FONT, str(path))
    pdfmetrics.registerFont(font)
    return frozenset(font.face.charToGlyph)
