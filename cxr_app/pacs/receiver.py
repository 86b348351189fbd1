"""The receiver of films: a DICOM server for C-STORE and C-ECHO, in a process of its own.

    python -m cxr_app.pacs.receiver

The app starts and watches one if `CXR_DICOM_PORT` is set; it can run alone, too. Films are kept and
entered here; the engine of the app, which takes the worklist for its queue, scores them.
"""

import argparse
import logging
import sys
import threading
from contextlib import closing

from cxr_app import log_privacy
from cxr_app.audit.log import AuditLog
from cxr_app.errors import CxrError, SettingsError
from cxr_app.film_store import FilmStore
from cxr_app.operations.opening import open_worklist
from cxr_app.pacs.companion import USAGE
from cxr_app.pacs.stop_event import UNTIL_INPUT_ENDS, stop_event
from cxr_app.pacs.store_server import StoreServer
from cxr_app.settings import Settings

logger = logging.getLogger(__name__)

LOCK_SECONDS = 5
"""Time to wait for a locked database: peers give up after 10 seconds and must have an answer."""
STOPPED, FAILED = 0, 1


def main(arguments: list[str] | None = None) -> int:
    """Receive films until told to stop; return 0, or 1 if the port cannot be had, 2 for usage."""
    parser = argparse.ArgumentParser(
        prog="python -m cxr_app.pacs.receiver",
        description="Receive films by C-STORE into the worklist, as CXR_DICOM_PORT and the other "
        "settings say.",
    )
    parser.add_argument(
        UNTIL_INPUT_ENDS,
        action="store_true",
        help="stop when standard input ends, as it does if the program that started this one dies",
    )
    options = parser.parse_args(arguments)
    log_privacy.hide_messages()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    # Below a warning pynetdicom prints requests, and they name patients.
    logging.getLogger("cxr_app").setLevel(logging.INFO)
    stop = stop_event(until_input_ends=options.until_input_ends)
    try:
        return _receive(Settings.read(), stop)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except CxrError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


def _receive(settings: Settings, stop: threading.Event) -> int:
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
    return STOPPED


if __name__ == "__main__":
    sys.exit(main())
