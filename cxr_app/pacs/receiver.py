"""The receiver of films: a DICOM server for C-STORE and C-ECHO, in a process of its own.

    python -m cxr_app.pacs.receiver

The app starts and watches one if `CXR_DICOM_PORT` is set; it can run alone, too. Films are kept and
entered here; the engine of the app, which takes the worklist for its queue, scores them.
"""

import sys
import threading
from contextlib import closing

from cxr_app.audit.log import AuditLog
from cxr_app.errors import SettingsError
from cxr_app.film_store import FilmStore
from cxr_app.jobs.companion_program import run_until_stopped
from cxr_app.operations.opening import open_worklist
from cxr_app.pacs.store_server import StoreServer
from cxr_app.settings import Settings

LOCK_SECONDS = 5
"""Time to wait for a locked database: peers give up after 10 seconds and must have an answer."""


def main(arguments: list[str] | None = None) -> int:
    """Receive films until told to stop; return 0, or 1 if the port cannot be had, 2 for usage."""
    return run_until_stopped(
        receive,
        module="cxr_app.pacs.receiver",
        purpose="Receive films by C-STORE into the worklist, as CXR_DICOM_PORT and the other "
        "settings say.",
        arguments=arguments,
    )


def receive(settings: Settings, stop: threading.Event) -> None:
    """Serve until `stop` is set, then let films in flight finish."""
    if settings.dicom_port is None:
        raise SettingsError("CXR_DICOM_PORT is not set: choose the port, for example 11112.")
    with (
        closing(open_worklist(settings, lock_timeout=LOCK_SECONDS)) as worklist,
        closing(AuditLog.of(settings)) as audit,
    ):
        server = StoreServer(settings, worklist, FilmStore(settings.films_dir), audit)
        server.start()
        stop.wait()
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
