"""Text as cells of a CSV file that no spreadsheet takes for a formula, and back.

A spreadsheet splits a row at the separator of its locale: a comma, a semicolon or a tab. So not
only the beginning of a cell matters, but every place that may become one. A character that would
begin a formula there is preceded by an apostrophe, and so is an apostrophe, so that the text can be
read back exactly.

References
----------
OWASP, CSV Injection.
"""

import re

MAX_CELL_LENGTH = 32_767
"""Most characters of a spreadsheet's cell; Python's reader fails beyond 131,072."""

_FORMULA_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""Characters that begin a formula, and their full-width and small forms."""
_CELL_START = "(?:^|[,;|\t\r\n\uff0c\uff1b])"
"""Pattern of the places where a spreadsheet, in some locale, begins a cell."""
_INVISIBLE = (
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd"
    "\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Category Cf and Default_Ignorable_Code_Point of Unicode 16, written out: whichever Python reads a
file takes the same characters for invisible as the one that wrote it."""
_SKIPPED = f'[\\s"\x00-\x1f\x7f{_INVISIBLE}]*'
"""Pattern of the characters that a spreadsheet, or a reader's eye, skips before a cell's text."""

_WHITESPACE_FIRST = re.compile("^(?=[\t\r\n])")
_SIGN = re.compile(f"({_CELL_START}{_SKIPPED})(?=[{_FORMULA_SIGNS}'])")
_GUARDED = re.compile(f"({_CELL_START}{_SKIPPED})'(?=[{_FORMULA_SIGNS}'])")
_GUARDED_WHITESPACE = re.compile("^'(?=[\t\r\n])")


def as_cell(text: str) -> str:
    """Return a text in which no part can begin a formula; `text_of` is the inverse."""
    return _WHITESPACE_FIRST.sub("'", _SIGN.sub(r"\1'", text))


def text_of(cell: str) -> str:
    """Return the text that `as_cell` was given."""
    return _GUARDED.sub(r"\1", _GUARDED_WHITESPACE.sub("", cell))
