"""What our pages need and the core lacks is announced, whatever the Streamlit."""

import json
import re
from pathlib import Path

import pytest

from cxr_app.ui.server import preload
from cxr_app.ui.server.preload import STATIC, links


def files_in(tags: str) -> list[str]:
    """What the tags have the browser bring."""
    return re.findall(r'<link rel="modulepreload" crossorigin href="\./([^"]+)">', tags)


def test_every_part_of_this_streamlit_is_announced_once_with_what_it_imports() -> None:
    files = files_in(links())
    assert len(files) == len(set(files))
    for file in files:
        assert (STATIC / file).is_file()
    for part in preload.ELEMENTS:
        assert any(Path(file).name.startswith(f"{part}.") for file in files), part
    core = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not [file for file in files if file in core]


def test_imports_of_imports_come_along_and_the_core_does_not(tmp_path: Path) -> None:
    chunks = {
        "index.html": {"file": "core.js", "imports": ["_shared.js"]},
        "_shared.js": {"file": "shared.js"},
        "_deep.js": {"file": "deep.js", "imports": ["_other.js", "index.html"]},
        "_other.js": {"file": "other.js", "imports": ["_deep.js"]},
        "Html.tsx": {
            "file": "html.js",
            "name": "Html",
            "isDynamicEntry": True,
            "imports": ["_deep.js", "_shared.js"],
        },
        "Snow.tsx": {"file": "snow.js", "name": "Snow", "isDynamicEntry": True},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(chunks), encoding="utf-8")
    assert files_in(links(tmp_path)) == ["deep.js", "html.js", "other.js"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"index.html": {"imports": ["x"]}}'])
def test_a_streamlit_that_lists_its_files_otherwise_is_left_as_it_is(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    assert links(tmp_path) == ""
