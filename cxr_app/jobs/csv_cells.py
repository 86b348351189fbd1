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
_SKIPPED = '[\\s"\x00-\x1f\x7f\u200b\ufeff]*'
"""Pattern of the characters that a spreadsheet skips at the beginning of a cell."""

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
