"""What is written down of faults that nobody caught."""

import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from cxr_app import log_privacy

NAME = "Quuxlove^Zebedea"


@pytest.fixture(autouse=True)
def kept_out(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back afterwards what belongs to the whole process."""
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


class Careless:
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


def where_nobody_can_catch_it() -> None:
    Careless()


def in_a_log() -> None:
    handler = logging.StreamHandler()
    logger = logging.getLogger("somebody else's")
    logger.addHandler(handler)
    try:
        look_up()
    except LookupError:
        logger.exception("A request failed")
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "fault", [in_the_process, in_a_thread, where_nobody_can_catch_it, in_a_log]
)
def test_a_fault_is_told_without_its_words(
    fault: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(fault)
    fault()
    told = capsys.readouterr().err
    assert "in look_up" in told
    assert "LookupError" in told
    assert "ValueError" in told
    assert NAME not in told


@pytest.mark.parametrize("end", [SystemExit(2), KeyboardInterrupt(), None])
def test_an_end_in_good_order_is_no_fault(
    end: BaseException | None, capsys: pytest.CaptureFixture[str]
) -> None:
    log_privacy.report_fault(end)
    assert capsys.readouterr().err == ""
