"""Train a recipe on labelled films.

    python -m training.train --data DIR --recipe resnet18 --out RUN_DIR

RUN_DIR gets ``checkpoint.safetensors``, ``metrics.json``, ``epochs.jsonl`` and ``curves.csv``.
The same command again goes on after the last whole epoch.
"""

import argparse
import csv
import json
import logging
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cxr_app import checkpoint
from cxr_app.checkpoint import Description
from cxr_app.classifier import choose_device, class_activation_map, log_odds
from cxr_app.errors import CxrError, SettingsError, TrainingDataError
from cxr_app.network import CLASSES, GlobalAveragePoolingNetwork
from cxr_app.preprocessing import InputSpec
from cxr_app.settings import PROJECT, Settings
from training import engine
from training.calibration import fit_temperature, operating_points
from training.dataset import Films, LabelledFilm, decode, find_films, pixel_digests
from training.metrics import auroc
from training.recipe import Recipe, read_recipe
from training.report import measure
from training.splits import FOLDS, Split, split

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Data:
    """The labelled films of a run, decoded at every size that the recipe needs."""

    films: list[LabelledFilm]
    pixels: dict[int, Films]
    targets: NDArray[np.int64]
    split: Split


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
    parser.add_argument("--device", choices=("auto", "cuda", "mps", "cpu"), help="default: CXR_DEVICE")
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
    _finish(recipe, films, spec, out, fabric.device)


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
    precision = "bf16-mixed" if accelerator == "cuda" else "32-true"
    return Fabric(accelerator=accelerator, devices=1, precision=precision)


def _load(recipe: Recipe, data: Path, cache: Path) -> Data:
    """Find, decode and split the films."""
    films = find_films(data)
    pixels = {size: decode(films, size, cache) for size in sorted({s.size for s in recipe.stages})}
    parts = split(films, pixel_digests(pixels[recipe.size]), recipe.seed)
    logger.info(
        "%d films: %d train, %d tune, %d validation",
        len(films), len(parts.train), len(parts.tune), len(parts.validation),
    )  # fmt: skip
    targets = np.array([film.class_index for film in films], dtype=np.int64)
    return Data(films, pixels, targets, parts)


def _write_manifest(path: Path, data: Data, root: Path) -> None:
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


def _input_spec(data: Data, recipe: Recipe) -> InputSpec:
    """Measure the grey values of the train films."""
    smallest = data.pixels[min(data.pixels)]
    grey = smallest[data.split.train].astype(np.float32) / 255
    return InputSpec(recipe.size, mean=float(grey.mean()), standard_deviation=float(grey.std()))


def _fit(fabric: Fabric, recipe: Recipe, data: Data, spec: InputSpec, out: Path) -> None:
    """Run the epochs that are left; keep the best weights of the last stage as they come."""
    steps = engine.steps_in_epoch(len(data.split.train), recipe.batch_size)
    learner = engine.begin(recipe, steps * recipe.epochs, fabric.device)
    lines = _resume(learner, out, steps)
    first_of_last_stage = recipe.epochs - recipe.stages[-1].epochs
    for epoch in range(len(lines), recipe.epochs):
        line = _epoch(fabric, learner, recipe, data, spec, epoch)
        measured = [entry for entry in lines if entry["epoch"] > first_of_last_stage]
        best = min((entry["tune_loss"] for entry in measured), default=float("inf"))
        if epoch >= first_of_last_stage and line["tune_loss"] < best:
            _save_best(out, learner)
        lines.append(line)
        engine.save_state(out / "state.safetensors", learner, {"epochs": len(lines)})
        _write_lines(out, lines)
        left = (recipe.epochs - epoch - 1) * line["seconds"]
        logger.info("%s, about %.0f min left", json.dumps(line), left / 60)
        if _is_stuck([entry["tune_loss"] for entry in (*measured, line)], recipe.patience):
            break


def _resume(learner: engine.Learner, out: Path, steps: int) -> list[dict[str, Any]]:
    """Go back to the last whole epoch of an interrupted run, if there is one."""
    path, state = out / "epochs.jsonl", out / "state.safetensors"
    if not state.exists():
        return []
    done = int(engine.read_progress(state)["epochs"])
    text = path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()][:done]
    engine.load_state(state, learner, steps * len(lines))
    logger.info("Going on after epoch %d", len(lines))
    return lines


