"""Decoders in processes of their own: whatever a film does to one, this process goes on.

Some decoders end the whole process on a damaged film, some take for ever or all memory. So every
compressed DICOM image, and every JPEG and PNG that a server reads, is decoded in a child that has
a bounded memory and a bounded time, and that a new one takes the place of when it is gone. Started
as a program, this file is that child: it reads questions from standard input and writes answers to
standard output until its parent ends.
"""

import atexit
import json
import math
import os
import resource
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from cxr_app.errors import DAMAGE
from cxr_app.imaging.jpeg2000 import decode_reduced
from cxr_app.imaging.limits import (
    DECODER_BYTES,
    DECODER_PATIENCE,
    DECODER_SECONDS,
    LEAST_DECODER_SECONDS,
    MAX_PIXELS,
)
from cxr_app.imaging.pillow_reader import DecodedPicture, PictureFormat, unfold

_LENGTH_BYTES = 8
_END_OF_WORDS = b"\n"
_PROJECT = Path(__file__).resolve().parents[2]

_idle: list["_Child"] = []
_lock = threading.Lock()


def decode_in_subprocess(
    pixel_data: bytes,
    transfer_syntax: str,
    plugin: str,
    options: Mapping[str, Any],
    halvings: int = 0,
) -> NDArray[Any]:
    """Decode the first frame of compressed pixel data, out of this process.

    Parameters
    ----------
    pixel_data
        (7FE0,0010) *Pixel Data*, encapsulated.
    transfer_syntax
        Its UID.
    plugin
        The name under which pydicom knows the decoder.
    options
        What pydicom's decoder must know of the image, as JSON allows it.
    halvings
        How many times the sides of a grey, unsigned JPEG 2000 image may be halved; where the
        decoder cannot, the frame has its full size.

    Raises
    ------
    RuntimeError
        If the decoder cannot, crashes, or needs more time or memory than `bounds` allow.
    TypeError
        If the pixel data is none.
    """
    question = {
        "syntax": transfer_syntax,
        "plugin": plugin,
        "options": dict(options),
        "halvings": halvings,
    }
    if not isinstance(pixel_data, bytes):  # the element is of a false kind
        raise TypeError(f"pixel data must be bytes, got {type(pixel_data).__name__}")
    return _array(_ask(question, pixel_data))


def read_picture_in_subprocess(
    data: bytes, file_format: PictureFormat, side: int | None = None
) -> DecodedPicture:
    """Do what `picture.unfold` does, out of this process.

    Raises
    ------
    RuntimeError
        If the file is damaged, or if Pillow crashes or needs more than `bounds` allow.
    """
    answer = _ask({"format": file_format, "side": side}, data)
    found, _, values = answer.partition(_END_OF_WORDS)
    words = json.loads(found)
    return DecodedPicture(_array(values), **words | {"remarks": tuple(words["remarks"])})


def _ask(question: Mapping[str, Any], data: bytes) -> bytes:
    """Have a child answer."""
    asked = json.dumps(question).encode()
    child = _take()
    try:
        answer = child.ask(asked, data)
    except BaseException:  # half a question: nobody could ask this child another one
        child.end()
        raise
    if answer is None:
        child.end()
        raise RuntimeError("the decoder ended without an answer")
    with _lock:
        _idle.append(child)
    if not answer:
        raise RuntimeError("the decoder gave no picture")  # its words may name the patient
    return answer


def _array(answer: bytes) -> NDArray[Any]:
    return np.asarray(np.load(BytesIO(answer), allow_pickle=False))


class _Child:
    """One child and the way to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cxr_app.imaging.isolated_decoder"],
            cwd=_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, *parts: bytes) -> bytes | None:
        """Send a question and wait for its answer; None where the child is gone or too slow."""
        guard = threading.Timer(DECODER_PATIENCE, self._process.kill)
        guard.start()
        try:
            with suppress(OSError):
                for part in parts:
                    _write(self._process.stdin, part)
                return _read(self._process.stdout)
        finally:
            guard.cancel()
        return None

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _take() -> _Child:
    """Take a child that waits, or start one: there are as many as films are decoded at once."""
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.is_alive:
                return child
            child.end()
    return _Child()


@atexit.register
def end_decoders() -> None:
    """End the children that wait; the next film gets a new one."""
    with _lock:
        while _idle:
            _idle.pop().end()


def _forget_all() -> None:
    """After a fork: both processes would speak to the same children, and wait for one lock."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()


os.register_at_fork(after_in_child=_forget_all)


def _write(stream: IO[bytes] | None, data: bytes) -> None:
    if stream is not None:
        stream.write(len(data).to_bytes(_LENGTH_BYTES, "little"))
        stream.write(data)
        stream.flush()


def _read(stream: IO[bytes] | None) -> bytes | None:
    """Read one message; None at the end of the stream."""
    header = stream.read(_LENGTH_BYTES) if stream is not None else b""
    if stream is None or len(header) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(header, "little")
    data = stream.read(length)
    return data if len(data) == length else None


def main() -> None:
    """Answer questions until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))
    warnings.simplefilter("ignore")
    while (question := _read(sys.stdin.buffer)) is not None:
        data = _read(sys.stdin.buffer) or b""
        asked = json.loads(question)
        _allow(_seconds(asked))
        _write(sys.stdout.buffer, _answer(asked, data))


def _seconds(question: Mapping[str, Any]) -> int:
    """Say how long a film may take: a DICOM image by its size, a file that has yet to tell it most.

    By the size that the header says: a codestream of another size is damaged, or refused before.
    """
    size = question.get("options", {})
    pixels: int = size.get("rows", MAX_PIXELS) * size.get("columns", 1)
    share = min(pixels / MAX_PIXELS, 1.0)
    return math.ceil(LEAST_DECODER_SECONDS + share * (DECODER_SECONDS - LEAST_DECODER_SECONDS))


def _allow(seconds: int) -> None:
    """Let the kernel end this process if the next film takes more computing than that."""
    used = math.ceil(time.process_time())
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, most))


def _answer(question: Mapping[str, Any], data: bytes) -> bytes:
    """Decode; an empty answer says that it was not possible."""
    try:
        if "format" in question:
            return _picture(unfold(data, question["format"], question["side"]))
        frame = _reduced(question, data) if question["halvings"] else None
        return _packed(_whole(question, data) if frame is None else frame)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return b""


def _packed(values: NDArray[Any]) -> bytes:
    answer = BytesIO()
    np.save(answer, values, allow_pickle=False)
    return answer.getvalue()


def _picture(picture: DecodedPicture) -> bytes:
    """Write what was found before the values."""
    found = {
        "bits": picture.bits,
        "colour_fraction": picture.colour_fraction,
        "remarks": picture.remarks,
        "turned": picture.turned,
    }
    return json.dumps(found).encode() + _END_OF_WORDS + _packed(picture.values)


def _whole(question: Mapping[str, Any], pixel_data: bytes) -> NDArray[Any]:
    frame, _ = get_decoder(UID(question["syntax"])).as_array(
        pixel_data, index=0, decoding_plugin=question["plugin"], **question["options"]
    )
    return frame


def _reduced(question: Mapping[str, Any], pixel_data: bytes) -> NDArray[Any] | None:
    """Decode at a lower resolution; None where that is not possible."""
    frames = question["options"].get("number_of_frames", 1)
    try:
        codestream = get_frame(pixel_data, 0, number_of_frames=frames)
        return decode_reduced(codestream, question["halvings"])
    except DAMAGE:
        return None  # decoding the whole frame will say what is wrong, if anything is


if __name__ == "__main__":
    main()
