"""Preload links for the chunks of Streamlit that our pages need beyond its core.

Streamlit loads the script of each element type when the first such element is drawn, after our own
script has answered. With links in the page's head, they load together with the core. The files of a
chunk are listed in the manifest of Streamlit's build; without such a manifest or chunk, nothing is
preloaded and everything works as before.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

STATIC = Path(st.__file__).parent / "static"
MANIFEST = "manifest.json"
CORE = "index.html"
ELEMENTS = (
    "BidiComponent",
    "Button",
    "ButtonGroup",
    "Checkbox",
    "Html",
    "Metric",
    "Pagination",
    "TextInput",
)
"""Element types on the worklist and film pages; other pages load theirs when drawn."""

Chunks = Mapping[str, Mapping[str, Any]]


def links(static: Path = STATIC) -> str:
    """Return the tags that make the browser load and compile the chunks alongside the core."""
    try:
        files = _files(json.loads((static / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""  # another Streamlit version with another manifest
    return "".join(f'<link rel="modulepreload" crossorigin href="./{file}">' for file in files)


def _files(chunks: Chunks) -> list[str]:
    """Return the files of the elements that are not part of the core."""
    core = _with_imports(chunks, [CORE])
    wanted = [
        name
        for name, chunk in chunks.items()
        if chunk.get("isDynamicEntry") and chunk.get("name") in ELEMENTS
    ]
    return sorted(chunks[name]["file"] for name in _with_imports(chunks, wanted) - core)


def _with_imports(chunks: Chunks, names: list[str]) -> set[str]:
    """Return these chunks and all that they import, directly or not."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names.extend(chunks[name].get("imports", ()))
    return found
