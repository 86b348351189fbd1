"""The conditions of a query, in SQL."""

from sqlalchemy import Select

from cxr_app.outcome import ScoringState
from cxr_app.worklist import counters, search
from cxr_app.worklist.entry import OF_TWO_READERS, Query
from cxr_app.worklist.handover_columns import ASSIGNED_INDEX
from cxr_app.worklist.second_reading import SecondReadingState
from cxr_app.worklist.second_readings import of_state
from cxr_app.worklist.segment import Clause
from cxr_app.worklist.tables import ORDER_INDEX, REFUSED, REFUSED_INDEX, EntryRow


def filters_of(query: Query, film: type[EntryRow] = EntryRow) -> tuple[Clause, ...]:
    """Return the conditions of the query, apart from read or unread.

    Parameters
    ----------
    film
        The table that they are about; an alias in a subquery.
    """
    clauses: list[Clause] = []
    if query.state == "needs_a_person":
        clauses.append(REFUSED)
    if (numbers := second_reading_numbers(query)) is not None:
        clauses += [film.number.in_(numbers), film.film_deleted_at.is_(None)]
    if query.flag != "any" or query.tier is not None:
        clauses.append(film.tier.in_(counters.tiers_of(query)))
        clauses.append(film.state == ScoringState.SCORED)
    if query.assigned_to is not None:
        clauses.append(film.assigned_to == query.assigned_to)
    return (*clauses, *search.contains_all(query.text, film.search_text))


def read_values(query: Query) -> tuple[bool, ...]:
    """Return the values of `is_read` that match the query, in the order of the list."""
    return (False, True) if is_mixed(query) else (query.state == "read",)


def is_mixed(query: Query) -> bool:
    """Check whether the list has both read and unread films."""
    return query.state == "all" or query.state in OF_TWO_READERS


def second_reading_numbers(query: Query) -> Select[int] | None:
    """Return a select of the entries of a list of two readers; None for other lists."""
    if query.state == "second_reading":
        return of_state(SecondReadingState.WAITING, query.reader)
    return of_state(SecondReadingState.DISAGREED) if query.state == "disagreement" else None


def order_index(query: Query) -> str:
    """Return the index that has the query's films in default order."""
    if query.assigned_to is not None:
        return ASSIGNED_INDEX
    return REFUSED_INDEX if query.state == "needs_a_person" else ORDER_INDEX
