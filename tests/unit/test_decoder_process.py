"""The decoder that may crash: alone in its process, and no further."""

import sys
from io import BytesIO, TextIOWrapper

import numpy as np
import pytest

from cxr_app import decoder_process
from cxr_app.decoder_process import decode_apart, main
from tests.factories import film_pixels, jpeg_dicom_bytes

PIXELS = film_pixels(40, 36, bits=8)


def test_frame_comes_back_from_the_other_process() -> None:
    assert np.abs(decode_apart(jpeg_dicom_bytes(PIXELS)).astype(int) - PIXELS).mean() < 5


def test_failure_in_the_other_process_is_an_error_here_without_its_words() -> None:
    with pytest.raises(RuntimeError, match="GDCM gave no picture") as refusal:
        decode_apart(b"no film at all")
    assert refusal.value.__cause__ is None


def test_decoder_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_process, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(RuntimeError):
        decode_apart(jpeg_dicom_bytes(PIXELS))


def test_program_writes_the_frame_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    output = BytesIO()
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(jpeg_dicom_bytes(PIXELS))))
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(output))
    main()
    assert np.load(BytesIO(output.getvalue())).shape == PIXELS.shape
