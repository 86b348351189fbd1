"""Decoders in child processes: what happens to one affects no other film."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import psutil
import pytest
from pydicom import dcmread
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from cxr_app.errors import ShortageError
from cxr_app.imaging import isolated_decoder
from cxr_app.imaging.isolated_decoder import (
    decode_in_subprocess,
    decode_picture_in_subprocess,
    end_decoders,
    main,
)
from cxr_app.imaging.limits import DECODER_BYTES, DECODER_SECONDS, LEAST_DECODER_SECONDS
from tests.support.factories import (
    compressed_dicom_bytes,
    film_pixels,
    jpeg_bytes,
    jpeg_dicom_bytes,
    radiograph_dataset,
)

PIXELS = film_pixels(40, 36, bits=8)


def question(data: bytes, syntax: str, plugin: str) -> tuple[bytes, str, str, dict[str, Any]]:
    ds = dcmread(BytesIO(data))
    return ds.PixelData, syntax, plugin, as_pixel_options(ds)


JPEG = question(jpeg_dicom_bytes(PIXELS), JPEGBaseline8Bit, "pillow")
JPEG_2000 = question(
    compressed_dicom_bytes(radiograph_dataset(PIXELS), JPEG2000Lossless),
    *(JPEG2000Lossless, "pylibjpeg"),
)


@pytest.fixture
def one_child() -> None:
    """Leave a single idle child, which `child` returns."""
    end_decoders()
    decode_in_subprocess(*JPEG)


def child() -> "subprocess.Popen[bytes]":
    (only,) = isolated_decoder._idle
    return only._process


def test_frame_comes_back_from_the_other_process() -> None:
    assert np.abs(decode_in_subprocess(*JPEG).astype(int) - PIXELS).mean() < 5
    assert (decode_in_subprocess(*JPEG_2000) == PIXELS).all()


def test_frame_has_a_lower_resolution_if_there_is_one() -> None:
    assert decode_in_subprocess(*JPEG_2000, 1).shape == (20, 18)
    assert (decode_in_subprocess(*JPEG_2000, 30) == PIXELS).all()
    with pytest.raises(RuntimeError, match="the decoder gave no picture"):
        decode_in_subprocess(b"no film at all", *JPEG_2000[1:], 1)


@pytest.mark.usefixtures("one_child")
def test_child_decodes_one_film_after_the_other() -> None:
    first = child().pid
    decode_in_subprocess(*JPEG_2000)
    assert child().pid == first


def test_damage_raises_an_error_without_the_decoder_s_message() -> None:
    with pytest.raises(RuntimeError, match="the decoder gave no picture") as refusal:
        decode_in_subprocess(b"no film at all", *JPEG[1:])
    assert refusal.value.__cause__ is None
    assert np.abs(decode_in_subprocess(*JPEG).astype(int) - PIXELS).mean() < 5


def children() -> int:
    return len(psutil.Process().children())


@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize("pixel_data", [None, "text", [b"several", b"values"], {}])
def test_wrong_type_of_pixel_data_ends_no_child(pixel_data: Any) -> None:
    """A child that is never reused would keep its memory as long as this process lives."""
    before = children()
    with pytest.raises(TypeError):
        decode_in_subprocess(pixel_data, *JPEG[1:])
    assert children() == before
    assert (decode_in_subprocess(*JPEG_2000) == PIXELS).all()
    assert children() == before


@pytest.mark.usefixtures("one_child")
def test_child_that_was_interrupted_while_decoding_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    interrupted_child = child()
    monkeypatch.setattr(isolated_decoder, "_receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        decode_in_subprocess(*JPEG)
    assert interrupted_child.poll() is not None


def fail_to_fork(*_: object, **__: object) -> None:
    raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


def fail_to_start(*_: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("owner", "name", "failure"),
    [(subprocess, "Popen", fail_to_fork), (threading.Timer, "start", fail_to_start)],
)
def test_full_computer_does_not_make_a_film_damaged(
    owner: object, name: str, failure: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_decoders()
    before = children()
    with monkeypatch.context() as full:
        full.setattr(owner, name, failure)
        with pytest.raises(ShortageError, match="may be sound"):
            decode_in_subprocess(*JPEG)
    assert children() == before
    assert decode_in_subprocess(*JPEG).shape == PIXELS.shape


@pytest.mark.usefixtures("one_child")
def test_killed_child_is_replaced() -> None:
    child().send_signal(signal.SIGKILL)
    child().wait()
    assert decode_in_subprocess(*JPEG).shape == PIXELS.shape


@pytest.mark.usefixtures("one_child")
def test_killed_child_costs_only_the_picture_that_it_was_decoding() -> None:
    os.kill(child().pid, signal.SIGSTOP)
    killing = threading.Timer(0.2, child().kill)
    killing.start()
    with pytest.raises(RuntimeError, match="ended without an answer"):
        decode_picture_in_subprocess(jpeg_bytes(PIXELS), "JPEG")
    assert decode_picture_in_subprocess(jpeg_bytes(PIXELS), "JPEG").values.shape == PIXELS.shape


@pytest.mark.usefixtures("one_child")
def test_decoder_that_hangs_is_stopped_and_the_next_film_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    os.kill(child().pid, signal.SIGSTOP)
    with monkeypatch.context() as impatient:
        impatient.setattr(isolated_decoder, "DECODER_PATIENCE", 0.2)
        with pytest.raises(RuntimeError, match="ended without an answer"):
            decode_in_subprocess(*JPEG)
    assert decode_in_subprocess(*JPEG).shape == PIXELS.shape


def test_threads_decode_at_once_and_each_gets_its_own_film() -> None:
    # Encoded here: the encoder ends this process if two threads use it at once.
    films = [film_pixels(40, 36, bits=8, seed=number) for number in range(4)]
    questions = [
        question(
            compressed_dicom_bytes(radiograph_dataset(pixels), JPEG2000Lossless),
            *(JPEG2000Lossless, "pylibjpeg"),
        )
        for pixels in films
    ]
    with ThreadPoolExecutor(len(films)) as threads:
        frames = list(threads.map(lambda asked: decode_in_subprocess(*asked), questions))
    assert all((frame == pixels).all() for frame, pixels in zip(frames, films, strict=True))


def test_child_ends_with_its_parent() -> None:
    program = (
        "import os, signal\n"
        "from tests.unit.cxr_app.imaging import test_isolated_decoder as test\n"
        "test.decode_in_subprocess(*test.JPEG); print(test.child().pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    parent = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    orphan = int(parent.stdout)
    with suppress(psutil.NoSuchProcess):
        waiting = psutil.Process(orphan)
        deadline = time.monotonic() + 20
        while waiting.status() != psutil.STATUS_ZOMBIE:  # if no process collects orphans
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_memory_of_the_child_is_bounded() -> None:
    # An image of 60,000 × 60,000 pixels needs more than a decoder may have.
    options = JPEG_2000[3] | {"rows": 60_000, "columns": 60_000}
    with pytest.raises(RuntimeError):
        decode_in_subprocess(*JPEG_2000[:3], options)


Limits = list[tuple[int, tuple[int, int]]]


def answers_of_program(
    monkeypatch: pytest.MonkeyPatch, *messages: tuple[Mapping[str, Any], bytes]
) -> tuple[Limits, bytes]:
    """Run the program on requests; return the limits that it sets itself, and its answers."""
    parts = [part for request, data in messages for part in (json.dumps(request).encode(), data)]
    sent = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    limits, output = Limits(), BytesIO()
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))
    monkeypatch.setattr(sys, "stdin", type("Stream", (), {"buffer": BytesIO(sent)}))
    monkeypatch.setattr(sys, "stdout", type("Stream", (), {"buffer": output}))
    main()
    return limits, output.getvalue()


def test_program_answers_until_there_are_no_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    data, syntax, plugin, options = JPEG_2000
    question = {"syntax": syntax, "plugin": plugin, "options": options, "halvings": 0}
    limits, output = answers_of_program(monkeypatch, *[(question, data)] * 2)
    facts, values = isolated_decoder._receive(stream := BytesIO(output)) or ({}, b"")
    assert facts == {}
    assert (np.load(BytesIO(values)) == PIXELS).all()
    assert len(output) == 2 * stream.tell()
    (memory, allowed), *seconds = limits
    assert (memory, allowed) == (resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))
    assert [kind for kind, _ in seconds] == [resource.RLIMIT_CPU] * 2


def seconds_allowed(monkeypatch: pytest.MonkeyPatch, question: Mapping[str, Any]) -> float:
    """Send the program one request; return how much processor time it may still use."""
    limits, _ = answers_of_program(monkeypatch, (question, b""))
    return limits[-1][1][0] - time.process_time()


def test_small_film_gets_less_processor_time_than_a_large_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """24 KB of damaged JPEG 2000, 400 × 400 pixels, would compute without end."""
    _, syntax, plugin, options = JPEG_2000
    request = {"syntax": syntax, "plugin": plugin, "halvings": 0}
    small = seconds_allowed(monkeypatch, request | {"options": options})
    large = seconds_allowed(
        monkeypatch, request | {"options": options | {"rows": 8000, "columns": 8000}}
    )
    unknown = seconds_allowed(monkeypatch, {"format": "PNG", "side": None})
    assert small == pytest.approx(LEAST_DECODER_SECONDS, abs=2)
    assert large == pytest.approx(DECODER_SECONDS, abs=2)
    assert unknown == pytest.approx(DECODER_SECONDS, abs=2)
