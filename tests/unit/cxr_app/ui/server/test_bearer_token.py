"""The token of a request: its scheme in any case, behind any spaces, and nothing else."""

import pytest
from starlette.requests import Request

from cxr_app.ui.server.bearer_token import shows_token


def shows(value: str | None) -> bool:
    headers = [] if value is None else [(b"authorization", value.encode("latin-1"))]
    return shows_token(Request({"type": "http", "headers": headers}), "secret")


@pytest.mark.parametrize(
    "value", ["Bearer secret", "bearer secret", "BEARER secret", "bEaReR   secret "]
)
def test_a_token_is_taken_however_its_scheme_is_written(value: str) -> None:
    assert shows(value)


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer ", "secret", "Bearersecret"])
def test_a_request_without_a_token_shows_none(value: str | None) -> None:
    assert not shows(value)


@pytest.mark.parametrize(
    "value",
    ["Basic secret", "Bearer Secret", "Bearer secret secret", "Bearer\tsecret", "Bearer s\xe9cret"],
)
def test_another_token_or_scheme_is_not_taken(value: str) -> None:
    assert not shows(value)
