"""The README says what is there: every setting, every command, every file; and nothing else."""

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from cxr_app.settings import PROJECT, Settings

README = (PROJECT / "README.md").read_text(encoding="utf-8")

COMMANDS = ("make app", "make test", "streamlit run app.py", "pip install -r requirements.txt")


def commands() -> list[str]:
    """Give the contract's commands, and every module of training that can be run."""
    modules = sorted(
        path.stem
        for path in (PROJECT / "training").glob("*.py")
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    )
    return [*COMMANDS, *(f"python -m training.{name}" for name in modules)]


def default_text(field: FieldInfo) -> str:
    """Write a setting's default as the README does."""
    if isinstance(field.default, Path):
        return f"`{field.default.relative_to(PROJECT)}`"
    return f"`{field.default}`" if field.default != "" else ""


@pytest.mark.parametrize("name", Settings.model_fields)
def test_readme_lists_the_setting(name: str) -> None:
    field = Settings.model_fields[name]
    cells = [f"`CXR_{name.upper()}`", default_text(field), field.description or ""]
    assert cells in [[cell.strip() for cell in row.split("|")[1:-1]] for row in _table_rows()]


def test_readme_lists_no_setting_that_is_gone() -> None:
    named = set(re.findall(r"`CXR_(\w+)`", README))
    assert named == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("command", commands())
def test_readme_shows_the_command(command: str) -> None:
    assert command in README


def test_readme_shows_no_command_that_is_gone() -> None:
    for package, name in re.findall(r"python -m (training|tests\.browser)\.(\w+)", README):
        assert (PROJECT / package.replace(".", "/") / f"{name}.py").is_file()
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make (\w+)  +\S", README):
        assert f"\n{target}:" in makefile


def test_readme_maps_every_file_and_no_other() -> None:
    named = _mapped()
    missing = {path for path in named if not (PROJECT / path).exists()}
    assert not missing, f"on the README's map, but not there: {sorted(map(str, missing))}"
    unmapped = [path for path in _modules() if not _is_mapped(path, named)]
    assert not unmapped, f"missing on the README's map: {sorted(map(str, unmapped))}"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", README))))
def test_readme_links_to_what_is_there(target: str) -> None:
    assert (PROJECT / target).is_file()


def _table_rows() -> list[str]:
    return [line for line in README.splitlines() if line.startswith("|")]


def _modules() -> list[Path]:
    """Every Python file that has a name of its own."""
    files = [*PROJECT.glob("cxr_app/**/*.py"), *PROJECT.glob("training/**/*.py")]
    return [path.relative_to(PROJECT) for path in files if path.name != "__init__.py"]


def _mapped() -> set[Path]:
    """Read the map: one name a line, inside the folder that the indentation says."""
    found: set[Path] = set()
    folders: list[str] = []
    for line in README.split("## How it is built")[1].split("```")[1].strip().splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        found.add(Path(*folders[:depth], name))
        folders[depth:] = [name]
    return found


def _is_mapped(path: Path, named: set[Path]) -> bool:
    """Say whether a file is on the map, or in a folder that the map does not open."""
    if path in named:
        return True
    opened = {parent for other in named for parent in other.parents}
    return any(parent in named and parent not in opened for parent in path.parents)
