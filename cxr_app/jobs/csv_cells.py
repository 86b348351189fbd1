"""Cells of a CSV file that no spreadsheet takes for a formula, and the text that they stand for.

A spreadsheet parts a row where its locale does: at a comma, a semicolon, a tab. So not only the
beginning of a cell counts, but whatever may come to be one. A sign that would begin a formula there
gets an apostrophe before it, and so does an apostrophe, that the way back is certain.

References
----------
OWASP, CSV Injection.
"""

import re

MAX_CELL_LENGTH = 32_767
"""Characters that a cell of a spreadsheet holds; Python's reader gives up beyond 131,072."""

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
"""What begins a formula, and their full-width and small forms."""
_PARTED = "(?:^|[,;|\t\r\n\uff0c\uff1b])"
"""Where some spreadsheet, in some locale, begins a cell."""
_PASSED_OVER = '[\\s"\x00-\x1f\x7f\u200b\ufeff]*'
"""What a spreadsheet leaves out at the beginning of one."""

_WHITESPACE_FIRST = re.compile("^(?=[\t\r\n])")
_SIGN = re.compile(f"({_PARTED}{_PASSED_OVER})(?=[{_SIGNS}'])")
_GUARDED = re.compile(f"({_PARTED}{_PASSED_OVER})'(?=[{_SIGNS}'])")
_GUARDED_WHITESPACE = re.compile("^'(?=[\t\r\n])")


def as_cell(text: str) -> str:
    """Write a text so that no part of it can begin a formula; `text_of` gives it back."""
    return _WHITESPACE_FIRST.sub("'", _SIGN.sub(r"\1'", text))


def text_of(cell: str) -> str:
    """Give the text that `as_cell` wrote."""
    return _GUARDED.sub(r"\1", _GUARDED_WHITESPACE.sub("", cell))
