"""When a film was taken, from what headers say and from what they should not."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.acquisition_time import CLOCKS_DIFFER, FIRST_YEAR, acquisition_of
from cxr_app.radiograph import Header

RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = timezone(timedelta(hours=1))


def taken(**header: str) -> datetime | None:
    return acquisition_of(Header(**header), RECEIVED, HERE).moment


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ({"acquisition_date": "20251211", "acquisition_time": "0814"}, (2025, 12, 11, 7, 14)),
        ({"acquisition_date": "20251211"}, (2025, 12, 10, 23)),
        (
            {
                "acquisition_date": "20251211",
                "acquisition_time": "081405.25",
                "timezone_offset_from_utc": "-0330",
            },
            (2025, 12, 11, 11, 44, 5, 250_000),
        ),
        ({"acquisition_date_time": "20251211081405+0530"}, (2025, 12, 11, 2, 44, 5)),
        ({"acquisition_date_time": "20251211", "acquisition_date": "20240101"}, (2025, 12, 10, 23)),
        (
            {"acquisition_date": "20251211", "acquisition_time": "235960"},
            (2025, 12, 11, 22, 59, 59),
        ),
    ],
)
def test_the_header_says_when(header: dict[str, str], moment: tuple[int, ...]) -> None:
    assert taken(**header) == datetime(*moment, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize("header", [None, Header(), Header(study_date="20260101")])
def test_without_an_acquisition_there_is_none_and_no_remark(header: Header | None) -> None:
    acquisition = acquisition_of(header, RECEIVED)
    assert (acquisition.moment, acquisition.remark) == (None, "")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"acquisition_date": "20260305"}, "in the future"),
        ({"acquisition_date": "19000101"}, f"before {FIRST_YEAR}"),
        ({"acquisition_date": "19700101", "acquisition_time": "000000"}, f"before {FIRST_YEAR}"),
        ({"acquisition_date": "20250230"}, "no date and time"),
        ({"acquisition_date": "20251211", "acquisition_time": "25"}, "no date and time"),
        ({"acquisition_date": "20251211", "patient_birth_date": "20260101"}, "patient's birth"),
    ],
)
def test_what_cannot_be_is_not_used_and_said(header: dict[str, str], words: str) -> None:
    acquisition = acquisition_of(Header(**header), RECEIVED, HERE)
    assert acquisition.moment is None
    assert words in acquisition.remark
    assert header["acquisition_date"] not in acquisition.remark


@given(st.text(max_size=20), st.text(max_size=16), st.text(max_size=6), st.text(max_size=26))
def test_nothing_that_a_header_says_is_an_error(
    date: str, time: str, offset: str, date_time: str
) -> None:
    header = Header(
        acquisition_date=date,
        acquisition_time=time,
        timezone_offset_from_utc=offset,
        acquisition_date_time=date_time,
    )
    moment = acquisition_of(header, RECEIVED).moment
    assert moment is None or moment <= RECEIVED + CLOCKS_DIFFER


@given(
    st.datetimes(datetime(1981, 1, 1), datetime(2026, 2, 27)),
    st.integers(-12, 14),
)
def test_any_moment_in_any_zone_is_read_as_it_was_written(naive: datetime, hours: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(hours=hours)))
    header = Header(acquisition_date_time=f"{moment:%Y%m%d%H%M%S.%f%z}")
    assert acquisition_of(header, RECEIVED).moment == moment
