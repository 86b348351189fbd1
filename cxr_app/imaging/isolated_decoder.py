"""Third-party decoders in child processes: no film can end or block the process that reads it.

Some decoders end the whole process on a damaged film, and some never return or take all memory. So
every compressed DICOM image, and every JPEG and PNG that a server reads, is decoded in a child with
limited memory and computing time; a child that has ended is replaced. Run as a program, this file
is that child: it reads requests from standard input and writes answers to standard output until its
parent ends. Requests and answers are messages of the same form: facts as JSON, then bytes.
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
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from cxr_app.errors import DAMAGE, ShortageError
from cxr_app.imaging.jpeg2000 import decode_reduced
from cxr_app.imaging.jpeg_end import completed_jpeg
from cxr_app.imaging.limits import (
    DECODER_BYTES,
    DECODER_PATIENCE,
    DECODER_SECONDS,
    LEAST_DECODER_SECONDS,
    MAX_PIXELS,
)
from cxr_app.imaging.pillow_reader import DecodedPicture, PictureFormat, decode_picture

_LENGTH_BYTES = 8
_PROJECT = Path(__file__).resolve().parents[2]

Message = tuple[Mapping[str, Any], bytes]
"""Facts, and the bytes that they describe; no bytes in an answer if decoding failed."""

_idle: list["_Child"] = []
_lock = threading.Lock()


def decode_in_subprocess(
    pixel_data: bytes,
    transfer_syntax: str,
    plugin: str,
    options: Mapping[str, Any],
    halvings: int = 0,
) -> NDArray[Any]:
    """Decode the first frame of compressed pixel data in a child process.

    Parameters
    ----------
    pixel_data
        (7FE0,0010) *Pixel Data*, encapsulated.
    transfer_syntax
        Its UID.
    plugin
        Name of the decoder in pydicom.
    options
        What pydicom's decoder needs to know about the image, in types of JSON.
    halvings
        How many times the sides of a grey, unsigned JPEG 2000 image may be halved; if the decoder
        cannot, the frame has its full size.

    Raises
    ------
    RuntimeError
        If the decoder fails, crashes, or needs more time or memory than `limits` allow.
    TypeError
        If the pixel data is not bytes.
    ShortageError
        If no child can be started.
    """
    request = {
        "syntax": transfer_syntax,
        "plugin": plugin,
        "options": dict(options),
        "halvings": halvings,
    }
    if not isinstance(pixel_data, bytes):  # the element has a wrong value representation
        raise TypeError(f"pixel data must be bytes, got {type(pixel_data).__name__}")
    _, values = _decode(request, pixel_data)
    return _as_array(values)


def decode_picture_in_subprocess(
    data: bytes, file_format: PictureFormat, side: int | None = None
) -> DecodedPicture:
    """Do the same as `pillow_reader.decode_picture`, in a child process.

    Raises
    ------
    RuntimeError
        If the file is damaged, or if Pillow crashes or needs more than `limits` allow.
    ShortageError
        If no child can be started.
    """
    facts, values = _decode({"format": file_format, "side": side}, data)
    return DecodedPicture(_as_array(values), **{**facts, "remarks": tuple(facts["remarks"])})


def _decode(request: Mapping[str, Any], data: bytes) -> Message:
    """Have a child decode."""
    child = _take()
    try:
        answer = child.request((request, data))
    except BaseException:  # the request may be incomplete, so the child cannot take another one
        child.end()
        raise
    if answer is None:
        child.end()
        raise RuntimeError("the decoder ended without an answer")
    with _lock:
        _idle.append(child)
    if not answer[1]:
        raise RuntimeError("the decoder gave no picture")  # its message may name the patient
    return answer


def _as_bytes(values: NDArray[Any]) -> bytes:
    content = BytesIO()
    np.save(content, values, allow_pickle=False)
    return content.getvalue()


def _as_array(content: bytes) -> NDArray[Any]:
    return np.asarray(np.load(BytesIO(content), allow_pickle=False))


class _Child:
    """A child process and the pipes to it."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cxr_app.imaging.isolated_decoder"],
                cwd=_PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise _shortage(f"no process could be started: {error.strerror}") from error

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def request(self, message: Message) -> Message | None:
        """Send a request and wait for its answer; None if the child has ended or is too slow."""
        guard = threading.Timer(DECODER_PATIENCE, self._process.kill)
        try:
            guard.start()
        except RuntimeError as error:
            raise _shortage("no thread could be started") from error
        try:
            with suppress(OSError):
                _send(self._process.stdin, message)
                return _receive(self._process.stdout)
        finally:
            guard.cancel()
        return None

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _shortage(reason: str) -> ShortageError:
    return ShortageError(
        f"The film could not be decoded because {reason}. The film itself may be sound: free "
        "memory, processes or open files, then try again."
    )


