"""Reports of uncaught exceptions: without messages, except to a developer."""

import logging
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_app import log_privacy

NAME = "Quuxlove^Zebedea"
CRASH = f"""
from cxr_app import log_privacy

log_privacy.hide_messages(at_terminal={{at_terminal}})
raise LookupError("nothing for " + {NAME[::-1]!r}[::-1])
"""
"""Program whose error quotes a name, backwards because a traceback may show the source line."""


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide messages, and restore the hooks of the process afterwards."""
    factory = logging.getLogRecordFactory()
    for place, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(place, name, getattr(place, name))
    log_privacy.hide_messages()
    yield
    logging.setLogRecordFactory(factory)


def look_up() -> None:
    try:
        int(NAME)
    except ValueError as error:
        raise LookupError(f"nothing for {NAME}") from error


class FailsWhenDeleted:
    def __del__(self) -> None:
        look_up()


def in_the_process() -> None:
    try:
        look_up()
    except LookupError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def in_a_thread() -> None:
    thread = threading.Thread(target=look_up)
    thread.start()
    thread.join()


def in_a_destructor() -> None:
    FailsWhenDeleted()


def in_a_log() -> None:
    handler = logging.StreamHandler()
    logger = logging.getLogger("another library")
    logger.addHandler(handler)
    try:
        look_up()
    except LookupError:
        logger.exception("A request failed")
    logger.removeHandler(handler)


def in_a_child_process() -> None:
    try:
        look_up()
    except LookupError as error:
        log_privacy.report_fault(error)


FAULTS = [in_the_process, in_a_thread, in_a_destructor, in_a_log, in_a_child_process]


@pytest.mark.usefixtures("hidden")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_is_reported_without_its_message(
    fault: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(fault)
    fault()
    printed = capsys.readouterr().err
    assert "in look_up" in printed
    assert "LookupError" in printed
    assert "ValueError" in printed
    assert NAME not in printed


@pytest.mark.usefixtures("hidden")
def test_an_error_that_is_itself_the_message_is_its_type(caplog: pytest.LogCaptureFixture) -> None:
    """As pynetdicom logs what fails."""
    caplog.set_level(logging.ERROR, "pynetdicom.dul")  # commands that are no server silence it
    try:
        look_up()
    except LookupError as error:
        logging.getLogger("pynetdicom.dul").exception(error)  # noqa: TRY401
    (record,) = caplog.records
    assert record.getMessage() == "LookupError"
    assert NAME not in caplog.text


def test_a_trace_has_places_and_types_of_an_error_and_its_cause_but_no_message() -> None:
    with pytest.raises(LookupError) as caught:
        look_up()
    trace = log_privacy.fault_trace(caught.value)
    assert "test_log_privacy.py" in trace
    assert "LookupError" in trace
    assert "ValueError" in trace
    assert NAME not in trace


@pytest.mark.parametrize("end", [SystemExit(2), KeyboardInterrupt(), None])
def test_a_normal_exit_is_no_error(
    end: BaseException | None, capsys: pytest.CaptureFixture[str]
) -> None:
    log_privacy.report_fault(end)
    assert capsys.readouterr().err == ""


def crash(project: Path, *, at_terminal: bool = False, debug: str = "", terminal: bool) -> str:
    """Run the program that crashes, and return what it prints on a terminal or into a pipe."""
    reading, writing = pty.openpty() if terminal else os.pipe()
    try:
        ended = subprocess.run(
            [sys.executable, "-c", CRASH.format(at_terminal=at_terminal)],
            cwd=project,
            env={**os.environ, "CXR_DEBUG": debug} if debug else None,
            stderr=writing,
            check=False,
        )
        assert ended.returncode == 1
        return os.read(reading, 1 << 16).decode()
    finally:
        os.close(writing)
        os.close(reading)


def test_a_command_shows_its_whole_error_at_a_terminal(project_root: Path) -> None:
    printed = crash(project_root, terminal=True)
    assert "Traceback" in printed
    assert f"LookupError: nothing for {NAME}" in printed


def test_a_command_hides_the_message_in_a_log_file(project_root: Path) -> None:
    printed = crash(project_root, terminal=False)
    assert "LookupError" in printed
    assert NAME not in printed


def test_a_server_hides_the_message_at_a_terminal_too(project_root: Path) -> None:
    printed = crash(project_root, at_terminal=True, terminal=True)
    assert "LookupError" in printed
    assert NAME not in printed


@pytest.mark.parametrize("at_terminal", [False, True])
def test_debug_mode_shows_the_whole_error(project_root: Path, at_terminal: bool) -> None:
    assert NAME in crash(project_root, at_terminal=at_terminal, debug="1", terminal=False)


def test_settings_that_cannot_be_read_hide_the_message(project_root: Path) -> None:
    printed = crash(project_root, debug="perhaps", terminal=False)
    assert "LookupError" in printed
    assert NAME not in printed


@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_report_for_a_log_has_the_message_only_in_debug_mode(
    debug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_DEBUG", debug)
    report = log_privacy.fault_report(LookupError(NAME))
    assert "LookupError" in report
    assert (NAME in report) is (debug == "1")
