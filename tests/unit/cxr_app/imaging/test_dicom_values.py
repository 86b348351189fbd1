"""Whatever an element holds is a value of the right type, or none."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from cxr_app.imaging import dicom_values
from cxr_app.settings import PROJECT


def dataset(keyword: str, vr: str, value: bytes) -> Dataset:
    ds = Dataset()
    tag = Tag(keyword)
    ds[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    return ds


@pytest.mark.filterwarnings("ignore::UserWarning")  # `dicom` keeps pydicom quiet
@given(
    vr=st.sampled_from(["DS", "IS", "US", "SS", "FD", "UI", "CS", "PN", "OB", "SQ", "UN", "AT"]),
    value=st.binary(max_size=24),
)
def test_any_bytes_in_any_representation_are_read_without_an_error(vr: str, value: bytes) -> None:
    ds = dataset("WindowCenter", vr, value)
    assert all(isinstance(number, float) for number in dicom_values.numbers(ds, "WindowCenter"))
    assert dicom_values.number(ds, "WindowCenter") is None or math.isfinite(
        dicom_values.number(ds, "WindowCenter") or 0.0
    )
    assert dicom_values.text(ds, "WindowCenter").isprintable()
    assert isinstance(dicom_values.items(ds, "WindowCenter"), list)


def test_missing_element_has_no_value() -> None:
    ds = Dataset()
    assert dicom_values.number(ds, "Rows") is None
    assert dicom_values.integer(ds, "Rows") is None
    assert dicom_values.text(ds, "Rows") == ""
    assert dicom_values.numbers(ds, "Rows") == dicom_values.items(ds, "Rows") == []


@pytest.mark.parametrize(("value", "expected"), [("7", 7), ("7.5", None), ("seven", None)])
def test_integer_is_whole_or_nothing(value: str, expected: int | None) -> None:
    ds = Dataset()
    ds.add(DataElement("Rows", "LO", value))
    assert dicom_values.integer(ds, "Rows") == expected


def test_numbers_keep_their_places() -> None:
    ds = Dataset()
    ds.add(DataElement("WindowCenter", "LO", ["1", "x", "3"]))
    first, second, third = dicom_values.numbers(ds, "WindowCenter")
    assert (first, third) == (1, 3)
    assert math.isnan(second)


def test_very_long_text_is_ignored() -> None:
    ds = Dataset()
    ds.add(DataElement("StudyDescription", "UT", "x" * 5000))
    assert dicom_values.text(ds, "StudyDescription") == ""


def test_value_that_cannot_become_text_is_ignored() -> None:
    class Unspeakable:
        def __len__(self) -> int:
            return 1

        def __str__(self) -> str:
            raise ValueError

    ds = Dataset()
    element = DataElement("StudyDescription", "LO", "", already_converted=True)
    element._value = Unspeakable()
    ds.add(element)
    assert dicom_values.text(ds, "StudyDescription") == ""


def test_whoever_reads_a_dataset_has_nothing_of_it_in_the_log() -> None:
    """A backlog reads the directory of a disc without the module that reads films."""
    script = (
        "import logging\n"
        "from cxr_app.imaging.disc import disc_contents\n"
        "disc_contents(b'')\n"
        "assert not logging.getLogger('pydicom').isEnabledFor(logging.ERROR)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=True)
