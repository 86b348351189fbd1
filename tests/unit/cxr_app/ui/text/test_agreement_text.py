"""The table of how flags and readers went together: counts add up, and few films make no share."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cxr_app.ui.text.agreement_text import FEWEST, rows
from cxr_app.worklist import Agreement

MONDAY = date(2026, 10, 5)
counts = st.integers(0, 200)


@st.composite
def weeks(draw: st.DrawFn) -> list[Agreement]:
    """Some weeks of a desk."""
    number = draw(st.integers(1, 5))
    return [
        Agreement(MONDAY + timedelta(weeks=place), *(draw(counts) for _ in range(5)))
        for place in range(number)
    ]


@given(weeks())
def test_every_film_is_counted_and_all_weeks_add_up(desk: list[Agreement]) -> None:
    answer = rows(desk)
    assert [row["Week from"] for row in answer[:-1]] == [f"{each.week}" for each in desk[::-1]]
    for column in ("Films reviewed", "Missed", "False alarms", "Not usable"):
        numbers = [int(row[column].replace(",", "")) for row in answer]
        assert sum(numbers[:-1]) == numbers[-1]


def test_a_share_of_too_few_films_is_left_out() -> None:
    few = rows([Agreement(MONDAY, true_positive=FEWEST - 1)])[-1]
    assert few["Sensitivity"] == "too few: 29 of 29"
    assert few["Specificity"] == ""
    enough = rows([Agreement(MONDAY, true_positive=90, false_negative=10)])[-1]
    assert enough["Sensitivity"] == "90 % (83–94) of 100"
    assert enough["Missed"] == "10"


def test_full_agreement_is_no_certainty() -> None:
    whole = rows([Agreement(MONDAY, true_positive=50, true_negative=50)])[-1]
    assert whole["Agreement"] == "> 99 % (96–100) of 100"
