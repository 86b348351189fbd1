"""A file that grows beyond the limit holds more than one noun and is split."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 400


def test_no_file_has_more_than_400_lines() -> None:
    files = (
        path
        for folder in ("cxr_app", "training", "tests")
        for kind in ("py", "js", "mjs")
        for path in (ROOT / folder).rglob(f"*.{kind}")
    )
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lengths) > 400
    assert not {path: lines for path, lines in lengths.items() if lines > MOST_LINES}
