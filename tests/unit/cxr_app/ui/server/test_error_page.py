"""An unexpected error is reported without its message, except in debug mode."""

import logging

import pytest
from streamlit import error_util
from streamlit.testing.v1 import AppTest

from cxr_app.errors import WorklistError
from cxr_app.ui import recovery
from cxr_app.ui.server import error_page

NAME = "Quuxlove"


def fault() -> ValueError:
    """Return an error whose message, and that of its cause, quote a name."""
    known: dict[str, int] = {}
    with pytest.raises(ValueError, match=NAME) as caught:  # noqa: PT012 - it must have a cause
        try:
            known[NAME]
        except KeyError as cause:
            raise ValueError(f"cannot convert {NAME}") from cause
    return caught.value


@pytest.mark.filterwarnings("ignore")
def test_an_error_of_a_page_reaches_the_log_without_its_message(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        error_util.handle_user_script_exception(fault(), error_page.show_error)
    printed = "".join(capfd.readouterr())
    assert "A page failed unexpectedly" in caplog.text
    assert "test_error_page.py" in caplog.text
    assert f"convert {NAME}" not in caplog.text + printed


def test_an_error_that_a_user_can_act_on_keeps_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error_page.show_error(WorklistError("The disk is full. Make room."))
    assert "The disk is full" in caplog.text


def stopped(number: int) -> None:
    from cxr_app import errors
    from cxr_app.ui.server import error_page

    name = ("WorklistError", "AuditError", "ShortageError", "NotPermittedError", "JobError")[number]
    error_page.show_error(getattr(errors, name)("Something is wrong"))


@pytest.mark.parametrize(("number", "passes"), [(0, 1), (1, 1), (2, 1), (3, 0), (4, 0)])
def test_only_a_trouble_that_may_pass_is_said_to_be_tried_again(number: int, passes: int) -> None:
    app = AppTest.from_function(stopped, args=(number,)).run()
    assert [box.value for box in app.error] == ["Something is wrong"]
    assert [caption.value for caption in app.caption] == [error_page.AGAIN] * passes
    assert (recovery.STOPPED in app.session_state) == bool(passes)


def page() -> None:
    from cxr_app.ui.server import error_page

    error_page.show_error(ValueError("Quuxlove"))


def test_a_page_shows_that_it_failed() -> None:
    app = AppTest.from_function(page).run()
    assert [box.value for box in app.error] == [error_page.UNEXPECTED]
    assert not app.exception


def test_in_debug_mode_the_page_and_the_log_show_the_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CXR_DEBUG", "1")
    app = AppTest.from_function(page).run()
    assert [box.value for box in app.error] == [error_page.UNEXPECTED]
    assert [box.value for box in app.exception] == [NAME]
    assert f"ValueError: {NAME}" in caplog.text
