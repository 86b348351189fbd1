"""A forwarded address counts only from a proxy that the settings name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from cxr_app.access_settings import networks
from cxr_app.ui.client_address import client_address, forwarded_address

PROXIES = networks("10.1.0.0/16, 127.0.0.1, ::1")


def address(peer: str, *forwarded: str, port: int = 4000, proxies: str = "10.1.0.0/16") -> str:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    scope = {"type": "http", "client": (peer, port), "headers": headers}
    return client_address(HTTPConnection(scope), networks(proxies))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", ("203.0.113.1",), "192.0.2.7"),  # nobody's proxy
        ("10.1.0.1", (), "10.1.0.1"),
        ("10.1.0.1", ("203.0.113.1",), "203.0.113.1"),
        ("10.1.0.1", ("1.1.1.1, 203.0.113.1",), "203.0.113.1"),  # the first is the client's word
        ("10.1.0.1", ("1.1.1.1", "203.0.113.1"), "203.0.113.1"),
        ("10.1.0.1", ("203.0.113.1, 10.1.0.2",), "203.0.113.1"),  # two proxies
        ("10.1.0.1", ("<script>",), "10.1.0.1"),
        ("::ffff:10.1.0.1", ("2001:db8::1",), "2001:db8::1"),
    ],
)
def test_the_last_address_that_is_no_proxys_counts(
    peer: str, forwarded: tuple[str, ...], expected: str
) -> None:
    assert address(peer, *forwarded) == expected


def test_a_program_on_this_computer_is_believed_if_it_is_named() -> None:
    assert address("203.0.113.1", port=0, proxies="127.0.0.1") == "203.0.113.1"
    assert address("203.0.113.1", port=0) == "127.0.0.1"


@given(st.text(max_size=40), st.ip_addresses(v=4))
def test_a_stranger_is_who_it_is_whatever_it_says(said: str, peer: object) -> None:
    assert forwarded_address(str(peer), said, ()) == str(peer)
