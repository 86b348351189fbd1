"""Second readings: where one stands, and what it hides. Plain values, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import combinations

from cxr_app.worklist.review import Cause, Review


class SecondReadingState(Enum):
    """How far the second reading of a film is."""

    UNREAD = "UNREAD"
    """No reader has given a verdict yet."""
    WAITING = "WAITING"
    """One reader has; what this reader said is hidden from the others."""
    AGREED = "AGREED"
    """Two readers, or more, have said the same."""
    DISAGREED = "DISAGREED"
    """Readers differ."""
    SETTLED = "SETTLED"
    """Readers differed, and another reader's verdict has settled it."""


class SecondReadingReason(Enum):
    """Why a film is read twice."""

    ASKED = "ASKED"
    """A reader asked for it."""
    RULE = "RULE"
    """The rule of the site."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """The second reading of a film.

    Parameters
    ----------
    first_reader
        Who gave the first verdict that still holds; empty without one.
    asked_by
        Who asked for it; empty if the rule of the site did.
    begun_at
        When it was asked for; aware, UTC.
    """

    state: SecondReadingState
    reason: SecondReadingReason
    first_reader: str = ""
    asked_by: str = ""
    begun_at: datetime | None = None

    def hides(self, author: str, reader: str) -> bool:
        """Check whether what an author said of the film is hidden from a reader.

        Parameters
        ----------
        reader
            Empty if it is unknown who asks.
        """
        if self.state is not SecondReadingState.WAITING or reader == self.first_reader:
            return False
        return author != reader


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the verdicts on a film stand.

    Parameters
    ----------
    readers
        Who has given a verdict that holds, a settlement apart, the first one first.
    decided_by
        Number of the review since which the state is what it is; 0 without a verdict.
    """

    state: SecondReadingState
    readers: tuple[str, ...] = ()
    decided_by: int = 0

    def settles(self, reader: str) -> bool:
        """Check whether a reader's verdict would settle a disagreement: another's than theirs."""
        is_open = self.state in (SecondReadingState.DISAGREED, SecondReadingState.SETTLED)
        return is_open and reader not in self.readers


def standing_of(reviews: Sequence[Review]) -> Standing:
    """Return where the verdicts on a film stand.

    Of each reader the last verdict that was not taken back counts.

    Parameters
    ----------
    reviews
        Of the film, newest first.
    """
    newest = max((each.number for each in reviews if each.verdict or each.takes_back), default=0)
    held = [each for each in reversed(reviews) if each.verdict and not each.is_taken_back]
    settled = [each for each in held if each.settles]
    last: dict[str, Review] = {}
    for each in held:
        if not each.settles:
            last[each.reader] = each
    readers = tuple(last)
    if settled:
        return Standing(SecondReadingState.SETTLED, readers, settled[-1].number)
    if len(readers) < 2:
        state = SecondReadingState.WAITING if readers else SecondReadingState.UNREAD
        return Standing(state, readers, newest)
    differ = any(differs(one, other) for one, other in combinations(last.values(), 2))
    state = SecondReadingState.DISAGREED if differ else SecondReadingState.AGREED
    return Standing(state, readers, newest)


def differs(one: Review, other: Review) -> bool:
    """Check whether two verdicts differ: in what was seen, or in a cause that both name."""
    if _answer(one) != _answer(other):
        return True
    causes = {one.cause, other.cause} if one.pneumonia else set()
    return causes == {Cause.BACTERIAL, Cause.VIRAL}


def _answer(review: Review) -> object:
    return review.verdict if review.pneumonia is None else review.pneumonia
