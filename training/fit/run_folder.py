"""The folder of a training run: it belongs to one recipe, seed and data folder."""

import json
from collections.abc import Mapping
from pathlib import Path

from cxr_app.errors import SettingsError
from cxr_app.jobs.recipe_schema import Recipe

RECORD = "run.json"


def claim_folder(out: Path, recipe: Recipe, sources: Mapping[str, str]) -> None:
    """Record what a run trains, and on which films; a run that is resumed finds the same there.

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
    text = json.dumps({"recipe": recipe.as_document()} | dict(sources), indent=1)
    path = out / RECORD
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    # Not compared as text: older versions wrote whole numbers of a recipe without ".0".
    elif json.loads(path.read_text(encoding="utf-8")) != json.loads(text):
        raise SettingsError(
            f"{out} holds a run of another recipe, seed or data folder. Give another --out."
        )
