"""Which films of an archive are wanted: ``StudyDate=20261101-20261126 Modality=DX``."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Self

from cxr_app.errors import SettingsError

STUDY_KEYS = ("StudyDate", "AccessionNumber", "PatientID", "StudyInstanceUID", "StudyDescription")
SERIES_KEYS = ("Modality", "SeriesInstanceUID", "SeriesDescription", "BodyPartExamined")
DEFAULT_MODALITIES = ("CR", "DX")
"""Modalities of the films that are wanted if no modality is named."""

_DATE = r"[12]\d{3}[01]\d[0-3]\d"
_DATES = re.compile(rf"(?P<first>{_DATE})?(?P<dash>-)?(?P<last>{_DATE})?")
_MODALITIES = re.compile(r"[A-Z]{2,16}(,[A-Z]{2,16})*")
_UID = re.compile(r"[0-9.]{1,64}")
_WORDS = re.compile(r"[^\\\x00-\x1f]{1,64}")
_HOW = "Write KEYWORD=VALUE, for example 'StudyDate=20261101-20261126 Modality=DX'"


@dataclass(frozen=True, slots=True)
class FilmQuery:
    """The films that are wanted.

    Parameters
    ----------
    first, last
        Study dates, both included; None for no bound.
    modalities
        Of the series.
    study, series
        What else is asked for, by keyword; ``*`` and ``?`` are wildcards in words.
    written
        The query as a person wrote it.

    References
    ----------
    DICOM PS3.4 C.2.2.2 (matching), C.6.2.1 (keys of the study root).
    """

    first: date | None
    last: date | None
    modalities: tuple[str, ...]
    study: Mapping[str, str]
    series: Mapping[str, str]
    written: str

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a query as it is written on the command line.

        Raises
        ------
        SettingsError
            If it is written otherwise; the message says what is allowed.
        """
        try:
            parts = [part.partition("=") for part in shlex.split(written)]
        except ValueError:
            raise SettingsError(f"The query has an open quotation mark. {_HOW}.") from None
        if not parts:
            raise SettingsError(f"The query is empty. {_HOW}.")
        found: dict[str, str] = {}
        for keyword, equals, value in parts:
            if not equals or keyword not in (*STUDY_KEYS, *SERIES_KEYS):
                raise SettingsError(
                    f"{keyword!r} cannot be asked for. {_HOW}; "
                    f"keywords are {', '.join((*STUDY_KEYS, *SERIES_KEYS))}."
                )
            if keyword in found:
                raise SettingsError(f"{keyword} is in the query twice. Name it once.")
            found[keyword] = value.strip()
        _check(found)
        first, last = _dates(found.pop("StudyDate", "-"))
        modalities = found.pop("Modality", ",".join(DEFAULT_MODALITIES))
        return cls(
            first=first,
            last=last,
            modalities=tuple(modalities.split(",")),
            study={name: value for name, value in found.items() if name in STUDY_KEYS},
            series={name: value for name, value in found.items() if name in SERIES_KEYS},
            written=written,
        )

    def study_keys(self, today: date) -> Iterator[dict[str, str]]:
        """Yield the keys of each search for studies: one for each day, as archives cut answers.

        Parameters
        ----------
        today
            Where a range without an end ends; a day is added, because clocks differ.
        """
        modality = {"ModalitiesInStudy": self.modalities[0]} if len(self.modalities) == 1 else {}
        if self.first is None or self.study.keys() & {"StudyInstanceUID", "AccessionNumber"}:
            yield {**self.study, **modality, "StudyDate": self._range()}
            return
        last = self.last or max(self.first, today + timedelta(days=1))
        for number in range((last - self.first).days + 1):
            day = self.first + timedelta(days=number)
            yield {**self.study, **modality, "StudyDate": _written(day)}

    def accepts_study(self, facts: Mapping[str, str]) -> bool:
        """Check an archive's answer, because it may ignore a key that it does not know."""
        day = facts.get("StudyDate", "")
        is_dated = re.fullmatch(_DATE, day) is not None
        if is_dated and self.first is not None and day < _written(self.first):
            return False
        if is_dated and self.last is not None and day > _written(self.last):
            return False
        return _matches(self.study, facts)

    def accepts_series(self, facts: Mapping[str, str]) -> bool:
        """Check an archive's answer, because it may ignore a key that it does not know."""
        return facts.get("Modality") in self.modalities and _matches(self.series, facts)

    def _range(self) -> str:
        if self.first is None and self.last is None:
            return ""
        ends = (self.first, self.last)
        first, last = ("" if end is None else _written(end) for end in ends)
        return first if first == last else f"{first}-{last}"


def _check(found: Mapping[str, str]) -> None:
    """Refuse a value that no archive understands, before one is called."""
    for keyword, value in found.items():
        expected = ""
        if keyword == "StudyDate":
            expected = "" if _DATES.fullmatch(value) and value.strip("-") else "YYYYMMDD-YYYYMMDD"
        elif keyword == "Modality":
            expected = "" if _MODALITIES.fullmatch(value) else "CR, DX or several as CR,DX"
        elif keyword.endswith("UID"):
            expected = "" if _UID.fullmatch(value) else "digits and dots, at most 64"
        elif not _WORDS.fullmatch(value):
            expected = "1 to 64 characters without a backslash"
        if expected:
            raise SettingsError(f"{keyword}={value} is no value to ask for; expected {expected}.")


def _dates(written: str) -> tuple[date | None, date | None]:
    """Return the first and the last day of a range."""
    found = _DATES.fullmatch(written)
    if found is None:
        return None, None
    first, last = _day(found["first"]), _day(found["last"])
    if not found["dash"]:
        last = first
    if first is not None and last is not None and first > last:
        raise SettingsError(f"StudyDate={written} ends before it begins. Swap the dates.")
    return first, last


def study_day(written: str) -> date | None:
    """Read a date of VR DA; None if it is none."""
    try:
        return datetime.strptime(written, "%Y%m%d").date()
    except ValueError:
        return None


def _day(written: str | None) -> date | None:
    if not written:
        return None
    day = study_day(written)
    if day is None:
        raise SettingsError(f"StudyDate: {written} is no day of the calendar.")
    return day


def _written(day: date) -> str:
    return day.strftime("%Y%m%d")


def _matches(wanted: Mapping[str, str], facts: Mapping[str, str]) -> bool:
    """Check words with their wildcards; case does not matter, as in many archives."""
    return all(
        fnmatchcase(facts.get(keyword, "").casefold(), value.replace("[", "[[]").casefold())
        for keyword, value in wanted.items()
    )
