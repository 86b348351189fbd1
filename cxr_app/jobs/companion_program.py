"""What every process that runs beside the server does around its work: see `companion`."""

import argparse
import logging
import threading
from collections.abc import Callable, Sequence

from cxr_app import log_privacy
from cxr_app.errors import CxrError, SettingsError
from cxr_app.freed_memory import keep_some_freed_memory
from cxr_app.imaging.parser_warnings import silence_warnings
from cxr_app.jobs.stop_event import UNTIL_INPUT_ENDS, stop_event
from cxr_app.json_log import write_json_log
from cxr_app.low_priority import yield_to_readers
from cxr_app.settings import Settings

Work = Callable[[Settings, threading.Event], None]

DONE, FAILED = 0, 1
USAGE = 2
"""Exit status of a process whose settings are wrong: it is not started again."""


def run_until_stopped(
    work: Work,
    *,
    module: str,
    purpose: str,
    arguments: Sequence[str] | None = None,
    on_input: Callable[[], None] | None = None,
) -> int:
    """Do the work until a signal ends this process, or the server that started it is gone.

    Parameters
    ----------
    work
        Called with the settings and an event that is set when it should end.
    module, purpose
        For the help of the command line.
    arguments
        By default those of the process.
    on_input
        Called when the server that started it writes to its standard input.

    Returns
    -------
    int
        Exit status: 0 when ended, `USAGE` for wrong settings, else 1.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=purpose)
    parser.add_argument(
        UNTIL_INPUT_ENDS,
        action="store_true",
        help="stop when standard input ends, as it does if the program that started this one dies",
    )
    options = parser.parse_args(arguments)
    yield_to_readers()
    keep_some_freed_memory()
    log_privacy.hide_messages()
    for library in ("pydicom", "pynetdicom"):
        silence_warnings(library)
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    # Below a warning pynetdicom prints requests, and they name patients.
    logging.getLogger("cxr_app").setLevel(logging.INFO)
    stop = stop_event(until_input_ends=options.until_input_ends, on_input=on_input)
    try:
        settings = Settings.read()
        write_json_log(settings.log_file)
        work(settings, stop)
    except CxrError as error:
        logging.getLogger(module).error("%s", error)  # noqa: TRY400 - the sentence is enough
        return USAGE if isinstance(error, SettingsError) else FAILED
    return DONE
