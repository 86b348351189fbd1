"""Lookup tables of the Modality LUT and VOI LUT modules, as numbers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxr_app.errors import PixelDataError
from cxr_app.imaging.dicom_values import numbers, value

_LEAST_TELLING = 256
"""Number of entries from which a table says how many bits they use."""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """Entries for the inputs ``first``, ``first + 1``, ...; inputs beyond take the nearest entry.

    It replaces pydicom's functions, which refuse depths between 8 and 16 bits in a Modality LUT and
    wrap inputs above 255 in an 8-bit VOI LUT.

    Parameters
    ----------
    first
        The first input value mapped.
    entries
        Whole numbers, at least one.
    bits
        Bits of an entry, 8 to 16; `highest` is the largest value that fits. These are the bits that
        the entries use, where the file claims more.
    """

    first: int
    entries: NDArray[np.float64]
    bits: int

    @property
    def highest(self) -> float:
        """The top of the output range."""
        return float(2**self.bits - 1)

    @classmethod
    def read(cls, item: Dataset, ds: Dataset, *, signed: bool = False) -> Self:
        """Read an item of a Modality LUT Sequence or VOI LUT Sequence of `ds`.

        Some writers claim 16 bits for entries of 12, which would be shown nearly black. So the
        fewest bits that hold the largest entry count, at least 8; a table of a few entries may well
        be dark.

        Parameters
        ----------
        signed
            Whether the table's input may be negative. Then a first value above 32,767 is a
            negative one, read as unsigned.

        Raises
        ------
        PixelDataError
            If descriptor and data do not form a table.

        References
        ----------
        DICOM PS3.3 C.11.1.1 and C.11.2.1.1.
        """
        descriptor = numbers(item, "LUTDescriptor")
        if len(descriptor) != 3 or not all(number.is_integer() for number in descriptor):
            raise PixelDataError("A lookup table of the file has no legal (0028,3002) descriptor.")
        # In signed 16 bits a count above 32,767 appears negative; 0 means 65,536.
        count, first, bits = int(descriptor[0]) % 65_536 or 65_536, *map(int, descriptor[1:])
        entries = _entries(value(item, "LUTData"), count, _byte_order(ds))
        if not 8 <= bits <= 16 or len(entries) < count:
            raise PixelDataError("A lookup table of the file is shorter than its descriptor says.")
        if signed and first > 32_767:
            first -= 65_536
        if count >= _LEAST_TELLING:
            bits = min(bits, max(8, int(entries[:count].max()).bit_length()))
        return cls(first, entries[:count].astype(np.float64), bits)

    def look_up(self, stored: NDArray[Any]) -> NDArray[np.uint16]:
        """Return the entries for whole numbers, as `apply` does in a table of all inputs."""
        inputs = self.first + np.arange(len(self.entries), dtype=np.float64)
        outputs = self.apply(inputs).astype(np.uint16)
        last = self.first + len(outputs) - 1
        indices = np.clip(stored.astype(np.int64), self.first, last)
        return np.asarray(outputs[indices - self.first])

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the entries for `values`, in the same shape and in ``[0, highest]``."""
        inputs = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        return np.asarray(np.minimum(self.entries[inputs.astype(np.intp)], self.highest))


def _entries(data: object, count: int, byte_order: str) -> NDArray[np.uint16]:
    """Read LUT Data of VR US (numbers) or OW (bytes: two for an entry, or one in some files)."""
    if isinstance(data, bytes):
        dtype = "u1" if len(data) < 2 * count else f"{byte_order}u2"
        whole = len(data) - len(data) % np.dtype(dtype).itemsize
        return np.frombuffer(data[:whole], dtype=dtype).astype(np.uint16)
    try:
        return np.atleast_1d(np.asarray(data, dtype=np.int64)).astype(np.uint16)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0, dtype=np.uint16)


def _byte_order(ds: Dataset) -> str:
    return "<" if ds.original_encoding[1] in (True, None) else ">"