def _take() -> _Child:
    """Return an idle child or start one; there are as many as films are decoded at once."""
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.is_alive:
                return child
            child.end()
    return _Child()


@atexit.register
def end_decoders() -> None:
    """End the idle children; the next film gets a new one."""
    with _lock:
        while _idle:
            _idle.pop().end()


def _forget_all() -> None:
    """Forget the children after a fork; they and the lock belong to the parent process."""
    global _lock
    _lock = threading.Lock()
    _idle.clear()


os.register_at_fork(after_in_child=_forget_all)


def _send(stream: IO[bytes] | None, message: Message) -> None:
    """Write facts and bytes, each after its length."""
    facts, data = message
    if stream is not None:
        for part in (json.dumps(facts).encode(), data):
            stream.write(len(part).to_bytes(_LENGTH_BYTES, "little"))
            stream.write(part)
        stream.flush()


def _receive(stream: IO[bytes] | None) -> Message | None:
    """Read one message; None at the end of the stream."""
    facts, data = _receive_part(stream), _receive_part(stream)
    return None if facts is None or data is None else (json.loads(facts), data)


def _receive_part(stream: IO[bytes] | None) -> bytes | None:
    header = stream.read(_LENGTH_BYTES) if stream is not None else b""
    if stream is None or len(header) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(header, "little")
    part = stream.read(length)
    return part if len(part) == length else None


def main() -> None:
    """Answer requests until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (DECODER_BYTES, DECODER_BYTES))
    warnings.simplefilter("ignore")
    while (message := _receive(sys.stdin.buffer)) is not None:
        request, data = message
        _limit_computing(_seconds(request))
        _send(sys.stdout.buffer, _answer(request, data))


def _seconds(request: Mapping[str, Any]) -> int:
    """Return how long decoding may take: DICOM by the size in its header, other files the longest.

    A DICOM codestream of another size is damaged, or was refused before.
    """
    size = request.get("options", {})
    pixels: int = size.get("rows", MAX_PIXELS) * size.get("columns", 1)
    share = min(pixels / MAX_PIXELS, 1.0)
    return math.ceil(LEAST_DECODER_SECONDS + share * (DECODER_SECONDS - LEAST_DECODER_SECONDS))


def _limit_computing(seconds: int) -> None:
    """Have the kernel end this process if the next film takes more processor time than that."""
    used = math.ceil(time.process_time())
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, most))


def _answer(request: Mapping[str, Any], data: bytes) -> Message:
    """Decode; the answer has no bytes if that fails.

    Here a `MemoryError` counts as damage: it means that the film exceeds `DECODER_BYTES`.
    """
    try:
        if "format" in request:
            return _picture(decode_picture(data, request["format"], request["side"]))
        frame = _reduced(request, data) if request["halvings"] else None
        return {}, _as_bytes(_whole(request, data) if frame is None else frame)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return {}, b""


def _picture(picture: DecodedPicture) -> Message:
    """Return the values, and everything else as facts."""
    facts = {
        "bits": picture.bits,
        "colour_fraction": picture.colour_fraction,
        "remarks": picture.remarks,
        "turned": picture.turned,
    }
    return facts, _as_bytes(picture.values)


def _whole(request: Mapping[str, Any], pixel_data: bytes) -> NDArray[Any]:
    decoder, options = get_decoder(UID(request["syntax"])), request["options"]
    try:
        frame, _ = decoder.as_array(
            pixel_data, index=0, decoding_plugin=request["plugin"], **options
        )
    except DAMAGE:
        completed = _completed(request, pixel_data)
        if completed is None:
            raise
        frame, _ = decoder.as_array(completed, index=0, decoding_plugin="pillow", **options)
    return frame


def _completed(request: Mapping[str, Any], pixel_data: bytes) -> bytes | None:
    """Return the first frame, if it is a JPEG that lacks only its end mark; else None."""
    if request["plugin"] != "pillow":
        return None
    completed = completed_jpeg(_first_frame(request, pixel_data))
    return None if completed is None else encapsulate([completed])


def _first_frame(request: Mapping[str, Any], pixel_data: bytes) -> bytes:
    frames = request["options"].get("number_of_frames", 1)
    return get_frame(pixel_data, 0, number_of_frames=frames)


def _reduced(request: Mapping[str, Any], pixel_data: bytes) -> NDArray[Any] | None:
    """Decode at a lower resolution; None if that is impossible."""
    try:
        return decode_reduced(_first_frame(request, pixel_data), request["halvings"])
    except (*DAMAGE, MemoryError):
        return None  # decoding the whole frame fails too if anything is wrong


if __name__ == "__main__":
    main()
