"""The few films of a PostgreSQL worklist that match a search.

An index has all trigrams (three adjacent letters) of the search texts as words of PostgreSQL's own
text search, which also finds words by their beginning. The films that it finds are listed before
anything else: left to choose, PostgreSQL would at times walk a list of a million films for one. A
sample of the films tells first whether there are few.
"""

from collections.abc import Iterable

from sqlalchemy import BigInteger, any_, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from cxr_app.worklist.column_types import AnyText
from cxr_app.worklist.search_text import GRAM, all_grams
from cxr_app.worklist.segment import Clause
from cxr_app.worklist.tables import EntryRow

FEW = 5_000
"""Number of films up to which reading them one by one is faster than walking the list."""
SAMPLE, COMMON = 1000, 20
"""Films looked at first, and how many matches among them are too many for the index."""

_MATCHES = text("worklist_grams(search_text) @@ CAST(:grams AS tsquery)")


def few_films(
    session: Session, words: Iterable[Iterable[str]], clauses: tuple[Clause, ...]
) -> Clause | None:
    """Return a condition for the films that match a search; None if they are more than `FEW`.

    Parameters
    ----------
    words
        The forms of each word.
    clauses
        The conditions of the search.
    """
    if _are_common(session, clauses):
        return None
    grams = bindparam("grams", " & ".join(map(_grams, words)), AnyText())
    matches = select(EntryRow.number).where(_MATCHES.bindparams(grams), *clauses)
    found = session.scalars(matches.limit(FEW + 1)).all()
    return None if len(found) > FEW else _among(found)


def _are_common(session: Session, clauses: tuple[Clause, ...]) -> bool:
    last = session.scalar(select(func.max(EntryRow.number))) or 0
    sample = range(1, last + 1, max(last // SAMPLE, 1))
    matches = select(func.count()).where(_among(sample), *clauses)
    return (session.scalar(matches) or 0) >= COMMON


def _among(numbers: Iterable[int]) -> Clause:
    """Return a condition that PostgreSQL takes for one of few films, and so meets first."""
    given = literal(list(numbers), ARRAY(BigInteger))
    return EntryRow.number == any_(func.array(select(func.unnest(given)).scalar_subquery()))


def _grams(forms: Iterable[str]) -> str:
    return f"({' | '.join(map(_grams_of_form, forms))})"


def _grams_of_form(form: str) -> str:
    if len(form) < GRAM:
        return f"{_quoted(form)}:*"
    return f"({' & '.join(map(_quoted, all_grams(form)))})"


def _quoted(gram: str) -> str:
    return "'" + gram.replace("\\", "\\\\").replace("'", "''") + "'"
