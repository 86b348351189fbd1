"""The documents are true and complete: every setting, every command, every link."""

import re
import tomllib
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from cxr_app.settings import PROJECT, Settings
from tests.floors import PICTURE, draw, imports

DOCUMENTS = {
    str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8")
    for path in sorted(
        [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("weights/*.md")]
    )
}
ALL = "\n".join(DOCUMENTS.values())
SETTINGS = DOCUMENTS["docs/administration.md"]
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")

COMMANDS = ("make app", "streamlit run app.py", "pip install -r requirements.txt")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def modules() -> list[str]:
    """Return every module of training that can be run."""
    return sorted(
        path.stem
        for path in (PROJECT / "training").glob("*.py")
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    )


def default_text(field: FieldInfo) -> str:
    """Write a setting's default as the table does."""
    if isinstance(field.default, Path):
        return f"`{field.default.relative_to(PROJECT)}`"
    return f"`{field.default}`" if field.default not in {"", None} else ""


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_guide_lists_the_setting(name: str) -> None:
    field = Settings.model_fields[name]
    cells = [f"`CXR_{name.upper()}`", default_text(field), field.description or ""]
    rows = [line for line in SETTINGS.splitlines() if line.startswith("|")]
    assert cells in [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]


def test_no_document_names_a_setting_that_is_gone() -> None:
    named = set(re.findall(r"\bCXR_([A-Z_]+[A-Z])\b", ALL))
    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_shows_the_command(command: str) -> None:
    assert command in DOCUMENTS["README.md"]


@pytest.mark.parametrize("name", modules())
def test_a_document_shows_the_command(name: str) -> None:
    assert f"python -m training.{name}" in ALL


def test_no_document_shows_a_command_that_is_gone() -> None:
    for package, name in re.findall(r"python -m ((?:training|tests|cxr_app)[\w.]*)\.(\w+)", ALL):
        assert (PROJECT / package.replace(".", "/") / f"{name}.py").is_file(), name
    for target in re.findall(r"\bmake (\w+)(?:  +\S|`)", ALL):
        assert f"\n{target}:" in MAKEFILE, target


@pytest.mark.parametrize(
    ("document", "target"),
    [
        (name, target)
        for name, text in DOCUMENTS.items()
        for target in sorted(set(LINK.findall(text)))
    ],
)
def test_links_lead_to_what_is_there(document: str, target: str) -> None:
    assert (PROJECT / document).parent.joinpath(target).exists()


def test_named_files_of_the_program_are_there() -> None:
    """Names like `imaging/intake.py` are written from the top, from cxr_app or from cxr_app/ui."""
    for text in (DOCUMENTS["docs/architecture.md"], DOCUMENTS["docs/streamlit.md"]):
        for name in re.findall(r"`([\w/.]+(?:/|\.py|\.js|\.mjs))`", text):
            places = [PROJECT, PROJECT / "cxr_app", PROJECT / "cxr_app" / "ui"]
            assert any((place / name).exists() for place in places), name


def test_the_threat_model_names_tests_that_are_there() -> None:
    model = DOCUMENTS["docs/operations.md"].partition("## Threat model")[2]
    named = re.findall(r"`(tests/[\w/.]+)`", model)
    assert len(named) == model.count("\n| ") - 1
    for name in named:
        assert (PROJECT / name).is_file(), name


def test_every_folder_is_described() -> None:
    for package in ("cxr_app", "training"):
        for folder in (PROJECT / package).iterdir():
            if (folder / "__init__.py").exists():
                assert f"`{package}/{folder.name}/`" in DOCUMENTS["docs/architecture.md"], folder


def test_the_picture_of_the_floors_is_true() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(imports()), "python -m tests.floors"


def test_readme_is_short_and_lines_are() -> None:
    assert len(DOCUMENTS["README.md"].splitlines()) <= 200
    long = [line for line in DOCUMENTS["CHANGELOG.md"].splitlines() if len(line) > 120]
    assert not long


def test_the_newest_release_is_the_version_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    releases = re.findall(r"^## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d$", DOCUMENTS["CHANGELOG.md"], re.M)
    assert releases[0] == project["version"]
