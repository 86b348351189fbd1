"""The films that match a search: by trigrams if these help, else by reading the search texts.

SQLite has an index of all trigrams (three adjacent letters) of the search texts; it names the few
films that can contain a word, and the trigrams that begin with a shorter word. A word that many
films contain is found fast by walking the list itself. PostgreSQL chooses by itself and may have
such an index too. In each case a film is found if, and only if, its search text contains every
word.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, bindparam, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from cxr_app.worklist.column_types import AnyText
from cxr_app.worklist.search_text import SHORT_ID_LENGTH, folded, short_id
from cxr_app.worklist.tables import ORDER_INDEX, EntryRow

SearchText = InstrumentedAttribute[str]

MAX_WORDS = 20
MAX_WORD_LENGTH = 200
GRAM = 3
FEW = 10_000
"""Number of films up to which reading them one by one is faster than walking the list."""

_HEXADECIMAL = set("0123456789abcdef")

NOWHERE = "()"
"""Search expression of the index that matches nothing."""
MOST_BEGINNING = 20
"""Most trigrams counted for a short word; a word with more is in many films."""
LAST = chr(0x10FFFF) * GRAM

_MATCHES = "SELECT rowid FROM worklist_search WHERE worklist_search MATCH :grams"
_BEGINNING = """
SELECT term, doc FROM worklist_search_term WHERE term >= :first AND term <= :last LIMIT :most
"""


def words(search: str) -> list[str]:
    """Return the words that must all occur."""
    return [word[:MAX_WORD_LENGTH] for word in folded(search).split()[:MAX_WORDS]]


def contains_all(
    search: str, among: SearchText = EntryRow.search_text
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a search text to contain every word."""
    return tuple(
        or_(*(among.contains(form, autoescape=True) for form in _forms(word)))
        for word in words(search)
    )


def among_few(session: Session, search: str, *, scan: bool = False) -> ColumnElement[bool] | None:
    """Return a condition that only few films meet, all matches included; None if there are many.

    Parameters
    ----------
    scan
        Read through all search texts if trigrams do not help.
    """
    if not search or session.get_bind().dialect.name != "sqlite":
        return None
    grams = [_grams(session, word) for word in words(search)]
    if NOWHERE in grams:
        return EntryRow.number.in_(())
    expression = " AND ".join(filter(None, grams))
    if expression:
        return _by_trigrams(session, expression)
    return _by_scan(session, search) if scan else None


def _by_trigrams(session: Session, grams: str) -> ColumnElement[bool] | None:
    expression = bindparam("grams", grams, AnyText())
    some = text(f"SELECT count(*) FROM ({_MATCHES} LIMIT {FEW + 1})").bindparams(expression)  # noqa: S608
    if (session.scalar(some) or 0) > FEW:
        return None
    return EntryRow.number.in_(text(_MATCHES).bindparams(expression).columns(EntryRow.number))


def _by_scan(session: Session, search: str) -> ColumnElement[bool] | None:
    texts = select(EntryRow.number).with_hint(EntryRow, f"INDEXED BY {ORDER_INDEX}")
    texts = texts.where(EntryRow.is_read.in_((False, True)), *contains_all(search))
    found = session.scalars(texts.limit(FEW + 1)).all()
    return None if len(found) > FEW else EntryRow.number.in_(found)


def _forms(word: str) -> Iterator[str]:
    """Yield the forms of a word in a search text: itself, and the short id that it may be."""
    yield word
    if len(word) >= SHORT_ID_LENGTH and set(word) <= _HEXADECIMAL:
        yield short_id(word)


def _grams(session: Session, word: str) -> str:
    """Return the search expression for a word; empty if it would match too many films to help."""
    if len(word) < GRAM:
        return _grams_beginning(session, word)
    return f"({' OR '.join(map(_all_grams, _forms(word)))})"


def _grams_beginning(session: Session, word: str) -> str:
    """Return the search expression for a short word: the known trigrams that begin with it."""
    first, last = (bindparam("first", word, AnyText()), bindparam("last", word + LAST, AnyText()))
    statement = text(_BEGINNING).bindparams(first, last, most=MOST_BEGINNING + 1)
    known = session.execute(statement).all()
    if len(known) > MOST_BEGINNING or sum(films for _, films in known) > FEW:
        return ""
    return f"({' OR '.join(_quoted(gram) for gram, _ in known)})" if known else NOWHERE


def _all_grams(form: str) -> str:
    grams = dict.fromkeys(form[at : at + GRAM] for at in range(len(form) - GRAM + 1))
    return "(" + " AND ".join(map(_quoted, grams)) + ")"


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'
