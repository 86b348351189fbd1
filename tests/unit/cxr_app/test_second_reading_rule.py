"""Which films a site has read twice, as it writes the rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import SettingsError
from cxr_app.second_reading_rule import SecondReadingRule, parse_second_reading
from cxr_app.settings import Settings

KEY = b"k" * 32
FILMS = 2_000


def test_a_rule_is_read() -> None:
    assert parse_second_reading("") == SecondReadingRule()
    assert parse_second_reading("asked") == SecondReadingRule(asked=True)
    both = SecondReadingRule(asked=True, flagged=True, share=0.05)
    assert parse_second_reading(" share = 0.05 , flagged,") == both
    assert Settings(second_reading="flagged, share=0.05").second_reading_rule == both
    assert not Settings().second_reading_rule.asked


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("all", "'all' is none of the allowed words: `flagged`"),
        ("0.05", "'0.05' is none of the allowed words"),
        ("share=5", "expected a number above 0, at most 1"),
        ("share=0", "expected a number above 0"),
        ("share=nan", "expected a number"),
        ("share", "the share is ''"),
        ("share=0.1, share=0.2", "share may be named once"),
    ],
)
def test_others_are_refused_with_what_is_allowed(written: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_second_reading(written)
    with pytest.raises(SettingsError, match=f"CXR_SECOND_READING.*{words}"):
        Settings.read(second_reading=written)


@given(share=st.floats(0, 1), key=st.binary(min_size=32, max_size=32))
def test_the_share_is_drawn_by_the_film_and_the_key_alone(share: float, key: bytes) -> None:
    rule = SecondReadingRule(asked=True, share=share)
    films = [f"{number:064x}" for number in range(FILMS)]
    drawn = [rule.wants(film, flagged=None, key=key) for film in films]
    assert drawn == [rule.wants(film, flagged=False, key=key) for film in films]
    assert abs(sum(drawn) / FILMS - share) < 0.08  # seven standard deviations


def test_another_key_draws_other_films() -> None:
    rule = SecondReadingRule(asked=True, share=0.5)
    films = [f"{number:064x}" for number in range(FILMS)]
    by_key = [
        [rule.wants(each, flagged=None, key=key) for each in films] for key in (KEY, b"other")
    ]
    assert by_key[0] != by_key[1]


def test_flagged_films_are_read_twice_only_if_the_site_says_so() -> None:
    flagged = SecondReadingRule(asked=True, flagged=True)
    assert flagged.wants("0" * 64, flagged=True, key=KEY)
    assert not flagged.wants("0" * 64, flagged=False, key=KEY)
    assert not flagged.wants("0" * 64, flagged=None, key=KEY)
    assert not SecondReadingRule(asked=True).wants("0" * 64, flagged=True, key=KEY)
