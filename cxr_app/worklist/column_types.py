"""Column types: values stored so that SQLite and PostgreSQL behave the same."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNWRITABLE = dict.fromkeys((0, *range(0xD800, 0xE000)), "\N{REPLACEMENT CHARACTER}")
"""NUL and lone surrogates (file names in an unknown encoding): no database or page accepts them."""


def writable(words: str) -> str:
    """Return words as they are stored: characters that cannot be written are replaced."""
    return words.translate(_UNWRITABLE)


class AnyText(TypeDecorator[str]):
    """Text of any content, sorted by code point on every database; empty text is stored as NULL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Return a type that PostgreSQL does not sort by the language of the server."""
        return Text(collation="C" if dialect.name == "postgresql" else None)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace characters that cannot be written."""
        return writable(value) if value else None


class FilePath(TypeDecorator[Path]):
    """A path, stored as the bytes of its name in the file system: exact in any encoding."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> bytes | None:
        """Encode as the file system does."""
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Path | None:
        """Decode as the file system does."""
        return None if value is None else Path(os.fsdecode(value))


class Moment(TypeDecorator[datetime]):
    """An aware time, stored as whole microseconds since 1970 in UTC.

    A whole number is exact, compares the same on SQLite and PostgreSQL, takes half the space of ISO
    text in an index, and does not depend on a session's time zone.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Count microseconds from the epoch, exactly: no floating point is involved."""
        return None if value is None else (value - EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return an aware time in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Sentences(TypeDecorator[tuple[str, ...]]):
    """Several sentences, stored as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """Store none as an empty list."""
        return json.dumps(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """Return a tuple."""
        return tuple(json.loads(value or "[]"))


class Parameters(TypeDecorator[dict[str, Any]]):
    """Plain values by name, stored as a JSON object in ASCII: paths of any encoding survive."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str:
        """Store none as an empty object."""
        return json.dumps(value or {}, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any]:
        """Return a dictionary."""
        return dict(json.loads(value or "{}"))


RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""Type of a primary key: SQLite counts up only if its type is INTEGER."""
