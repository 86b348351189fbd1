"""The address holds the view, and a late request does not bring an old one back."""

from types import SimpleNamespace

import pytest

from cxr_app.ui import address


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The parameters of a browser's address; the session is new."""
    parameters: dict[str, str] = {}
    session = SimpleNamespace(query_params=parameters, session_state={})
    monkeypatch.setattr(address, "st", session)
    return parameters


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be moved by hand."""
    now = [100.0]
    monkeypatch.setattr(address, "monotonic", lambda: now[0])
    return now


def test_a_change_reaches_the_address_without_what_goes_without_saying(
    browser: dict[str, str],
) -> None:
    address.change(state="all", flag="any", descending=True, page=1)
    assert browser == {"state": "all", "descending": "true"}
    address.change(state="unread", descending=False)
    assert browser == {}


def test_another_list_begins_at_its_first_page(browser: dict[str, str]) -> None:
    browser["page"] = "7"
    address.change(flag="flagged")
    assert address.page_number() == 1
    address.change(page=3)
    assert address.page_number() == 3
    assert address.query().flag == "flagged"


def test_a_request_from_before_the_change_does_not_undo_it(
    browser: dict[str, str], clock: list[float]
) -> None:
    address.change(sort="patient_age")
    browser.clear()  # a refresh that the browser sent before it heard of the change
    assert address.query().sort == "patient_age"
    clock[0] += address.STALE_SECONDS + 0.1
    assert address.query().sort == ""  # by now it is the reader who went back


def test_a_link_to_another_view_is_followed_at_once(
    browser: dict[str, str], clock: list[float]
) -> None:
    address.change(sort="patient_age")
    browser.clear()
    browser["state"] = "read"
    assert (address.query().state, address.query().sort) == ("read", "")
