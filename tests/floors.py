"""Draw the floors of the program from its imports: `docs/floors.svg`.

    python -m tests.floors

A box is a folder, or a file beside the folders; a line leads down to what it imports, and is left
out if other lines lead there too. Drawn as one box: the files that everything may import, and the
commands of `training`.
"""

import sys
from html import escape

import grimp

from cxr_app.settings import PROJECT

PICTURE = PROJECT / "docs" / "floors.svg"
PACKAGES = ("cxr_app", "training")

Imports = dict[str, set[str]]
"""What each box imports, by name."""

BOX, ROW, GAP, MARGIN = (132, 36), 92, 22, 28
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#1d242c;text-anchor:middle}"
    "rect{fill:#e8ebef;stroke:#8796a5}.training{fill:#dcebe6}line{stroke:#8796a5}</style>"
)


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(draw(imports()), encoding="utf-8")
    print(f"{PICTURE} written.")
    return 0


def imports() -> Imports:
    """Read which box imports which, from the modules' own import statements."""
    graph = grimp.build_graph(*PACKAGES)
    modules = sorted(graph.modules - set(PACKAGES))
    found: Imports = {_box(module): set() for module in modules}
    for module in modules:
        for imported in graph.find_modules_directly_imported_by(module) - set(PACKAGES):
            found[_box(module)].add(_box(imported))
    return {box: below - {box} for box, below in found.items()}


def draw(found: Imports) -> str:
    """Draw boxes in rows: each above all that it imports."""
    rows: dict[int, list[str]] = {}
    for box in sorted(found):
        rows.setdefault(_height(box, found), []).append(box)
    width = 2 * MARGIN + max(map(len, rows.values())) * (BOX[0] + GAP) - GAP
    places: dict[str, tuple[float, float]] = {}
    for height, row in rows.items():
        left = (width - len(row) * (BOX[0] + GAP) + GAP) / 2
        top = MARGIN + (max(rows) - height) * ROW
        places |= {box: (left + at * (BOX[0] + GAP), top) for at, box in enumerate(row)}
    size = f'viewBox="0 0 {width} {2 * MARGIN + max(rows) * ROW + BOX[1]}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>The floors of the program: what imports what</title>",
            f'{STYLE}<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>',
            *(_line(places[box], places[below]) for box, below in _lines(found)),
            *(_rectangle(box, *places[box]) for box in sorted(places)),
            "</svg>",
            "",
        ]
    )


def _box(module: str) -> str:
    """Return the box of a module: its folder, or what its file is drawn as."""
    package, name = module.split(".")[:2]
    folder = PROJECT / package / name
    if folder.is_dir():
        return f"{package}/{name}"
    return "commands" if package == "training" else _ground_floor(name)


def _ground_floor(name: str) -> str:
    higher = {"admin", "examined", "promotion", "retention", "priority", "film_store", "recall"}
    higher |= {"scoring", "scoring_engine", "scoring_process", "scoring_program"}
    return f"cxr_app/{name}" if name in higher else "errors, settings ..."


def _height(box: str, found: Imports) -> int:
    return 1 + max((_height(below, found) for below in found[box]), default=-1)


def _lines(found: Imports) -> list[tuple[str, str]]:
    """List who imports whom, less what is reached through another import too."""
    return [
        (box, below)
        for box in sorted(found)
        for below in sorted(found[box] - {far for near in found[box] for far in _all(near, found)})
    ]


def _all(box: str, found: Imports) -> set[str]:
    return found[box] | {far for below in found[box] for far in _all(below, found)}


def _line(above: tuple[float, float], below: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = above, below
    middle = BOX[0] / 2
    return f'<line x1="{x1 + middle:g}" y1="{y1 + BOX[1]:g}" x2="{x2 + middle:g}" y2="{y2:g}"/>'


def _rectangle(box: str, x: float, y: float) -> str:
    part = "training" if box.startswith(("training", "commands")) else "cxr_app"
    name = escape(box.removeprefix("cxr_app/").removeprefix("training/"))
    return (
        f'<rect class="{part}" x="{x:g}" y="{y:g}" width="{BOX[0]}" height="{BOX[1]}" rx="5"/>'
        f'<text x="{x + BOX[0] / 2:g}" y="{y + 23:g}">{name}</text>'
    )


if __name__ == "__main__":
    sys.exit(main())
