"""Train a recipe on labelled films.

    python -m training.train --data DIR --recipe resnet18 --out RUN_DIR

RUN_DIR gets ``checkpoint.safetensors``, ``metrics.json``, ``epochs.jsonl`` and ``curves.csv``.
The same command again goes on after the last whole epoch.
"""

import argparse
import csv
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.nn import functional

from cxr_app import checkpoint
from cxr_app.classifier import choose_device
from cxr_app.errors import CxrError, SettingsError
from cxr_app.preprocessing import InputSpec
from cxr_app.settings import Settings
from training import engine
from training.dataset import decode, find_films, pixel_digests
from training.finish import RunData, finish, pneumonia_of
from training.metrics import auroc
from training.recipe import Recipe, read_recipe
from training.splits import split

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for data, usage or settings that cannot be used."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        overrides = {} if options.seed is None else {"seed": options.seed}
        recipe = read_recipe(options.recipe, **overrides)
        settings = Settings.read()
        device = options.device or settings.device
        train(recipe, options.data, options.out, cache=settings.data_dir / "cache", device=device)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument("--recipe", default="resnet18", help="a name, or the path of a .toml file")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    devices = ("auto", "cuda", "mps", "cpu")
    parser.add_argument("--device", choices=devices, help="where to train; default: CXR_DEVICE")
    return parser


