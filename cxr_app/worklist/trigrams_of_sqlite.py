"""The few films of a SQLite worklist that match a search.

An index has all trigrams (three adjacent letters) of the search texts; it names the few films that
can contain a word, and the trigrams that begin with a shorter word.
"""

from collections.abc import Iterable

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from cxr_app.worklist.column_types import AnyText
from cxr_app.worklist.search_text import GRAM, all_grams
from cxr_app.worklist.segment import Clause
from cxr_app.worklist.tables import ORDER_INDEX, EntryRow

FEW = 10_000
"""Number of films up to which reading them one by one is faster than walking the list."""
NOWHERE = "()"
"""Search expression of the index that matches nothing."""
MOST_BEGINNING = 20
"""Most trigrams counted for a short word; a word with more is in many films."""
LAST = chr(0x10FFFF) * GRAM

_MATCHES = "SELECT rowid FROM worklist_search WHERE worklist_search MATCH :grams"
_BEGINNING = """
SELECT term, doc FROM worklist_search_term WHERE term >= :first AND term <= :last LIMIT :most
"""


def few_films(
    session: Session,
    words: Iterable[Iterable[str]],
    clauses: tuple[Clause, ...],
    *,
    scan: bool,
) -> Clause | None:
    """Return a condition that at most `FEW` films meet, all matches included; None if more do.

    Parameters
    ----------
    words
        The forms of each word.
    clauses
        The conditions of the search.
    scan
        Read through all search texts if trigrams do not help.
    """
    grams = [_grams(session, list(forms)) for forms in words]
    if NOWHERE in grams:
        return EntryRow.number.in_(())
    expression = " AND ".join(filter(None, grams))
    if expression:
        return _by_trigrams(session, expression)
    return _by_scan(session, clauses) if scan else None


def _by_trigrams(session: Session, grams: str) -> Clause | None:
    expression = bindparam("grams", grams, AnyText())
    some = text(f"SELECT count(*) FROM ({_MATCHES} LIMIT {FEW + 1})").bindparams(expression)  # noqa: S608
    if (session.scalar(some) or 0) > FEW:
        return None
    return EntryRow.number.in_(text(_MATCHES).bindparams(expression).columns(EntryRow.number))


def _by_scan(session: Session, clauses: tuple[Clause, ...]) -> Clause | None:
    texts = select(EntryRow.number).with_hint(EntryRow, f"INDEXED BY {ORDER_INDEX}")
    texts = texts.where(EntryRow.is_read.in_((False, True)), *clauses)
    found = session.scalars(texts.limit(FEW + 1)).all()
    return None if len(found) > FEW else EntryRow.number.in_(found)


def _grams(session: Session, forms: list[str]) -> str:
    """Return the search expression for a word; empty if it would match too many films to help."""
    if len(forms[0]) < GRAM:
        return _grams_beginning(session, forms[0])
    return f"({' OR '.join(map(_grams_of_form, forms))})"


def _grams_beginning(session: Session, word: str) -> str:
    """Return the search expression for a short word: the known trigrams that begin with it."""
    first, last = (bindparam("first", word, AnyText()), bindparam("last", word + LAST, AnyText()))
    statement = text(_BEGINNING).bindparams(first, last, most=MOST_BEGINNING + 1)
    known = session.execute(statement).all()
    if len(known) > MOST_BEGINNING or sum(films for _, films in known) > FEW:
        return ""
    return f"({' OR '.join(_quoted(gram) for gram, _ in known)})" if known else NOWHERE


def _grams_of_form(form: str) -> str:
    return f"({' AND '.join(map(_quoted, all_grams(form)))})"


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'
