from pathlib import Path


def test_no_page_is_refreshed_by_streamlits_own_timer(project_root: Path) -> None:
    """That timer can bring back a page which the reader is leaving, and leave the next one blank.

    It happened in two of ten openings of a film on a busy machine; `auto_refresh` explains why.
    """
    scripts = sorted((project_root / "cxr_app" / "ui").rglob("*.py"))

    assert scripts
    for script in scripts:
        if script.parent.name != "auto_refresh":
            assert "run_every" not in script.read_text(encoding="utf-8"), script.name
