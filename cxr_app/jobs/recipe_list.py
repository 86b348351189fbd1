"""The recipes that a retraining may follow: those of the project, and those of the site."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from cxr_app.errors import JobError
from cxr_app.settings import PROJECT, Settings

OURS = PROJECT / "training" / "recipes"
SHIPPED = "resnet18_two_scales"
"""The recipe of the shipped checkpoint, which a training follows unless it is told another."""


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """One recipe.

    Parameters
    ----------
    architecture
        The name of the network.
    epochs, size
        How often every film is seen, and the side of the films that the network reads in the end.
    """

    name: str
    path: Path
    architecture: str
    epochs: int
    size: int


def recipes(settings: Settings) -> list[RecipeFile]:
    """List the recipes, ours first; a file that is none is left out."""
    found: dict[str, RecipeFile] = {}
    for folder in (OURS, settings.recipes_dir):
        for path in sorted(folder.glob("*.toml")):
            recipe = _read(path)
            if recipe is not None:
                found.setdefault(recipe.name, recipe)
    return sorted(found.values(), key=lambda recipe: (recipe.name != SHIPPED, recipe.name))


def recipe_named(settings: Settings, name: str) -> RecipeFile:
    """Find a recipe.

    Raises
    ------
    JobError
        If there is none of this name.
    """
    for recipe in recipes(settings):
        if recipe.name == name:
            return recipe
    raise JobError("There is no such recipe. Choose one from the list.")


def _read(path: Path) -> RecipeFile | None:
    """Read what a page says of a recipe; the command that follows it reads the rest."""
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
        stages = recipe["stages"]
        epochs = sum(int(stage["epochs"]) for stage in stages)
        size = int(stages[-1]["size"])
        return RecipeFile(path.stem, path, str(recipe["architecture"]), epochs, size)
    except (OSError, LookupError, TypeError, ValueError):
        return None
