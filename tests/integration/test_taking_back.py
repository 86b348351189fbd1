"""Verdicts taken back together: what is left of them, and whether the film is read.

What readers do is drawn at random; a second, simpler reckoning is compared with the worklist.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_app.errors import ReviewError
from cxr_app.worklist import Query, Worklist
from tests.support.outcomes import scored, sha256
from tests.support.site import Clock

READERS = ("Ada", "Bela")
numbers = count()


def enter(desk: Worklist) -> str:
    number = next(numbers)
    desk.receive(sha256(number), f"{number}.dcm", Path(f"/kept/{number}"))
    return desk.record(scored(number, 0.8))


@dataclass
class Reckoning:
    """Who holds which verdicts, oldest first, and by whom the film is read."""

    held: dict[int, str] = field(default_factory=dict)
    read_by: str | None = None
    began: int | None = None
    """The first verdict since the film is read; None if it was marked as read."""

    def answer(self, number: int, reader: str) -> None:
        self.held[number] = reader
        if self.read_by is None:
            self.read_by, self.began = reader, number

    def mark(self, reader: str | None) -> None:
        if reader is None:
            self.read_by = self.began = None
        else:
            self.read_by = self.read_by or reader

    def take_back(self, gone: list[int]) -> None:
        self.held = {each: who for each, who in self.held.items() if each not in gone}
        if self.began is not None and self.began not in self.held:
            since = [each for each in self.held if each > self.began]
            self.began = min(since, default=None)
            self.read_by = self.held.get(min(since, default=0))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("answer", "answer", "read", "unread", "one", "all")),
            st.sampled_from(READERS),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_a_film_is_read_as_long_as_a_verdict_since_then_stands(
    desk: Worklist, clock: Clock, steps: list[tuple[str, str, bool]]
) -> None:
    film, wanted = enter(desk), Reckoning()
    for deed, reader, answer in steps:
        clock.now += timedelta(seconds=1)
        own = [number for number, who in wanted.held.items() if who == reader]
        if deed == "answer":
            wanted.answer(desk.reviews.add(film, reader, answer).number, reader)
        elif deed in ("read", "unread"):
            desk.mark_read(film, reader, read=deed == "read")
            wanted.mark(reader if deed == "read" else None)
        elif own:
            gone = own if deed == "all" else own[-1:]
            assert desk.reviews.take_back(gone, reader) == film
            wanted.take_back(gone)
        entry, given = desk.entry(film), desk.reviews.of_film(film)
        assert (entry.read_by or None) == wanted.read_by
        assert (entry.read_at is None) == (wanted.read_by is None)
        assert (film in {each.id for each in desk.page(Query())}) == (wanted.read_by is None)
        held = [each.number for each in given if each.verdict and not each.is_taken_back]
        assert held == sorted(wanted.held, reverse=True)
    assert len(list(desk.reviews.reviewed_films())) == bool(wanted.held)
    for number in wanted.held:  # so that the next example finds no film
        desk.reviews.take_back([number], wanted.held[number])
    desk.mark_read(film)


def test_either_all_are_taken_back_or_none(desk: Worklist) -> None:
    film, other = enter(desk), enter(desk)
    own = [desk.reviews.add(film, "Ada", answer).number for answer in (True, False)]
    strange = desk.reviews.add(film, "Bela", True).number
    elsewhere = desk.reviews.add(other, "Ada", True).number
    comment = desk.reviews.add(film, "Ada", comment="rotated").number
    for wrong in ([], [*own, strange], [*own, elsewhere], [*own, comment], [*own, 10_000]):
        with pytest.raises(ReviewError):
            desk.reviews.take_back(wrong, "Ada")
    desk.reviews.take_back(own[:1], "Ada")
    with pytest.raises(ReviewError, match="already"):
        desk.reviews.take_back(own, "Ada")
    held = [each.number for each in desk.reviews.of_film(film) if not each.is_taken_back]
    assert own[1] in held
