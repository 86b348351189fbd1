"""Every odd film looks as it must, or is refused with the right words."""

import pytest

from tests.unit.cxr_app.imaging.cases.odd_film import OddFilm
from tests.unit.cxr_app.imaging.cases.table import CASES, difference, rendered


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_film_is_what_its_sender_meant(case: OddFilm) -> None:
    shown = rendered(case)
    if case.refusal:
        assert isinstance(shown, str)
        assert case.refusal in shown
    else:
        assert not isinstance(shown, str), shown
        assert difference(case, shown) <= case.tolerance


def test_every_case_has_a_name_and_an_authority() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.authority for case in CASES)
