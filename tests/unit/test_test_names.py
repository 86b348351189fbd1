"""The names of the tests: the same in every worker, and for a person to read."""

from collections.abc import Iterator

import pytest


def bytes_taken(item: pytest.Item) -> Iterator[bytes]:
    callspec = getattr(item, "callspec", None)
    for value in callspec.params.values() if callspec else ():
        if isinstance(value, bytes) and "\\x" in repr(value):  # others may be names, too
            yield value


def test_no_test_is_named_by_the_bytes_it_takes(request: pytest.FixtureRequest) -> None:
    named_so = [
        item.name
        for item in request.session.items
        for taken in bytes_taken(item)
        if repr(taken)[2:-1] in item.name
    ]
    assert not named_so
