"""The folder of a training run: it belongs to one recipe, seed and data folder."""

import json
from collections.abc import Mapping
from pathlib import Path

from cxr_app.errors import SettingsError
from cxr_app.jobs.recipe_schema import Recipe

RECORD = "run.json"


def refuse_other_run(out: Path, recipe: Recipe, sources: Mapping[str, str]) -> None:
    """Refuse a folder that belongs to another run; one that holds none may be used.

    Parameters
    ----------
    out
        Folder of the run.
    sources
        Folders of the films, by their role.

    Raises
    ------
    SettingsError
        If the folder belongs to another run.
    """
    path = out / RECORD
    # Not compared as text: older versions wrote whole numbers of a recipe without ".0".
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != json.loads(
        _record(recipe, sources)
    ):
        raise SettingsError(
            f"{out} holds a run of another recipe, seed or data folder. Give another --out."
        )


def claim_folder(out: Path, recipe: Recipe, sources: Mapping[str, str]) -> None:
    """Record what a run trains, and on which films; a run that is resumed finds the same there.

    To be called with films that were read: a folder with a record takes no other run, and whoever
    mistyped the films' folder must be able to give another.

    Parameters
    ----------
    out, sources
        As in `refuse_other_run`.

    Raises
    ------
    SettingsError
        If the folder belongs to another run.
    """
    refuse_other_run(out, recipe, sources)
    out.mkdir(parents=True, exist_ok=True)
    path = out / RECORD
    if not path.exists():
        path.write_text(_record(recipe, sources), encoding="utf-8")


def _record(recipe: Recipe, sources: Mapping[str, str]) -> str:
    """Return what belongs into the record of a run."""
    return json.dumps({"recipe": recipe.as_document()} | dict(sources), indent=1)
