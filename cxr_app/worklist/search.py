"""The films that match a search: by an index of trigrams if these are few, else along the list.

A word that many films contain is found fast by walking the list itself. In each case a film is
found if, and only if, its search text contains every word.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from cxr_app.worklist import trigrams_of_postgresql, trigrams_of_sqlite
from cxr_app.worklist.search_text import SHORT_ID_LENGTH, folded, short_id
from cxr_app.worklist.segment import Clause
from cxr_app.worklist.tables import EntryRow

SearchText = InstrumentedAttribute[str]

MAX_WORDS = 20
MAX_WORD_LENGTH = 200

_HEXADECIMAL = set("0123456789abcdef")


def words(search: str) -> list[str]:
    """Return the words that must all occur; names have a comma on the page alone."""
    found = (word.strip(",") for word in folded(search).split())
    return [word[:MAX_WORD_LENGTH] for word in found if word][:MAX_WORDS]


def contains_all(
    search: str, among: SearchText = EntryRow.search_text
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a search text to contain every word."""
    return tuple(
        or_(*(among.contains(form, autoescape=True) for form in _forms(word)))
        for word in words(search)
    )


def among_few(session: Session, search: str, *, scan: bool = False) -> Clause | None:
    """Return a condition that only few films meet, all matches included; None if there are many.

    Parameters
    ----------
    scan
        Read through all search texts of a SQLite worklist if trigrams do not help.
    """
    forms = [list(_forms(word)) for word in words(search)]
    if not forms:
        return None
    clauses = contains_all(search)
    if session.get_bind().dialect.name == "sqlite":
        return trigrams_of_sqlite.few_films(session, forms, clauses, scan=scan)
    return trigrams_of_postgresql.few_films(session, forms, clauses)


def _forms(word: str) -> Iterator[str]:
    """Yield the forms of a word in a search text: itself, and the short id that it may be."""
    yield word
    if len(word) >= SHORT_ID_LENGTH and set(word) <= _HEXADECIMAL:
        yield short_id(word)
