"""Lookup tables as the standard and as scanners write them."""

import numpy as np
import pytest
from pydicom import DataElement, Dataset

from cxr_app.errors import PixelDataError
from cxr_app.imaging.lut import LookupTable
from tests.support.factories import lut_item

ENTRIES = np.arange(300) * 13 % 4096


def dataset(little_endian: bool = True) -> Dataset:
    ds = Dataset()
    ds.set_original_encoding(False, little_endian)
    return ds


@pytest.mark.parametrize("little_endian", [True, False])
def test_entries_are_read_in_the_byte_order_of_the_file(little_endian: bool) -> None:
    data = ENTRIES.astype("<u2" if little_endian else ">u2").tobytes()
    item = lut_item(0, ENTRIES, 12, LUTData=data)
    assert np.array_equal(LookupTable.read(item, dataset(little_endian)).entries, ENTRIES)


def test_entries_of_one_byte_are_read() -> None:
    item = lut_item(0, ENTRIES, 8, LUTData=(ENTRIES % 256).astype("u1").tobytes())
    assert np.array_equal(LookupTable.read(item, dataset()).entries, ENTRIES % 256)


def test_inputs_beyond_the_table_take_the_nearest_entry() -> None:
    table = LookupTable.read(lut_item(-5, ENTRIES, 12), dataset())
    inputs = np.array([-99.0, -5, -4, 294, 9999])
    assert np.array_equal(table.apply(inputs), ENTRIES[[0, 0, 1, 299, 299]])


def test_count_of_0_means_65536() -> None:
    table = LookupTable.read(lut_item(0, np.arange(65_536), 16), dataset())
    assert len(table.entries) == 65_536


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("LUTDescriptor", [300, 0], "descriptor"),
        ("LUTDescriptor", [300, 0, 40], "shorter than its descriptor"),
        ("LUTDescriptor", [301, 0, 12], "shorter than its descriptor"),
        ("LUTData", None, "shorter than its descriptor"),
    ],
)
def test_invalid_table_is_refused(keyword: str, value: object, words: str) -> None:
    with pytest.raises(PixelDataError, match=words):
        LookupTable.read(lut_item(0, ENTRIES, 12, **{keyword: value}), dataset())


def test_text_instead_of_entries_is_refused() -> None:
    item = lut_item(0, ENTRIES, 12)
    item.add(DataElement("LUTData", "UT", "text"))
    with pytest.raises(PixelDataError, match="shorter than its descriptor"):
        LookupTable.read(item, dataset())
