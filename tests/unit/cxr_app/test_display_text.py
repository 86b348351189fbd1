"""Probabilities are never more certain than they are."""

from hypothesis import example, given
from hypothesis import strategies as st

from cxr_app import display_text

PROBABILITIES = st.floats(0, 1)


@given(PROBABILITIES)
@example(0.005)
def test_no_probability_is_called_impossible_or_certain(probability: float) -> None:
    assert display_text.percent(probability) not in ("0 %", "100 %")


@given(PROBABILITIES)
def test_a_probability_is_shown_within_half_a_percent(probability: float) -> None:
    answer = float(display_text.percent(probability).strip("<> %"))
    assert abs(answer - 100 * probability) <= 1.0
