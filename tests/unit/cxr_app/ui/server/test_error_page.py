"""What the program did not foresee is written down without its words."""

import logging

import pytest
from streamlit import error_util
from streamlit.testing.v1 import AppTest

from cxr_app.errors import WorklistError, fault_trace
from cxr_app.ui.server import error_page

NAME = "Quuxlove"


def fault() -> ValueError:
    """Meet a fault whose words, and those of its cause, name a patient."""
    known: dict[str, int] = {}
    with pytest.raises(ValueError, match=NAME) as caught:  # noqa: PT012 - it must have a cause
        try:
            known[NAME]
        except KeyError as cause:
            raise ValueError(f"cannot convert {NAME}") from cause
    return caught.value


def test_where_names_places_and_types_and_no_words() -> None:
    told = fault_trace(fault())
    assert "test_error_page.py" in told
    assert "KeyError" in told
    assert "ValueError" in told
    assert f"cannot convert {NAME}" not in told


@pytest.mark.filterwarnings("ignore")
def test_a_fault_of_a_page_reaches_the_log_without_its_words(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        error_util.handle_user_script_exception(fault(), error_page.show_error)
    printed = "".join(capfd.readouterr())
    assert "A page failed unexpectedly" in caplog.text
    assert "test_error_page.py" in caplog.text
    assert f"convert {NAME}" not in caplog.text + printed


def test_what_a_person_can_act_on_keeps_its_words(caplog: pytest.LogCaptureFixture) -> None:
    error_page.show_error(WorklistError("The disk is full. Make room."))
    assert "The disk is full" in caplog.text


def test_a_page_says_that_it_failed() -> None:
    def page() -> None:
        from cxr_app.ui.server import error_page

        error_page.show_error(ValueError("Quuxlove"))

    app = AppTest.from_function(page).run()
    assert [box.value for box in app.error] == [error_page.UNEXPECTED]