def train(recipe: Recipe, data: Path, out: Path, *, cache: Path, device: str = "auto") -> None:
    """Train, tune and measure; write everything into `out`.

    Raises
    ------
    TrainingDataError
        If the films cannot be used; the message names the first that cannot.
    SettingsError
        If `out` holds a run of another recipe.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, recipe, data)
    fabric = _fabric(device)
    films = _load(recipe, data, cache)
    _write_manifest(out / "split.csv", films, data)
    spec = _input_spec(films, recipe)
    _fit(fabric, recipe, films, spec, out)
    model = engine.load_network(recipe.architecture, out / "best.safetensors", fabric.device)
    metrics = finish(model, recipe, films, spec, out)
    logger.info("%s", json.dumps(metrics, indent=1))


def _claim(out: Path, recipe: Recipe, data: Path) -> None:
    """Make sure that a run folder holds one run: the same recipe on the same data, or nothing."""
    wanted = {"recipe": recipe.as_document(), "data": str(data.resolve())}
    document = json.dumps(wanted, indent=1)
    path = out / "run.json"
    if path.exists() and path.read_text(encoding="utf-8") != document:
        raise SettingsError(
            f"{out} holds a run of another recipe, seed or data folder. Give another --out."
        )
    path.write_text(document, encoding="utf-8")


def _fabric(device: str) -> Fabric:
    """Set up the device; half precision where the hardware is made for it."""
    accelerator = choose_device(device).type
    if accelerator == "cuda":
        return Fabric(accelerator=accelerator, devices=1, precision="bf16-mixed")
    return Fabric(accelerator=accelerator, devices=1, precision="32-true")


def _load(recipe: Recipe, data: Path, cache: Path) -> RunData:
    """Find, decode and split the films."""
    films = find_films(data)
    pixels = {size: decode(films, size, cache) for size in sorted({s.size for s in recipe.stages})}
    parts = split(films, pixel_digests(pixels[recipe.size]), recipe.seed)
    logger.info(
        "%d films: %d train, %d tune, %d validation",
        len(films), len(parts.train), len(parts.tune), len(parts.validation),
    )  # fmt: skip
    targets = np.array([film.class_index for film in films], dtype=np.int64)
    return RunData(films, pixels, targets, parts)


def _write_manifest(path: Path, data: RunData, root: Path) -> None:
    """Write down which film was used for what."""
    partition = {
        int(index): name
        for name in ("train", "tune", "validation")
        for index in getattr(data.split, name)
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "target", "cause", "patient_id", "partition"))
        for index, film in enumerate(data.films):
            name = film.path.relative_to(root) if root.is_dir() else film.path
            row = (name, film.target, film.cause, film.patient_id, partition.get(index, "unused"))
            writer.writerow(row)


def _input_spec(data: RunData, recipe: Recipe) -> InputSpec:
    """Measure the grey values of the train films."""
    smallest = data.pixels[min(data.pixels)]
    grey = smallest[data.split.train].astype(np.float32) / 255
    return InputSpec(recipe.size, mean=float(grey.mean()), standard_deviation=float(grey.std()))


def _fit(fabric: Fabric, recipe: Recipe, data: RunData, spec: InputSpec, out: Path) -> None:
    """Run the epochs that are left; keep the best weights of the last stage as they come."""
    steps = engine.steps_in_epoch(len(data.split.train), recipe.batch_size)
    learner = engine.begin(fabric, recipe, spec, steps * recipe.epochs)
    lines = _resume(learner, out, steps)
    first_of_last_stage = recipe.epochs - recipe.stages[-1].epochs
    for epoch in range(len(lines), recipe.epochs):
        line = _epoch(learner, data, epoch)
        measured = [entry for entry in lines if entry["epoch"] > first_of_last_stage]
        best = min((entry["tune_loss"] for entry in measured), default=float("inf"))
        if epoch >= first_of_last_stage and line["tune_loss"] < best:
            _save_best(out, learner)
        lines.append(line)
        engine.save_state(out / "state.safetensors", learner, lines)
        _write_lines(out, lines)
        left = (recipe.epochs - epoch - 1) * line["seconds"]
        logger.info("%s, about %.0f min left", json.dumps(line), left / 60)
        if _is_stuck([entry["tune_loss"] for entry in (*measured, line)], recipe.patience):
            break


def _resume(learner: engine.Learner, out: Path, steps: int) -> list[dict[str, Any]]:
    """Go back to the last whole epoch of an interrupted run, if there is one."""
    state = out / "state.safetensors"
    if not state.exists():
        return []
    lines = engine.read_lines(state)  # not from epochs.jsonl, which may be an epoch behind
    engine.load_state(state, learner, steps * len(lines))
    _write_lines(out, lines)
    logger.info("Going on after epoch %d", len(lines))
    return lines


def _epoch(learner: engine.Learner, data: RunData, epoch: int) -> dict[str, Any]:
    """Train one epoch and see what it did to the tune films."""
    began = time.monotonic()
    size = learner.recipe.size_at(epoch)
    films = data.pixels[size]
    loss = engine.train_epoch(learner, films, data.targets, data.split.train, epoch)
    logits = engine.logits_of(learner.averaged, films, data.split.tune, learner.spec)
    targets = data.targets[data.split.tune]
    return {
        "epoch": epoch + 1,
        "size": size,
        "learning_rate": learner.scheduler.get_last_lr()[0],
        "train_loss": loss,
        "tune_loss": float(functional.cross_entropy(logits, torch.from_numpy(targets))),
        "tune_auroc": auroc(pneumonia_of(logits), targets > 0),
        "seconds": round(time.monotonic() - began, 1),
    }


def _save_best(out: Path, learner: engine.Learner) -> None:
    """Keep the averaged weights, rounded as the checkpoint will hold them."""
    weights = checkpoint.rounded(learner.averaged)
    engine.save_weights(out / "best.safetensors", weights)


def _write_lines(out: Path, lines: list[dict[str, Any]]) -> None:
    """Write the epochs as JSON lines and as CSV."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (out / "epochs.jsonl").write_text(text, encoding="utf-8")
    with (out / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def _is_stuck(losses: list[float], patience: int) -> bool:
    """Say whether the last `patience` epochs brought nothing better."""
    return len(losses) > patience and min(losses[-patience:]) > min(losses[:-patience])


if __name__ == "__main__":
    sys.exit(main())
