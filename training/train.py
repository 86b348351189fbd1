"""Train a recipe on labelled films.

    python -m training.train --data DIR [--recipe NAME] --out RUN_DIR

RUN_DIR gets ``checkpoint.safetensors``, ``metrics.json``, ``epochs.jsonl`` and ``curves.csv``.
The same command again goes on after the last whole epoch. On several GPUs, or several machines:

    torchrun --nproc-per-node 2 -m training.train --data DIR --recipe NAME --out RUN_DIR
"""

import argparse
import csv
import json
import logging
import sys
from pathlib import Path

import numpy as np
import torch

from cxr_app import log_privacy
from cxr_app.errors import CxrError, SettingsError
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.model import networks
from cxr_app.model.preprocessing import InputSpec
from cxr_app.settings import Settings
from training.data import extra_films
from training.data.dataset import decode, find_films, pixel_digests
from training.data.splits import split
from training.fit import distributed
from training.fit.export import RunData, finish
from training.fit.malloc import keep_freed_memory
from training.fit.recipe import Recipe, read_recipe
from training.fit.trainer import EpochRecords, TrainingRun, best_of, fit

logger = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 for data, usage or settings that cannot be used."""
    options = _parser().parse_args(arguments)
    level = logging.INFO if distributed.is_first() else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    try:
        overrides = {} if options.seed is None else {"seed": options.seed}
        if options.random_initialisation:
            overrides["initialisation"] = "random"
        recipe = read_recipe(options.recipe, **overrides)
        settings = Settings.read()
        device = options.device or settings.device
        cache = settings.cache_dir
        train(
            recipe,
            options.data,
            TrainingRun(options.out, cache, device, options.exact, options.further),
        )
    except CxrError as error:
        if distributed.is_first():
            print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="Kaggle-layout folder or manifest")
    parser.add_argument(
        "--further",
        type=Path,
        metavar="DIR",
        help="also learn from films from elsewhere, in subfolders NORMAL and PNEUMONIA or COVID-19",
    )
    parser.add_argument("--recipe", default=SHIPPED, help="a name, or the path of a .toml file")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument(
        "--random-initialisation",
        action="store_true",
        help="start from random weights also where the recipe wants ImageNet's",
    )
    devices = ("auto", "cuda", "mps", "cpu")
    parser.add_argument("--device", choices=devices, help="where to train; default: CXR_DEVICE")
    parser.add_argument(
        "--exact", action="store_true", help="single precision, also where half would be faster"
    )
    return parser


def train(recipe: Recipe, data: Path, run: TrainingRun) -> None:
    """Train, tune and measure; write everything into the folder of the run.

    Raises
    ------
    TrainingDataError
        If the films cannot be used; the message names the first that cannot.
    SettingsError
        If that folder holds a run of another recipe.
    """
    keep_freed_memory()
    out = run.out
    fabric = distributed.set_up(run.device, exact=run.exact)
    fabric.launch()  # joins the other processes, if there are any
    with distributed.first_alone(fabric):  # the others find the cache that the first has filled
        out.mkdir(parents=True, exist_ok=True)
        _claim(out, recipe, data, run.further)
        films = _load(recipe, data, run)
    if fabric.is_global_zero:
        _write_manifest(out / "split.csv", films, data)
    spec = _input_spec(films, recipe)
    lines: EpochRecords = ()
    trained = []
    for member in recipe.members:
        lines = fit(fabric, member, films, spec, run, lines)
        if fabric.is_global_zero:
            trained.append(best_of(member, out))
    if not fabric.is_global_zero:
        return
    model = networks.join(trained)
    model = model.to(fabric.device).to(memory_format=torch.channels_last).eval()
    metrics = finish(model, recipe, films, spec, out)
    logger.info("%s", json.dumps(metrics, indent=1))


def _claim(out: Path, recipe: Recipe, data: Path, further: Path | None) -> None:
    """Make sure that a run folder holds one run: the same recipe on the same data, or nothing."""
    wanted = {"recipe": recipe.as_document(), "data": str(data.resolve())}
    if further:
        wanted["further"] = str(further.resolve())
    document = json.dumps(wanted, indent=1)
    path = out / "run.json"
    if path.exists() and path.read_text(encoding="utf-8") != document:
        raise SettingsError(
            f"{out} holds a run of another recipe, seed or data folder. Give another --out."
        )
    if not path.exists():
        path.write_text(document, encoding="utf-8")


def _load(recipe: Recipe, data: Path, run: TrainingRun) -> RunData:
    """Find, decode and split the films."""
    films = find_films(data)
    sizes = sorted({stage.size for stage in recipe.stages})
    pixels = {size: decode(films, size, run.cache) for size in sizes}
    digests = pixel_digests(pixels[recipe.size])
    parts = split(films, digests, recipe.seed)
    further = None
    if run.further:
        further = extra_films.load(run.further, sizes, run.cache)
        measured = np.delete(digests, parts.train)
        extra_films.check_apart(further.pixels[recipe.size], measured.tolist())
    logger.info(
        "%d films: %d train, %d tune, %d validation",
        len(films), len(parts.train), len(parts.tune), len(parts.validation),
    )  # fmt: skip
    targets = np.array([film.class_index for film in films], dtype=np.int64)
    return RunData(films, pixels, targets, parts, data, further)


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


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
