"""The recipes that a retraining may follow: those of the project, and those of the site."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_app.errors import JobError, SettingsError
from cxr_app.jobs.recipe_schema import Recipe, RecipeCost, parse_notes, parse_recipe
from cxr_app.model.architectures import ARCHITECTURES, copies, members
from cxr_app.settings import PROJECT, Settings

PROJECT_RECIPES = PROJECT / "training" / "recipes"
SHIPPED = "crop_and_film"
"""The recipe of the shipped checkpoint, and the default of a training."""


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """One recipe.

    Parameters
    ----------
    architecture
        Name of the network.
    epochs, size
        How often every film is shown, and the side of the films that the finished network reads.
    purpose, cost
        As `RecipeNotes` has them.
    """

    name: str
    path: Path
    architecture: str
    epochs: int
    size: int
    purpose: str = ""
    cost: RecipeCost | None = None


def recipes(settings: Settings) -> list[RecipeFile]:
    """Return the recipes that can be followed, the shipped one first."""
    found: list[RecipeFile] = []
    for path in _paths(settings):
        try:
            found.append(_recipe_file(path))
        except SettingsError:
            continue
    return sorted(found, key=lambda recipe: (recipe.name != SHIPPED, recipe.name))


def _recipe_file(path: Path) -> RecipeFile:
    recipe, notes = read_recipe_file(path), parse_notes(_text(path), path.name)
    return RecipeFile(
        path.stem,
        path,
        recipe.architecture,
        recipe.epochs * copies(recipe.architecture),
        recipe.size,
        notes.purpose,
        notes.cost,
    )


def refused_recipes(settings: Settings) -> list[str]:
    """Return why each of the other recipe files cannot be followed."""
    return [problem for path in _paths(settings) if (problem := _problem(path))]


def recipe_named(settings: Settings, name: str) -> RecipeFile:
    """Return the recipe of this name.

    Raises
    ------
    JobError
        If there is none, or if its file has an unknown key or an impossible value.
    """
    for recipe in recipes(settings):
        if recipe.name == name:
            return recipe
    for path in _paths(settings):
        if path.stem == name:
            raise JobError(_problem(path))
    raise JobError("There is no such recipe. Choose one from the list, or put its file back.")


def read_recipe_file(path: Path, **overrides: Any) -> Recipe:
    """Read and check a recipe file.

    Parameters
    ----------
    overrides
        Values that replace those of the file.

    Raises
    ------
    SettingsError
        If it cannot be read, has an unknown key or an impossible value, or names no network.
    """
    recipe = parse_recipe(_text(path), path.name, **overrides)
    _check_architecture(recipe, path.name)
    return recipe


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name} cannot be read as text. Check the file.") from error


def _check_architecture(recipe: Recipe, file_name: str) -> None:
    """Refuse an unknown network, and stages that leave a member of one untrained."""
    if recipe.architecture not in ARCHITECTURES:
        raise SettingsError(
            f"{file_name} has architecture = {recipe.architecture!r}; allowed are "
            f"{', '.join(ARCHITECTURES)}."
        )
    trained = tuple(member.architecture for member in recipe.members)
    wanted = members(recipe.architecture)
    if trained != wanted:
        raise SettingsError(
            f"The stages of {file_name} train {', '.join(trained)}; {recipe.architecture} is made "
            f"of {', '.join(wanted)}. Name the member that each stage trains by its key "
            "architecture."
        )


def _paths(settings: Settings) -> Iterator[Path]:
    """Yield the recipe files; one of the project hides one of the site with the same name."""
    names: set[str] = set()
    for folder in (PROJECT_RECIPES, settings.recipes_dir):
        for path in sorted(folder.glob("*.toml")):
            if path.stem not in names:
                names.add(path.stem)
                yield path


def _problem(path: Path) -> str:
    """Return why a recipe file cannot be followed; empty if it can."""
    try:
        _recipe_file(path)
    except SettingsError as error:
        return str(error)
    return ""
