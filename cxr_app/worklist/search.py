"""Which films a search text is about: by trigrams where they help, by looking where they do not.

SQLite keeps an index of every three letters that stand side by side in the search texts; it names
the few films that can hold a word, and the trigrams that begin with one of fewer letters. A word
that very many films hold is found soon by walking the list itself. PostgreSQL chooses by itself,
where it may have such an index too. Either way a film is found if, and only if, its search text
holds every word.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, bindparam, or_, select, text
from sqlalchemy.orm import Session

from cxr_app.worklist.tables import (
    ORDER_INDEX,
    SHORT_ID_LENGTH,
    AnyText,
    EntryRow,
    folded,
    short_id,
)

MAX_WORDS = 20
MAX_WORD_LENGTH = 200
GRAM = 3
FEW = 10_000
"""So many films are sooner looked at one by one than met on a walk through the list."""

_HEXADECIMAL = set("0123456789abcdef")

Clause = ColumnElement[bool]

NOWHERE = "()"
"""Asked of the index for what no search text holds."""
MOST_BEGINNING = 20
"""So many trigrams are counted for a short word; one that begins more is held by many films."""
LAST = chr(0x10FFFF) * GRAM

_MATCHES = "SELECT rowid FROM worklist_search WHERE worklist_search MATCH :grams"
_BEGINNING = """
SELECT term, doc FROM worklist_search_term WHERE term >= :first AND term <= :last LIMIT :most
"""


def words(search: str) -> list[str]:
    """Give the words that must all occur."""
    return [word[:MAX_WORD_LENGTH] for word in folded(search).split()[:MAX_WORDS]]


def holding(search: str) -> tuple[Clause, ...]:
    """Say of a search text that it holds every word."""
    return tuple(or_(*(_contains(form) for form in _forms(word))) for word in words(search))


def among_few(session: Session, search: str, *, look: bool = False) -> Clause | None:
    """Say among which few films those are that hold every word; None where they may be many.

    Parameters
    ----------
    look
        Look through all search texts where trigrams cannot tell.
    """
    if not search or session.get_bind().dialect.name != "sqlite":
        return None
    grams = [_grams(session, word) for word in words(search)]
    if NOWHERE in grams:
        return EntryRow.number.in_(())
    told = " AND ".join(filter(None, grams))
    if told:
        return _by_trigrams(session, told)
    return _by_looking(session, search) if look else None


def _by_trigrams(session: Session, grams: str) -> Clause | None:
    asked = bindparam("grams", grams, AnyText())
    some = text(f"SELECT count(*) FROM ({_MATCHES} LIMIT {FEW + 1})").bindparams(asked)  # noqa: S608
    if (session.scalar(some) or 0) > FEW:
        return None
    return EntryRow.number.in_(text(_MATCHES).bindparams(asked).columns(EntryRow.number))


def _by_looking(session: Session, search: str) -> Clause | None:
    texts = select(EntryRow.number).with_hint(EntryRow, f"INDEXED BY {ORDER_INDEX}")
    texts = texts.where(EntryRow.is_read.in_((False, True)), *holding(search))
    found = session.scalars(texts.limit(FEW + 1)).all()
    return None if len(found) > FEW else EntryRow.number.in_(found)


def _contains(form: str) -> Clause:
    return EntryRow.search_text.contains(form, autoescape=True)


def _forms(word: str) -> Iterator[str]:
    """Give what stands for a word; one that could be an entry's short id may also be that."""
    yield word
    if len(word) >= SHORT_ID_LENGTH and set(word) <= _HEXADECIMAL:
        yield short_id(word)


def _grams(session: Session, word: str) -> str:
    """Ask the index for a word; empty where that would name too many films to help."""
    if len(word) < GRAM:
        return _grams_beginning(session, word)
    return f"({' OR '.join(map(_all_grams, _forms(word)))})"


def _grams_beginning(session: Session, word: str) -> str:
    """Ask the index for a word of fewer letters by what is known to begin with it."""
    first, last = (bindparam("first", word, AnyText()), bindparam("last", word + LAST, AnyText()))
    asked = text(_BEGINNING).bindparams(first, last, most=MOST_BEGINNING + 1)
    known = session.execute(asked).all()
    if len(known) > MOST_BEGINNING or sum(films for _, films in known) > FEW:
        return ""
    return f"({' OR '.join(_quoted(gram) for gram, _ in known)})" if known else NOWHERE


def _all_grams(form: str) -> str:
    grams = dict.fromkeys(form[at : at + GRAM] for at in range(len(form) - GRAM + 1))
    return "(" + " AND ".join(map(_quoted, grams)) + ")"


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'
