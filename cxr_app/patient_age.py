"""Ages as DICOM writes them: (0010,1010) *Patient's Age*, value representation AS."""

import re
from typing import Literal

OtherAges = Literal["remark", "reject"]
"""What happens to films of patients outside the ages of the training films."""
AGE_GROUPS = (
    (1, "under 1 year"),
    (6, "1 to 5 years"),
    (18, "6 to 17 years"),
    (65, "18 to 64 years"),
    (float("inf"), "65 years and over"),
)
"""Age in years that each group ends before, and its name."""
_AGE_STRING = re.compile(r"(\d{3})([DWMY])", re.ASCII)
_DAYS = {"D": 1.0, "W": 7.0, "M": 365.25 / 12, "Y": 365.25}
"""Mean length of each unit."""


def age_in_days(patient_age: str) -> float | None:
    """Return an age such as ``004Y`` or ``011M`` in days; None if it is not a legal age string.

    References
    ----------
    DICOM PS3.5 6.2, AS.
    """
    stated = _AGE_STRING.fullmatch(patient_age)
    return int(stated[1]) * _DAYS[stated[2]] if stated else None


def age_in_years(patient_age: str) -> float | None:
    """Return an age in years, as `age_in_days` does in days."""
    days = age_in_days(patient_age)
    return None if days is None else days / _DAYS["Y"]


def age_group(years: float) -> str:
    """Return the group that an age is in."""
    return next(name for bound, name in AGE_GROUPS if years < bound)
