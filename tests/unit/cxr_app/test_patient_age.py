import pytest

from cxr_app.patient_age import age_in_days, age_in_years


@pytest.mark.parametrize(
    ("patient_age", "days"), [("001D", 1), ("003W", 21), ("012M", 365.25), ("001Y", 365.25)]
)
def test_every_unit_is_counted_in_days(patient_age: str, days: float) -> None:
    assert age_in_days(patient_age) == days


def test_twelve_months_are_exactly_one_year() -> None:
    for years in range(1, 84):
        assert age_in_years(f"{12 * years:03}M") == age_in_years(f"{years:03}Y") == years


@pytest.mark.parametrize(
    "patient_age", ["", "4Y", "004", "004y", "0004Y", "\u0660\u0660\u0664Y", "004Y\n"]
)
def test_an_illegal_age_is_unknown(patient_age: str) -> None:
    assert age_in_days(patient_age) is None
    assert age_in_years(patient_age) is None
