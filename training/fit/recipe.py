"""Recipe files by name: everything that decides how a network is trained."""

import tomllib
from pathlib import Path
from typing import Any

from cxr_app.errors import SettingsError
from cxr_app.jobs.recipe_list import PROJECT_RECIPES, read_recipe_file
from cxr_app.jobs.recipe_schema import Recipe, Stage

__all__ = ["PROJECT_RECIPES", "Recipe", "Stage", "published", "read_recipe"]


def read_recipe(name: str, **overrides: Any) -> Recipe:
    """Read a recipe by its name or by the path of a TOML file.

    Parameters
    ----------
    overrides
        Values that replace those of the file.

    Raises
    ------
    SettingsError
        If there is no such recipe, or if it has an unknown key or an impossible value.
    """
    return read_recipe_file(_path_of(name), **overrides)


def published(name: str) -> dict[str, float]:
    """Return the figures that the author of a recipe's network reported; empty if unknown."""
    try:
        text = _path_of(name).read_text(encoding="utf-8")
    except SettingsError:
        return {}
    figures: dict[str, float] = tomllib.loads(text).get("published", {})
    return figures


def _path_of(name: str) -> Path:
    """Return the path of a recipe's file."""
    path = Path(name) if name.endswith(".toml") else PROJECT_RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(recipe.stem for recipe in PROJECT_RECIPES.glob("*.toml")))
        raise SettingsError(
            f"There is no recipe {name!r}. Choose one of {known}, or give the path of a .toml file."
        )
    return path
