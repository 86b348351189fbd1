"""No page changes or exports anything except in a function that asks who may."""

import ast
from collections.abc import Iterator
from pathlib import Path

from cxr_app.audit.event import AuditKind
from cxr_app.settings import PROJECT

UI = PROJECT / "cxr_app" / "ui"
WORKLIST = PROJECT / "cxr_app" / "worklist"

OTHERS = {"submit", "resume", "cancel", "promote", "propose", "go_back", "save_template"}
OTHERS |= {"confirm_clock", "discard", "echo", "check_film_source"}
"""What changes something, or calls another machine, and is not a method of the worklist."""
NO_ACTION = {"masking_key", "receive", "claim", "release", "enter"}
"""Writes that belong to opening a film or to uploading one, which the page's own line allows."""
NOT_PAGES = {"upload_queue.py", "stow_route.py", "upload_spool.py", "resources.py"}
"""Films on their way in: their routes are guarded. Threads of the server."""


def writing_methods() -> set[str]:
    """Return the public methods of the worklist that open a writing transaction."""
    found = set()
    for path in WORKLIST.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                opened = (each for each in ast.walk(node) if isinstance(each, ast.Attribute))
                if any(each.attr == "writing" for each in opened):
                    found.add(node.name)
    return found - NO_ACTION


def is_guarded(function: ast.AST) -> bool:
    decorators = getattr(function, "decorator_list", [])
    return any(
        isinstance(each, ast.Call) and ast.unparse(each.func).endswith("guarded")
        for each in decorators
    )


def unguarded(path: Path, names: set[str]) -> Iterator[str]:
    """Yield where something is changed outside every guarded function."""

    def visit(node: ast.AST, guarded: bool) -> Iterator[str]:
        guarded = guarded or is_guarded(node)
        if isinstance(node, ast.Attribute) and node.attr in names and not guarded:
            owner = ast.unparse(node.value)
            if any(word in owner for word in ("worklist", "supervisor", "retention", "challenger")):
                yield f"{path.name}:{node.lineno} {owner}.{node.attr}"
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if is_call and node.func.id in OTHERS and not guarded:  # type: ignore[attr-defined]
            yield f"{path.name}:{node.lineno} {ast.unparse(node)}"  # type: ignore[attr-defined]
        for child in ast.iter_child_nodes(node):
            yield from visit(child, guarded)

    return visit(ast.parse(path.read_text()), False)


def test_what_changes_something_asks_who_may() -> None:
    names = writing_methods() | OTHERS
    assert {"add", "take_back", "mark_read", "give", "dismiss", "undo", "retry"} <= names
    found = [
        each
        for path in sorted(UI.rglob("*.py"))
        if path.name not in NOT_PAGES
        for each in unguarded(path, names)
    ]
    assert not found, "put @guarded(Permission. ...) above these, see cxr_app/permissions.py"


def test_what_is_downloaded_asks_who_may() -> None:
    buttons = [
        node
        for path in sorted(UI.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".download_button")
    ]
    assert buttons
    for button in buttons:
        given = ast.unparse(button.args[1])
        assert given.startswith("exporting(Permission."), given


def test_an_action_about_a_film_names_it_to_the_audit() -> None:
    about_films = {"REVIEW", "ATTEST", "HAND_OVER", "LOOK_IN_ARCHIVE"}
    names: dict[str, str] = {}
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and is_guarded(node):
                guard = ast.unparse(node.decorator_list[0])
                if any(f"Permission.{each})" in guard for each in about_films):
                    first = node.args.args[0].arg if node.args.args else ""
                    names[f"{path.name}:{node.name}"] = first
    assert {"handover_panel.py:_write_note", "marks_panel.py:_take_back"} <= names.keys()
    unnamed = [
        each for each, name in names.items() if name not in ("entry", "entry_id", "entry_ids")
    ]
    assert not unnamed, "let the film be the first argument, by the name entry, entry_id, entry_ids"


def test_every_kind_of_event_is_recorded_somewhere() -> None:
    folders = (PROJECT / "cxr_app", PROJECT / "app.py")
    files = [
        each
        for folder in folders
        for each in (folder.rglob("*.py") if folder.is_dir() else [folder])
    ]
    text = "".join(path.read_text() for path in files if path.parent.name != "audit")
    assert not [kind for kind in AuditKind if f"AuditKind.{kind.name}" not in text]