def _epoch(
    fabric: Fabric, learner: engine.Learner, recipe: Recipe, data: Data, spec: InputSpec, epoch: int
) -> dict[str, Any]:
    """Train one epoch and see what it did to the tune films."""
    began = time.monotonic()
    films = data.pixels[recipe.size_at(epoch)]
    loss = engine.train_epoch(
        fabric, learner, films, data.targets, data.split.train, recipe, spec, epoch
    )
    logits = engine.logits_of(learner.averaged, films, data.split.tune, spec)
    targets = data.targets[data.split.tune]
    return {
        "epoch": epoch + 1,
        "size": recipe.size_at(epoch),
        "learning_rate": learner.scheduler.get_last_lr()[0],
        "train_loss": loss,
        "tune_loss": float(functional.cross_entropy(logits, torch.from_numpy(targets))),
        "tune_auroc": auroc(_pneumonia(logits), targets > 0),
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


def _finish(
    recipe: Recipe, data: Data, spec: InputSpec, out: Path, device: torch.device
) -> None:
    """Calibrate on the tune films, measure on the validation films, and write the checkpoint."""
    model = engine.load_network(recipe.architecture, out / "best.safetensors", device)
    films, tune = data.pixels[recipe.size], data.split.tune
    logits = engine.logits_of(model, films, tune, spec)
    targets = torch.from_numpy(data.targets[tune])
    temperature = fit_temperature(logits, targets)
    points = operating_points(_pneumonia(logits / temperature), data.targets[tune] > 0)
    description = Description(
        name=recipe.name,
        architecture=recipe.architecture,
        input_spec=spec,
        temperature=temperature,
        operating_points=points,
        heat_scale=1.0,
        training_config=recipe.as_document(),
        data_summary=_summary(data),
        git_commit=_git_commit(),
    )
    scale = _heat_scale(model, films, tune[data.targets[tune] > 0], description)
    metrics = _validate(model, data, description)
    finished = replace(description, heat_scale=scale, metrics=metrics)
    sha256 = checkpoint.save(
        out / "checkpoint.safetensors", checkpoint.rounded(model), finished
    )
    metrics = metrics | {"model_version": f"{recipe.name}-{sha256[:8]}"}
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
    logger.info("%s", json.dumps(metrics, indent=1))


def _validate(
    model: GlobalAveragePoolingNetwork, data: Data, description: Description
) -> dict[str, Any]:
    """Measure on the films that nothing was chosen on."""
    part = data.split.validation
    logits = engine.logits_of(model, data.pixels[description.input_spec.size], part, description.input_spec)
    probabilities = (logits.double() / description.temperature).softmax(dim=1).numpy()
    return measure(
        probabilities,
        [data.films[index] for index in part],
        description.operating_points["balanced"].threshold,
    )


def _heat_scale(
    model: GlobalAveragePoolingNetwork,
    films: Films,
    chosen: NDArray[np.intp],
    description: Description,
) -> float:
    """Find the evidence that gets the full colour: the median peak of tune films with pneumonia."""
    threshold = description.operating_points["balanced"].threshold
    peaks = []
    for start in range(0, len(chosen), 64):
        batch = engine.to_batch(films[chosen[start : start + 64]], next(model.parameters()).device)
        with torch.inference_mode():
            features = model.features(engine.normalise(batch, description.input_spec))
            logits = model.classify(features)
            evidence = class_activation_map(features, logits, model.linear.weight)
        centred = evidence - evidence.mean(dim=(1, 2), keepdim=True)
        offset = log_odds(logits / description.temperature) - float(np.log(threshold / (1 - threshold)))
        peaks.append((centred / description.temperature + offset[:, None, None]).amax(dim=(1, 2)))
    return float(torch.cat(peaks).median())


def _pneumonia(logits: Tensor) -> NDArray[np.float64]:
    """Turn logits ``(n, 3)`` into probabilities of pneumonia ``(n,)``."""
    probabilities: NDArray[np.float64] = (1 - logits.double().softmax(dim=1)[:, 0]).numpy()
    return probabilities


def _summary(data: Data) -> dict[str, Any]:
    """Count films and patients by part and class."""
    summary: dict[str, Any] = {"films": len(data.films), "folds": FOLDS}
    for name in ("train", "tune", "validation"):
        part = getattr(data.split, name)
        counts = np.bincount(data.targets[part], minlength=len(CLASSES))
        summary[name] = {
            **dict(zip(CLASSES, (int(count) for count in counts), strict=True)),
            "patients": len({data.films[index].patient_id for index in part}),
        }
    return summary


def _git_commit() -> str:
    """Name the commit of the program; empty outside a repository."""
    command = ["git", "-C", str(PROJECT), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed command
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
