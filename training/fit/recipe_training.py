"""Training a recipe from its films to its checkpoint, in a folder that can be resumed."""

import json
import logging
from pathlib import Path

import torch

from cxr_app.freed_memory import keep_freed_memory
from cxr_app.model import networks
from cxr_app.model.architectures import PARTS_READ, copies
from training.fit import distributed
from training.fit.crop_training.crop_run import train_lung_crop
from training.fit.export import export
from training.fit.recipe import Recipe
from training.fit.resume_state import EpochRecords
from training.fit.run_data import load_run_data, measured_input, write_split
from training.fit.run_folder import claim_folder, refuse_other_run
from training.fit.trainer import TrainingRun, best_of, fit

logger = logging.getLogger(__name__)


def epochs_of(recipe: Recipe) -> int:
    """Return how many epochs a training of this recipe has, those of all its networks together."""
    return recipe.epochs * copies(recipe.architecture)


def train(recipe: Recipe, data: Path, run: TrainingRun) -> None:
    """Train, tune and measure a recipe; write all results to the folder of the run.

    Parameters
    ----------
    data
        Folder or manifest of the labelled films.

    Raises
    ------
    TrainingDataError
        If the films cannot be used; the message names the first that cannot.
    SettingsError
        If that folder holds a run of another recipe, or several processes would train one that
        needs one.
    """
    keep_freed_memory()
    if recipe.architecture in PARTS_READ:
        distributed.refuse_several(recipe.name)
        train_lung_crop(recipe, data, run)
        return
    fabric = distributed.set_up(run.device, exact=run.exact)
    fabric.launch()  # joins the other processes, if there are any
    with distributed.first_process_first(fabric):  # the others find the cache filled
        sources = _sources(data, run.extra_films)
        refuse_other_run(run.out, recipe, sources)  # before films are decoded for minutes
        films = load_run_data(recipe, data, run.extra_films, run.cache)
        claim_folder(run.out, recipe, sources)
    if fabric.is_global_zero:
        write_split(run.out / "split.csv", films)
    spec = measured_input(films, recipe)
    records: EpochRecords = ()
    trained = []
    for member in recipe.members:
        records = fit(fabric, member, films, spec, run, records)
        if fabric.is_global_zero:
            trained.append(best_of(member, run.out))
    if not fabric.is_global_zero:
        return
    model = networks.join(trained)
    model = model.to(fabric.device).to(memory_format=torch.channels_last).eval()
    metrics = export(model, recipe, films, spec, run.out)
    logger.info("%s", json.dumps(metrics, indent=1))


def _sources(data: Path, extra: Path | None) -> dict[str, str]:
    """Return the folders of the films, by their role."""
    folders = {"data": data} | ({"further": extra} if extra else {})
    return {role: str(folder.resolve()) for role, folder in folders.items()}
