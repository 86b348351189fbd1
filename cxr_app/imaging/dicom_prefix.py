"""Whether a file is DICOM, by how it begins; without pydicom, whose import takes a while."""

PREFIX = slice(128, 132)
"""Where a DICOM file has its prefix (PS3.10 7.1)."""
VALUE_REPRESENTATIONS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR "
    b"US UT UV".split()
)
"""PS3.5 6.2."""
LONG_REPRESENTATIONS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Those with a length of 32 bits (PS3.5 7.1.2)."""


def is_dicom(data: bytes) -> bool:
    """Check whether `data` is a DICOM file, or begins like a data set without preamble.

    A data set begins with an element of group 0002 or 0008 whose value representation (if explicit)
    exists and whose length fits into the file.

    References
    ----------
    DICOM PS3.10 7.1, PS3.5 7.1.
    """
    return data[PREFIX] == b"DICM" or _begins_like_a_data_set(data)


def _begins_like_a_data_set(data: bytes) -> bool:
    if len(data) < 16:
        return False
    for byte_order in ("little", "big"):
        if int.from_bytes(data[:2], byte_order) not in (0x0002, 0x0008):
            continue
        representation = data[4:6]
        if representation in VALUE_REPRESENTATIONS:
            return int.from_bytes(data[6:8], byte_order) <= len(data)
        return byte_order == "little" and int.from_bytes(data[4:8], "little") <= len(data) - 8
    return False
