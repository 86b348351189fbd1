"""Training of the lung-crop network from its films to its checkpoint, in a resumable folder."""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from cxr_app.errors import SettingsError
from cxr_app.evaluation import reference_scores
from cxr_app.jobs.recipe_schema import Recipe
from cxr_app.model.checkpoint import Description
from cxr_app.model.networks.base import CLASSES
from cxr_app.model.networks.lung_crop import FILM_SIDE, MEMBERS, LungCropNetwork
from cxr_app.model.networks.lung_unet import LungNetwork
from cxr_app.model.preprocessing import InputSpec
from cxr_app.settings import PROJECT
from training.data.anonymous import anonymous
from training.data.dataset import find_films
from training.fit.export import git_commit, write_checkpoint
from training.fit.lung_crop.calibration import calibrate, choose_points, heat_scale, read_films
from training.fit.lung_crop.film_table import CHILDREN, NORMAL, FilmTable, read_table
from training.fit.lung_crop.lesson_data import prepare
from training.fit.lung_crop.member import MemberRun, fit_member
from training.fit.lung_crop.settings import LessonSettings
from training.measure.figures import measure_figures

logger = logging.getLogger(__name__)

LUNGS = PROJECT / "weights" / "lungs.safetensors"
"""The shipped lung network, which every lung-crop network includes."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the films are.

    Parameters
    ----------
    data
        Children's films.
    adults, further
        Films of adults with ``labels.csv``; films of a collection; None for none.
    """

    data: Path
    adults: Path | None = None
    further: Path | None = None


def train(recipe: Recipe, sources: Sources, out: Path, cache: Path) -> dict[str, Any]:
    """Train the members one after another, calibrate them together, and write the checkpoint.

    Returns
    -------
    dict
        The figures on the validation films.

    Raises
    ------
    TrainingDataError
        If the films cannot be used.
    SettingsError
        If `out` holds another run.
    """
    torch.set_num_threads(max(1, torch.get_num_threads()))
    out.mkdir(parents=True, exist_ok=True)
    _check_folder(out, recipe, sources)
    table = read_table(sources.data, sources.adults, sources.further, cache, recipe.seed)
    lungs = LungNetwork()
    lungs.load_state_dict({name: each.float() for name, each in load_file(LUNGS).items()})
    data = prepare(table, lungs)
    network = LungCropNetwork()
    network.lung_network = lungs
    for index in range(MEMBERS):
        seeded = replace(recipe, seed=recipe.seed + index)
        run = MemberRun(out / f"member_{index}", seeded, LessonSettings())
        network.members[index] = fit_member(data, run)
    network.eval().requires_grad_(requires_grad=False)
    calibrate(network, table)
    metrics = export(network, recipe, table, sources, out)
    logger.info("%s", json.dumps(metrics, indent=1))
    return metrics


def export(
    network: LungCropNetwork, recipe: Recipe, table: FilmTable, sources: Sources, out: Path
) -> dict[str, Any]:
    """Choose points on the tune films, measure the validation films, write the checkpoint."""
    children = table.sources == CHILDREN
    tune, validation = (
        np.flatnonzero(children & (table.parts == part)) for part in ("tune", "validation")
    )
    sick = table.targets[tune] > NORMAL
    readings = read_films(network, table.pixels[tune])
    points = choose_points(readings, sick)
    threshold = points["balanced"].threshold
    films = find_films(sources.data)
    shown = [films[place] for place in validation]
    probabilities = read_films(network, table.pixels[validation]).probabilities
    metrics = measure_figures(probabilities, shown, threshold)
    metrics |= {"parameters": sum(each.numel() for each in network.parameters())}
    description = Description(
        name=recipe.name,
        architecture=recipe.architecture,
        input_spec=InputSpec(size=FILM_SIDE, mean=0.0, standard_deviation=1.0),
        temperature=1.0,
        operating_points=points,
        heat_scale=heat_scale(readings, sick, threshold),
        classes=CLASSES,
        training_config=recipe.as_document(),
        metrics=metrics,
        data_summary=_summary(table),
        git_commit=git_commit(),
    )
    path = out / "checkpoint.safetensors"
    version = write_checkpoint(path, network, description)
    scores = anonymous(
        probabilities, shown, model_version=version, data=sources.data, partition="validation"
    )
    reference_scores.write(reference_scores.scores_path(path), scores)
    metrics |= {"model_version": version}
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    return metrics


def _summary(table: FilmTable) -> dict[str, Any]:
    """Count films by source and part."""
    names = ("children", "adults", "collection")
    return {
        name: {
            part: int(((table.sources == source) & (table.parts == part)).sum())
            for part in ("train", "tune", "validation")
        }
        for source, name in enumerate(names)
    }


def _check_folder(out: Path, recipe: Recipe, sources: Sources) -> None:
    """Record what a run is of; refuse the folder of another run."""
    paths = {"data": sources.data, "adults": sources.adults, "further": sources.further}
    wanted = {"recipe": recipe.as_document()} | {
        name: str(path.resolve()) if path else "" for name, path in paths.items()
    }
    text = json.dumps(wanted, indent=1)
    record = out / "run.json"
    if not record.exists():
        record.write_text(text, encoding="utf-8")
    elif json.loads(record.read_text(encoding="utf-8")) != json.loads(text):
        raise SettingsError(
            f"{out} holds a run of another recipe, seed or data folder. Give another --out."
        )
