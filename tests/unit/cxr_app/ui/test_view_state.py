"""The address holds the view, and a late request does not bring an old one back."""

from types import SimpleNamespace

import pytest

from cxr_app.ui import view_state


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The parameters of a browser's address; the session is new."""
    parameters: dict[str, str] = {}
    context = SimpleNamespace(cookies={})
    session = SimpleNamespace(query_params=parameters, session_state={}, context=context)
    monkeypatch.setattr(view_state, "st", session)
    return parameters


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr(view_state, "monotonic", lambda: now[0])
    return now


def test_a_change_reaches_the_address_without_what_goes_without_saying(
    browser: dict[str, str],
) -> None:
    view_state.change(state="all", flag="any", descending=True, page=1)
    assert browser == {"state": "all", "descending": "true"}
    view_state.change(state="unread", descending=False)
    assert browser == {}


def test_another_list_begins_at_its_first_page(browser: dict[str, str]) -> None:
    browser["page"] = "7"
    view_state.change(flag="flagged")
    assert view_state.page_number() == 1
    view_state.change(page=3)
    assert view_state.page_number() == 3
    assert view_state.query().flag == "flagged"


def test_a_request_from_before_the_change_does_not_undo_it(
    browser: dict[str, str], clock: list[float]
) -> None:
    view_state.change(sort="patient_age")
    browser.clear()  # a refresh that the browser sent before it heard of the change
    assert view_state.query().sort == "patient_age"
    clock[0] += view_state.STALE_SECONDS + 0.1
    assert view_state.query().sort == ""  # by now it is the reader who went back


def test_a_link_to_another_view_is_followed_at_once(
    browser: dict[str, str], clock: list[float]
) -> None:
    view_state.change(sort="patient_age")
    browser.clear()
    browser["state"] = "read"
    assert (view_state.query().state, view_state.query().sort) == ("read", "")
