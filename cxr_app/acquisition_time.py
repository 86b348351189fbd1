"""When a film was taken, by its header: the moment from which it waits to be read.

A date that cannot be that of an acquisition is not used, and a remark says so.

References
----------
DICOM PS3.3 C.7.6.16 and C.12.1.1 (*Timezone Offset From UTC*); PS3.5 6.2, DA, DT and TM.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from cxr_app.radiograph import Header

FIRST_YEAR = 1980
"""Digital radiographs are younger; 1900 and 1970 stand in headers whose date is unknown."""
CLOCKS_DIFFER = timedelta(days=1)
"""How far an acquisition may lie in the future: clocks differ, and time zones may be unstated."""

_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?", re.ASCII)
_DATE_TIME = re.compile(r"(\d{8})(\d{2}[\d.]*)?([+-]\d{4})?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """When a film was taken.

    Parameters
    ----------
    moment
        Aware; None if the header does not say it, or says something that cannot be.
    remark
        Why the header's date is not used; empty if it is used, or if there is none.
    """

    moment: datetime | None = None
    remark: str = ""


def acquisition_of(
    header: Header | None, received_at: datetime, local: tzinfo | None = None
) -> Acquisition:
    """Return when a film was taken, as far as its header is credible.

    A date without a time counts from the beginning of the day.

    Parameters
    ----------
    header
        None for a file without one.
    received_at
        When the film arrived, aware.
    local
        Time zone of a header that states none; None for that of this computer.
    """
    if header is None:
        return Acquisition()
    stated, time, offset = _stated(header)
    if not stated:
        return Acquisition()
    moment = _moment(stated, time, offset, local)
    problem = _problem(moment, header, received_at)
    if problem:
        return Acquisition(remark=f"{problem} Waiting counts from the film's arrival.")
    return Acquisition(moment)


def _stated(header: Header) -> tuple[str, str, str]:
    """Return date, time and offset from UTC as the header states them; empty if it does not."""
    both = _DATE_TIME.fullmatch(header.acquisition_date_time)
    offset = header.timezone_offset_from_utc
    if both:
        return both[1], both[2] or "", both[3] or offset
    return header.acquisition_date, header.acquisition_time, offset


def _moment(stated: str, time: str, offset: str, local: tzinfo | None) -> datetime | None:
    """Return an aware moment; None if there is no such day or time."""
    day, clock = _DATE.fullmatch(stated), _TIME.fullmatch(time or "00")
    if day is None or clock is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock.group(1, 2, 3))
    fraction = int((clock[4] or "0").ljust(6, "0"))
    try:
        date = datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=_zone(offset) or local)
        there = date.replace(hour=hour, minute=minute, second=min(second, 59), microsecond=fraction)
        return there.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _zone(offset: str) -> timezone | None:
    """Return the time zone of an offset such as ``+0130``; None if it is none."""
    found = _OFFSET.fullmatch(offset)
    if found is None:
        return None
    distance = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-distance if found[1] == "-" else distance)


def _problem(moment: datetime | None, header: Header, received_at: datetime) -> str:
    """Return why a moment cannot be that of the acquisition; empty if it can."""
    if moment is None:
        return "The header's acquisition time is no date and time."
    if moment > received_at + CLOCKS_DIFFER:
        return "The header's acquisition time lies in the future."
    if moment.year < FIRST_YEAR:
        return f"The header's acquisition time lies before {FIRST_YEAR}."
    if f"{moment + CLOCKS_DIFFER:%Y%m%d}" < header.patient_birth_date:
        return "The header's acquisition time lies before the patient's birth."
    return ""
