"""The verdicts that were given since the page was loaded: a film's are taken back together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from cxr_app.worklist import Cause, Entry, Review, Verdict

KEY = "sitting"


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader says of a film: a verdict, or whether it shows pneumonia; and the cause."""

    reader: str
    answer: bool | Verdict
    cause: Cause | None = None

    def is_in(self, review: Review) -> bool:
        """Check whether a review says the same."""
        told = review.pneumonia if isinstance(self.answer, bool) else review.verdict
        return told is self.answer and review.cause is self.cause


@dataclass(slots=True)
class Sitting:
    """What this session can take back.

    An object that is fetched before a verdict is recorded, and changed in place after it: every
    access to the session state may end an interrupted run, and the key would then count twice.

    Parameters
    ----------
    last
        Film and reader of the last verdict; None if it was taken back.
    taken_back
        The film whose verdicts were taken back, until the next verdict.
    """

    last: tuple[str, str] | None = None
    taken_back: str = ""
    _given: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def numbers(self) -> list[int]:
        """The verdicts that the last reader has given on the last film; empty without one."""
        return self._given[self.last] if self.last else []

    def note(self, review: Review, entry_id: str) -> None:
        """Note a verdict; one that was noted before is the last one again."""
        self.last, self.taken_back = (entry_id, review.reader), ""
        if review.number not in self.numbers:
            self.numbers.append(review.number)

    def forget_last(self) -> None:
        """Note that the last film's verdicts were taken back."""
        if self.last:
            self.taken_back = self.last[0]
            del self._given[self.last]
            self.last = None

    def same(self, entry: Entry, said: Said, reviews: Sequence[Review]) -> Review | None:
        """Return this session's verdict that says the same, if it is why the film is read.

        Parameters
        ----------
        reviews
            All of the film, newest first.
        """
        newest = next((each for each in reviews if each.verdict and not each.is_taken_back), None)
        if newest is None or entry.read_at is None:
            return None
        is_own = newest.number in self._given.get((entry.id, said.reader), ())
        is_same = said.is_in(newest) and _judged(newest) == _judged(entry)
        return newest if is_own and is_same else None


def current() -> Sitting:
    """Return this session's."""
    found: Sitting = st.session_state.setdefault(KEY, Sitting())
    return found


def _judged(result: Entry | Review) -> tuple[object, ...]:
    return result.model_version, result.flagged, result.pneumonia_probability
