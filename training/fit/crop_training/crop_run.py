"""Training of the lung-crop network from its films to its checkpoint, in a resumable folder."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from cxr_app.evaluation import reference_scores
from cxr_app.jobs.recipe_schema import Recipe
from cxr_app.model.architectures import PARTS_READ
from cxr_app.model.classes import CLASSES
from cxr_app.model.description import Description
from cxr_app.model.device import choose_device
from cxr_app.model.networks.lung_crop import FILM_SIDE, LungCropNetwork
from cxr_app.model.networks.lung_unet import LungNetwork
from cxr_app.model.preprocessing import InputSpec
from cxr_app.model.screening import OLDEST
from cxr_app.settings import PROJECT
from training.data.anonymous import anonymous
from training.data.dataset import LabelledFilm, pixel_digests
from training.data.splits import counts_of, split
from training.fit.crop_training.adult_figures import UnseenAdults, measure_adults
from training.fit.crop_training.lesson_data import prepare
from training.fit.crop_training.lesson_films import (
    ADULTS,
    CHILDREN,
    COLLECTION,
    GROWN_UP,
    NORMAL,
    FilmTable,
    children_of,
    read_table,
)
from training.fit.crop_training.lesson_settings import LessonSettings
from training.fit.crop_training.member import CPU, MemberRun, fit_member
from training.fit.crop_training.population_calibration import calibrate
from training.fit.crop_training.shift_calibration import (
    PREVALENCE,
    ShiftedReadings,
    choose_points,
    heat_scale,
    read_films,
)
from training.fit.export import git_commit, write_checkpoint
from training.fit.run_folder import claim_folder, refuse_other_run
from training.fit.trainer import TrainingRun, write_records
from training.measure.figures import measure_figures

logger = logging.getLogger(__name__)

LUNGS = PROJECT / "weights" / "lungs.safetensors"
"""The shipped lung network, which every lung-crop network includes."""


def train_lung_crop(recipe: Recipe, data: Path, run: TrainingRun) -> None:
    """Train the members one after another, calibrate them together, and write the checkpoint.

    Parameters
    ----------
    data
        Folder or manifest of children's films.

    Raises
    ------
    TrainingDataError
        If the films cannot be used.
    SettingsError
        If the folder holds another run, or the device is not there.
    """
    device = _learning_device(run.device)
    refuse_other_run(run.out, recipe, _sources(run, data))  # before films are decoded for minutes
    table = read_table(data, run.adults, run.extra_films, run.cache, recipe.seed)
    claim_folder(run.out, recipe, _sources(run, data))
    lungs = shipped_lungs()
    lessons = prepare(table, lungs)
    network = LungCropNetwork(PARTS_READ[recipe.architecture])
    network.lung_network = lungs
    records: list[dict[str, Any]] = []

    def on_epoch(record: dict[str, Any]) -> None:
        records.append(record | {"epoch": len(records) + 1})
        write_records(run.out, records)
        run.on_epoch(records)

    for index, part in enumerate(network.reads):
        member = MemberRun(
            folder=run.out / f"member_{index}",
            recipe=replace(recipe, seed=recipe.seed + index),
            settings=LessonSettings(),
            fold=index,
            on_epoch=on_epoch,
            device=device,
        )
        network.members[index] = fit_member(lessons.of_part(part), member)
    network.eval().requires_grad_(requires_grad=False)
    fitted_on = calibrate(network, table, lessons.groups)
    metrics = export(network, fitted_on, recipe, table, data, run.out)
    logger.info("%s", json.dumps(metrics, indent=1))


def shipped_lungs() -> LungNetwork:
    """Read the lung network of the project, in single precision."""
    lungs = LungNetwork()
    lungs.load_state_dict({name: each.float() for name, each in load_file(LUNGS).items()})
    return lungs


def _learning_device(name: str) -> torch.device:
    """Return where members learn: MPS has not been tried with their batches."""
    device = choose_device(name)
    return CPU if device.type == "mps" else device


def export(
    network: LungCropNetwork,
    fitted_on: tuple[ShiftedReadings, UnseenAdults],
    recipe: Recipe,
    table: FilmTable,
    data: Path,
    out: Path,
) -> dict[str, Any]:
    """Choose points on the tune films, measure the validation films, write the checkpoint.

    Parameters
    ----------
    fitted_on
        What `calibrate` returned.
    data, out
        Folders of the children's films, and of the run.
    """
    children = table.sources == CHILDREN
    tune, validation = (
        np.flatnonzero(children & (table.parts == part)) for part in ("tune", "validation")
    )
    sick = table.targets[tune] > NORMAL
    readings = read_films(network, table.pixels[tune])
    shifted, unseen = fitted_on
    points = choose_points(network, shifted)
    threshold = points["balanced"].threshold
    scale = heat_scale(readings, sick, threshold)
    films = children_of(data)
    shown = [films[place] for place in validation]
    probabilities = read_films(network, table.pixels[validation]).probabilities
    metrics = measure_figures(probabilities, shown, threshold)
    metrics |= {"parameters": sum(each.numel() for each in network.parameters())}
    if adults := measure_adults(network, table, unseen, threshold, scale):
        metrics |= {"adults": adults}
    description = Description(
        name=recipe.name,
        architecture=recipe.architecture,
        input_spec=InputSpec(size=FILM_SIDE, mean=0.0, standard_deviation=1.0),
        temperature=1.0,
        operating_points=points,
        heat_scale=scale,
        classes=CLASSES,
        training_config=recipe.as_document(),
        metrics=metrics,
        data_summary=_summary(films, table, recipe.seed),
        git_commit=git_commit(),
        prevalence=PREVALENCE,
        ages=((1, 5), (GROWN_UP, OLDEST)) if ADULTS in table.sources else ((1, 5),),
    )
    path = out / "checkpoint.safetensors"
    version = write_checkpoint(path, network, description)
    scores = anonymous(
        probabilities, shown, model_version=version, data=data, partition="validation"
    )
    reference_scores.write(reference_scores.scores_path(path), scores)
    metrics |= {"model_version": version}
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    return metrics


def _summary(films: Sequence[LabelledFilm], table: FilmTable, seed: int) -> dict[str, Any]:
    """Count children's films by part and class, and those of adults and of the collection."""
    pixels = table.pixels[table.sources == CHILDREN]
    summary = dict(counts_of(films, split(films, pixel_digests(pixels), seed)))
    for name, source in (("adults", ADULTS), ("further", COLLECTION)):
        targets = table.targets[(table.sources == source) & (table.targets >= NORMAL)]
        normal = int((targets == NORMAL).sum())
        summary[name] = {"normal": normal, "pneumonia": len(targets) - normal}
    return summary


def _sources(run: TrainingRun, data: Path) -> dict[str, str]:
    """Return the folders of the films, by their role; empty if there is none."""
    folders = {"data": data, "adults": run.adults, "further": run.extra_films}
    return {role: str(folder.resolve()) if folder else "" for role, folder in folders.items()}
