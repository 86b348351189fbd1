"""Check that every public class and every module of the two packages has a name of its own.

Run as ``python -m tests.names``. A page is named as its URL and a migration by its number, so both
may share a name with another module; a package may have a main module of its own name.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("cxr_app", "training")
PAGES = ROOT / "cxr_app" / "ui" / "views"


def duplicates(root: Path = ROOT) -> list[str]:
    """Return one line for each name with two definitions, naming the places."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in _files(root):
        place = str(path.relative_to(root))
        if path.parent != PAGES and path.stem != path.parent.name:
            places["module", path.parent.name if path.stem == "__init__" else path.stem] += [place]
        for name, line in _types(ast.parse(path.read_text(encoding="utf-8"))):
            places["class", name].append(f"{place}:{line}")
    return [
        f"{kind} {name}: {', '.join(found)}"
        for (kind, name), found in sorted(places.items())
        if len(found) > 1
    ]


def _files(root: Path) -> Iterator[Path]:
    """Yield the Python files of both packages, without migrations."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def _types(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the public classes and type aliases of a module, each with its line."""
    for statement in module.body:
        match statement:
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                if name[0].isupper() and not name.isupper():
                    yield name, statement.lineno


if __name__ == "__main__":
    sys.exit("\n".join(duplicates()) or None)
