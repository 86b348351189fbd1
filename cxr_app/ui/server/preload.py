"""The parts of Streamlit that our pages need beyond its core, announced to the browser at once.

Streamlit has the browser bring the script of each kind of element when the first of that kind is
to be drawn, which is when our own script has answered. Announced in the page's head, they come
beside the core. What a part is made of stands in the list that Streamlit's build leaves beside its
files; where a Streamlit has no such list or part, nothing is announced and all works as before.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

STATIC = Path(st.__file__).parent / "static"
LIST = "manifest.json"
CORE = "index.html"
PARTS = (
    "BidiComponent",
    "Button",
    "ButtonGroup",
    "Checkbox",
    "Html",
    "Metric",
    "Pagination",
    "TextInput",
)
"""Those of the worklist and of an opened film; what other pages need besides comes when they do."""

Chunks = Mapping[str, Mapping[str, Any]]


def announcement(static: Path = STATIC) -> str:
    """Write the tags that have the browser bring the parts, and compile them, beside the core."""
    try:
        files = _files(json.loads((static / LIST).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""  # another Streamlit, which lists its files otherwise
    return "".join(f'<link rel="modulepreload" crossorigin href="./{file}">' for file in files)


def _files(chunks: Chunks) -> list[str]:
    """Give the files of the parts that do not come with the core."""
    core = _with_imports(chunks, [CORE])
    wanted = [
        name
        for name, chunk in chunks.items()
        if chunk.get("isDynamicEntry") and chunk.get("name") in PARTS
    ]
    return sorted(chunks[name]["file"] for name in _with_imports(chunks, wanted) - core)


def _with_imports(chunks: Chunks, names: list[str]) -> set[str]:
    """Give these chunks and all that they import, directly or not."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names.extend(chunks[name].get("imports", ()))
    return found
