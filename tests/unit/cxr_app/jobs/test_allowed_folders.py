"""Only folders that the settings allow, whatever a page sends."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_app.errors import FolderNotAllowedError
from cxr_app.jobs.allowed_folders import allowed_films, allowed_folder, offered_folders, outermost
from cxr_app.settings import Settings

PARTS = st.lists(
    st.sampled_from(["..", ".", "", "archive", "archive-2", "2026", "out", "~", "\0", "x" * 300]),
    max_size=8,
)

SETTING = "CXR_BACKLOG_FOLDERS"


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    """An archive with a folder and with links that lead in and out, and a neighbour beside it."""
    archive = tmp_path / "archive"
    (archive / "2026" / "chest").mkdir(parents=True)
    (tmp_path / "archive-2").mkdir()
    (archive / "in").symlink_to(archive / "2026")
    (archive / "out").symlink_to(tmp_path)
    (archive / "loop").symlink_to(archive / "loop")
    (archive / "film.dcm").touch()
    return [archive]


def test_a_root_and_what_is_below_it_are_allowed(roots: list[Path]) -> None:
    (root,) = roots
    assert allowed_folder(str(root), roots, SETTING) == root
    assert allowed_folder(f"  {root}/2026/chest/ ", roots, SETTING) == root / "2026" / "chest"
    assert allowed_folder(f"{root}/2026/../2026", roots, SETTING) == root / "2026"
    assert allowed_folder(f"{root}/in/chest", roots, SETTING) == root / "2026" / "chest"


@pytest.mark.parametrize(
    "below",
    ["/..", "/../archive-2", "-2", "/out", "/out/archive-2", "/loop", "/film.dcm", "/none", "/\0"],
)
def test_whatever_leads_elsewhere_is_refused(roots: list[Path], below: str) -> None:
    with pytest.raises(FolderNotAllowedError, match="not a folder below"):
        allowed_folder(str(roots[0]) + below, roots, SETTING)


@pytest.mark.parametrize("text", ["", ".", "2026", "~", "/"])
def test_what_is_no_whole_path_of_ours_is_refused(
    roots: list[Path], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(roots[0])
    with pytest.raises(FolderNotAllowedError):
        allowed_folder(text, roots, SETTING)


@given(PARTS)
def test_no_way_of_writing_leads_out(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    base = tmp_path_factory.getbasetemp() / "tree"
    for name in ("archive/2026", "archive-2"):
        (base / name).mkdir(parents=True, exist_ok=True)
    if not (base / "archive" / "out").is_symlink():
        (base / "archive" / "out").symlink_to(base)
    root = base / "archive"
    try:
        found = allowed_folder(os.path.join(str(root), *parts), [root], SETTING)  # noqa: PTH118
    except FolderNotAllowedError:
        return
    assert found == root or root in found.parents


def test_without_a_setting_none_is_allowed_and_the_sentence_says_which(tmp_path: Path) -> None:
    with pytest.raises(FolderNotAllowedError, match="CXR_BACKLOG_FOLDERS"):
        allowed_folder(str(tmp_path), [], SETTING)


def test_the_roots_and_what_is_right_below_are_offered(roots: list[Path], tmp_path: Path) -> None:
    (root,) = roots
    assert offered_folders([tmp_path / "not mounted", root]) == [root, root / "2026"]


def test_films_may_be_a_folder_or_a_manifest(roots: list[Path], tmp_path: Path) -> None:
    (root,) = roots
    (root / "films.csv").touch()
    (tmp_path / "films.csv").touch()
    assert allowed_films(f"{root}/films.csv", roots, SETTING) == root / "films.csv"
    assert allowed_films(f"{root}/2026", roots, SETTING) == root / "2026"
    for elsewhere in (f"{root}/film.dcm", f"{root}/../films.csv", f"{root}/none.csv"):
        with pytest.raises(FolderNotAllowedError, match="not a folder or a"):
            allowed_films(elsewhere, roots, SETTING)


def test_the_setting_holds_several_folders_and_each_is_a_whole_path(tmp_path: Path) -> None:
    text = os.pathsep.join([str(tmp_path), "", "/archive"])
    assert Settings.read(backlog_folders=text).backlog_roots == (tmp_path, Path("/archive"))


def test_what_lies_in_a_chosen_folder_is_not_chosen_again() -> None:
    chosen = ["/films/2026", "/films", "/films/2026/ward", "/films/labels.csv", "/films2", "/films"]
    assert outermost(chosen) == ["/films", "/films/labels.csv", "/films2"]
