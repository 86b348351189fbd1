"""A file beside the folders of `training` is a command: its parser, and `main`."""

import ast
from pathlib import Path

import pytest

import training

COMMANDS = sorted(Path(training.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_defines_its_parser_and_main_and_nothing_else(path: Path) -> None:
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    defined = {each.name for each in statements if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    assert "main" in defined
    assert defined <= {"main", "_parser", "_request"}
