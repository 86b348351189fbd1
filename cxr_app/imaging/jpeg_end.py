"""JPEG files that lack nothing but their end mark."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from cxr_app.errors import DAMAGE, raise_shortage
from cxr_app.imaging.codestream import count_scans

_END = b"\xff\xd9"
_FILLER = b"\x55" * 64


def completed_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG with the end mark that it lacks; None if it has one, or lacks more.

    A decoder takes a film that ends in the middle for a whole one if the mark follows. So the film
    is decoded twice, with and without some other bytes before the mark: they change a film that
    lacks anything, and are skipped behind a whole one.
    """
    bare = data.rstrip(b"\0")
    if bare.endswith(_END) or count_scans(bare) != 1:  # a progressive one may lack whole scans
        return None
    bare = bare.removesuffix(_END[:1])
    try:
        plain, filled = (_decoded(bare + tail + _END) for tail in (b"", _FILLER))
    except DAMAGE as error:
        raise_shortage(error)
        return None
    return bare + _END if np.array_equal(plain, filled) else None


def _decoded(data: bytes) -> NDArray[np.uint8]:
    image = JpegImageFile(BytesIO(data))
    image.load()
    return np.asarray(image)
