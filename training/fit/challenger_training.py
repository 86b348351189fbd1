"""Retraining: train a challenger, and compare it with the model in use on held-out films."""

import json
from pathlib import Path
from typing import Any

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import SettingsError
from cxr_app.film_store import make_private_folder
from cxr_app.jobs.retraining import CHECKPOINT, Challenger
from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier
from cxr_app.model.device import choose_device
from cxr_app.settings import Settings
from training.data.holdout import Side, read_side
from training.data.tested_films import UsedFilms
from training.fit.recipe import Recipe
from training.fit.recipe_training import epochs_of, train
from training.fit.retrain_plan import FILMS, RUN, RetrainPlan, RetrainRequest, plan_of
from training.fit.retrain_progress import RetrainProgress
from training.fit.trainer import TrainingRun
from training.measure.acceptance import challenge

COMPARISON = "comparison.json"


def retrain(
    request: RetrainRequest,
    recipe: Recipe,
    settings: Settings,
    device: str,
    progress: RetrainProgress,
) -> dict[str, Any]:
    """Choose the films, train and compare; steps that are done already are not repeated.

    Returns
    -------
    dict
        The comparison, as ``comparison.json`` has it.
    """
    make_private_folder(request.out)
    plan = plan_of(request, settings, recipe, progress.on_read)
    progress.start(epochs_of(recipe), plan.counts, done=len(Challenger(request.out).epochs()))
    folder = request.out / RUN
    if not (folder / "metrics.json").exists():
        run = TrainingRun(folder, settings.cache_dir, device, on_epoch=progress.on_epoch)
        train(recipe, request.out / FILMS, run)
    progress.on_comparison()
    comparison = _compare(plan, request.out, device, UsedFilms(settings.data_dir))
    document = json.dumps(comparison, indent=1, allow_nan=False)
    atomic_write(request.out / COMPARISON, document)
    return comparison


def _compare(plan: RetrainPlan, out: Path, device: str, used: UsedFilms) -> dict[str, Any]:
    """Compare both models on the held-out films, and record that these were used."""
    in_use = checkpoint.load(Path(plan.checkpoint))
    if in_use.sha256 != plan.sha256:
        raise SettingsError(
            "The file of the model in use has changed since this run began, so it is unknown which "
            "films that model was trained on. Start another run."
        )
    own = checkpoint.load(out / RUN / CHECKPOINT)
    held_out = read_side(out / FILMS, Side.COMPARE)
    used.add("compared", (one.sha256 for one in held_out))
    chosen = choose_device(device)
    comparison = challenge(
        Classifier(in_use, chosen), Classifier(own, chosen), [one.film for one in held_out]
    )
    models = {"in_use_sha256": in_use.sha256, "challenger_sha256": own.sha256}
    return {**comparison, **models, "counts": dict(plan.counts), "unknown": plan.unknown}
