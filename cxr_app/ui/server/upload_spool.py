"""Uploaded files on disk until they are in the worklist, bounded per window and in all.

Streamlit keeps every uploaded file in memory while its window is open. Here a file goes to disk as
it arrives, into a folder of the server's user; Streamlit sees it as empty. The page takes it over,
and then it no longer depends on its window. Files that no page has taken go with their window; what
a killed server left goes at a start a day later, because servers may share the folder.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from starlette.exceptions import HTTPException
from streamlit.runtime import memory_uploaded_file_manager
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile as StreamlitFile
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from cxr_app.film_store import make_private_folder
from cxr_app.ui.upload_queue import UploadedFile

WINDOW_BYTES = 8 * 2**30
"""Largest size of the files of one window that wait to be received."""
ALL_BYTES = 32 * 2**30
"""Largest size of those of all windows."""
INSUFFICIENT_STORAGE = 507
FORGET_SECONDS = 24 * 3600.0


@dataclass(eq=False, slots=True)
class SpooledFile:
    """An uploaded file on disk.

    Parameters
    ----------
    name
        As the browser sent it; it cannot be trusted.
    window
        Streamlit's id of the window's session.
    size
        In bytes.
    """

    name: str
    window: str
    path: Path
    size: int
    spool: "UploadSpool"

    def getvalue(self) -> bytes:
        """Read the content."""
        return self.path.read_bytes()

    def discard(self) -> None:
        """Delete the file: it is in the worklist."""
        self.spool.discard(self)


class UploadSpool(MemoryUploadedFileManager):
    """Streamlit's store of uploaded files, on disk.

    Parameters
    ----------
    upload_endpoint
        Address that browsers upload to.
    folder
        Created if necessary; files in it that are older than a day are deleted.
    window_bytes, all_bytes
        Bounds on what waits.
    """

    def __init__(
        self,
        upload_endpoint: str,
        folder: Path,
        window_bytes: int = WINDOW_BYTES,
        all_bytes: int = ALL_BYTES,
    ) -> None:
        super().__init__(upload_endpoint)
        self._folder = folder
        self._bounds = (window_bytes, all_bytes)
        self._spooled: dict[str, dict[str, SpooledFile]] = {}
        self._waiting: set[SpooledFile] = set()
        self._guard = threading.Lock()
        make_private_folder(folder)
        _forget(folder)

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        """Write a file to disk; refuse it beyond the bounds, or if the disk is full."""
        size = len(file.data)
        spooled = SpooledFile(file.name, session_id, self._folder / uuid4().hex, size, self)
        with self._guard:
            self._require_room(session_id, size)
            self._waiting.add(spooled)
            self._spooled.setdefault(session_id, {})[file.file_id] = spooled
        try:
            _write(spooled.path, file.data)
        except OSError as error:
            self.remove_file(session_id, file.file_id)
            raise HTTPException(
                INSUFFICIENT_STORAGE, f"The server's disk does not take it: {error.strerror}."
            ) from error
        super().add_file(session_id, file._replace(data=b""))

    def take(self, session_id: str, file_id: str) -> SpooledFile | None:
        """Hand a file over to the caller, who discards it; None if it is not there."""
        super().remove_file(session_id, file_id)
        with self._guard:
            return self._spooled.get(session_id, {}).pop(file_id, None)

    def discard(self, file: SpooledFile) -> None:
        """Delete a file that was handed over."""
        with self._guard:
            self._waiting.discard(file)
        with suppress(OSError):
            file.path.unlink()

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Delete a file that the window removes."""
        if (file := self.take(session_id, file_id)) is not None:
            self.discard(file)

    def remove_session_files(self, session_id: str) -> None:
        """Delete the files of a window that is closed, except those handed over."""
        super().remove_session_files(session_id)
        with self._guard:
            left = self._spooled.pop(session_id, {})
        for file in left.values():
            self.discard(file)

    def _require_room(self, session_id: str, size: int) -> None:
        window = sum(each.size for each in self._waiting if each.window == session_id)
        everything = sum(each.size for each in self._waiting)
        if window + size > self._bounds[0] or everything + size > self._bounds[1]:
            raise HTTPException(
                INSUFFICIENT_STORAGE,
                "Too much is waiting to be received. Upload the rest when this is done.",
            )


def install(folder: Path) -> None:
    """Make Streamlit keep uploads in a folder; before its runtime is created."""

    def made(upload_endpoint: str) -> UploadSpool:
        return UploadSpool(upload_endpoint, folder)

    setattr(memory_uploaded_file_manager, MemoryUploadedFileManager.__name__, made)


def take_over(files: Iterable[StreamlitFile]) -> Sequence[UploadedFile]:
    """Take uploaded files over from their window, so that they are read from disk when needed."""
    context = get_script_run_ctx()
    spool = context.uploaded_file_mgr if context else None
    if context is None or not isinstance(spool, UploadSpool):
        return list(files)
    found = [spool.take(context.session_id, file.file_id) for file in files]
    return [file for file in found if file is not None]


def _write(path: Path, data: bytes) -> None:
    """Write a private file; nothing is flushed, because nothing has been acknowledged."""
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        file.write(data)


def _forget(folder: Path) -> None:
    """Delete what a killed server left."""
    for left in folder.iterdir():
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - FORGET_SECONDS:
                left.unlink()
