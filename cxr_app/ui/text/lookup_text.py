"""Words for a look into the archive for earlier films."""

from cxr_app.pacs.archive_lookup import LookupStatus
from cxr_app.worklist import Prefetch, PrefetchState


def fraction_done(status: LookupStatus) -> float:
    """Return the completed fraction in [0, 1]."""
    return min(1.0, status.fetched / status.wanted) if status.wanted else 0.0


def progress(status: LookupStatus) -> str:
    """Return what is going on."""
    if status.state == "cancelling":
        return "Being cancelled …"
    if status.state == "searching":
        return "Looking in the archive …"
    if status.state == "fetching":
        return f"{status.fetched} of {films(status.wanted)} fetched …"
    return f"{films(status.fetched)} fetched, being scored …"


def ended(status: LookupStatus) -> str:
    """Return how it ended."""
    if status.state == "failed":
        return status.message
    if status.state == "cancelled":
        return f"Cancelled; {films(status.fetched)} fetched."
    if not status.wanted:
        none = "The archive has no earlier film of this patient that is not in the list."
        return f"{none} {status.message}".strip()
    return f"{films(status.fetched).capitalize()} fetched. {status.message}".strip()


def prefetched(prefetch: Prefetch) -> str:
    """Return what was fetched before the reader came; empty if there is nothing to report."""
    if prefetch.state is PrefetchState.SKIPPED:
        return ""
    if prefetch.state is PrefetchState.DONE:
        return f"Fetched ahead: {films(prefetch.films)}. {prefetch.problem}".strip()
    if not prefetch.problem:
        return "Earlier films are being fetched ahead."
    ending = "Not tried again." if prefetch.state is PrefetchState.GIVEN_UP else "Tried again soon."
    return f"Earlier films were not fetched ahead. {prefetch.problem} {ending}"


def films(number: int) -> str:
    """Return a number of earlier films in words."""
    return "1 earlier film" if number == 1 else f"{number or 'no'} earlier films"
