"""The beginning of a text of any length, which is as much as an index of PostgreSQL can hold."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from cxr_app.worklist.column_types import AnyText

LONGEST = 400
"""Length of a beginning, in characters."""


class Beginning(FunctionElement[str]):
    """What a text is sorted by: its beginning on PostgreSQL, the whole on SQLite."""

    name = "beginning"
    type = AnyText()
    inherit_cache = True

    def __init__(self, whole: ColumnElement[str]) -> None:
        super().__init__(whole)


@compiles(Beginning)
def _whole(element: Beginning, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(Beginning, "postgresql")
def _first_letters(element: Beginning, compiler: SQLCompiler, **options: Any) -> str:
    return f"left({compiler.process(element.clauses, **options)}, {LONGEST})"
