"""Train a challenger on films of this site, and compare it with the model in use.

    python -m training.retrain --data DIR [--data MANIFEST ...] [--reviewed MANIFEST] --out RUN_DIR

RUN_DIR gets ``films.csv`` (who learns, who is kept back), the run itself in ``run/``, and
``comparison.json``: both models on the very films that were kept back from training, and whether
the challenger is not worse by the rule of `training.measure.acceptance`. The same command resumes
where it stopped. Films once used for testing never enter training.

Exit status: 0 done, 1 done but some films kept back could not be read, 2 usage, films or settings.
"""

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cxr_app import log_privacy
from cxr_app.errors import CxrError, SettingsError, TrainingDataError
from cxr_app.evaluation.operating_curve import FEWEST
from cxr_app.film_store import make_private_folder
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.model import checkpoint
from cxr_app.model.classifier import Classifier, choose_device
from cxr_app.progress import Progress
from cxr_app.promotion import checkpoint_in_use
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training.data.dataset import LabelledFilm, decode, find_films, find_reviewed, pixel_digests
from training.data.holdout import (
    Side,
    divide,
    read_candidates,
    read_films,
    without_copies,
    write_films,
)
from training.data.splits import check_classes, group_by_patient
from training.data.tested_films import UsedFilms
from training.fit.recipe import Recipe, read_recipe
from training.fit.trainer import EpochRecords, TrainingRun
from training.measure.acceptance import challenge
from training.measure.lineage import history_of, record_films
from training.train import train

logger = logging.getLogger(__name__)

FILMS = "films.csv"
PLAN = "plan.json"
COMPARISON = "comparison.json"
RUN = "run"
CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class RetrainPlan:
    """What a retraining was begun with; it goes on with nothing else.

    Parameters
    ----------
    data, reviewed
        The films that were chosen.
    checkpoint, sha256
        The model in use when it began.
    counts
        Films by what they are used for.
    unknown
        Films kept back of which nobody knows whether the model in use has learned from them.
    """

    data: tuple[str, ...]
    reviewed: str
    checkpoint: str
    sha256: str
    counts: Mapping[str, int]
    unknown: int


class RetrainProgress:
    """Tells how far a retraining is.

    Parameters
    ----------
    path
        Where `Progress` is kept for others to follow; None for nowhere.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._now = Progress()

    def plan(self, plan: RetrainPlan, recipe: Recipe) -> None:
        """Say what is used for what."""
        self._keep(replace(self._now, total=recipe.epochs, counts=dict(plan.counts)))

    def epochs(self, lines: EpochRecords) -> None:
        """Say how many epochs are done, and how fast the last one was."""
        rate = 1 / max(lines[-1]["seconds"], 0.1) if lines else 0.0
        self._keep(replace(self._now, done=len(lines), rate=round(rate, 6)))

    def comparing(self) -> None:
        """Say that the challenger is being compared."""
        self._keep(replace(self._now, counts={**self._now.counts, "comparing": 1}))

    def end(self, status: int, message: str = "") -> None:
        """Say that it has ended by itself, and how."""
        self._keep(replace(self._now, exit_status=status, message=message))

    def _keep(self, progress: Progress) -> None:
        self._now = progress
        if self._path is not None:
            with suppress(OSError):  # a full disk is for the run itself to tell of
                progress.write(self._path)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    telling = RetrainProgress(options.progress)
    try:
        status = _run(options, telling)
    except CxrError as error:
        if options.progress is None:  # else it is told there, and a log holds no file's name
            print(error, file=sys.stderr)
        telling.end(2, str(error))
        return 2
    telling.end(status)
    return status


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.retrain", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        action="append",
        default=[],
        help="Kaggle-layout folder or manifest; may be given several times",
    )
    add("--reviewed", type=Path, help="manifest of reviews; pneumonia may lack a cause there")
    add("--recipe", default=SHIPPED, help="a name, or the path of a .toml file")
    add("--checkpoint", type=Path, help="the model to compare with; default: the one in use")
    add("--out", type=Path, required=True, help="folder of this run")
    add(
        "--within",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="refuse a film outside DIR; may be given several times",
    )
    add("--progress", type=Path, metavar="FILE", help="keep how far the run is in this JSON file")
    devices = ("auto", "cuda", "mps", "cpu")
    add("--device", choices=devices, help="default: CXR_DEVICE")
    return parser


def _run(options: argparse.Namespace, telling: RetrainProgress) -> int:
    """Choose the films, train, compare; what is done already is not done again."""
    settings = Settings.read()
    recipe = read_recipe(options.recipe)
    make_private_folder(options.out)
    plan = _plan(options, settings, recipe)
    telling.plan(plan, recipe)
    cache, device = settings.cache_dir, options.device or settings.device
    own = options.out / RUN
    if not (own / "metrics.json").exists():
        train(recipe, options.out / FILMS, TrainingRun(own, cache, device, tell=telling.epochs))
    telling.comparing()
    comparison = _compare(plan, options.out, device, UsedFilms(settings.data_dir))
    _write(options.out / COMPARISON, comparison)
    print(json.dumps(comparison, indent=1))
    return 1 if comparison["unreadable"] else 0


def _plan(options: argparse.Namespace, settings: Settings, recipe: Recipe) -> RetrainPlan:
    """Read what the run was begun with, or begin it."""
    path = options.out / PLAN
    data = tuple(str(each.resolve()) for each in options.data)
    reviewed = str(options.reviewed.resolve()) if options.reviewed else ""
    if path.exists():
        begun = RetrainPlan(**json.loads(path.read_text(encoding="utf-8")))
        if (tuple(begun.data), begun.reviewed) != (data, reviewed):
            raise SettingsError(f"{options.out} holds a run on other films. Give another --out.")
        return begun
    in_use = options.checkpoint or _in_use(settings)
    counts, unknown, sha256 = _choose(options, settings, recipe, in_use)
    plan = RetrainPlan(data, reviewed, str(in_use.resolve()), sha256, counts, unknown)
    _write(path, asdict(plan))
    return plan


def _in_use(settings: Settings) -> Path:
    """Ask the worklist which model is in use."""
    with closing(Worklist.open(settings.worklist_url)) as worklist:
        return checkpoint_in_use(settings, worklist)


def _choose(
    options: argparse.Namespace, settings: Settings, recipe: Recipe, in_use: Path
) -> tuple[dict[str, int], int, str]:
    """Find the films, refuse what cannot teach, and write down the side of each."""
    source = checkpoint.load(in_use)
    sources = [_inside(find_films(data), options.within) for data in options.data]
    reviewed, without_cause = find_reviewed(options.reviewed) if options.reviewed else ([], 0)
    sources.append(reviewed)
    every = read_candidates(sources)
    _check_enough([one.film for one in every])
    past = history_of(source, in_use, sources, [one.sha256 for one in every], settings.data_dir)
    candidates, contradicting = without_copies(every)
    pixels = decode([one.film for one in candidates], recipe.size, settings.cache_dir)
    sides = divide(candidates, pixel_digests(pixels), past)
    write_films(options.out / FILMS, candidates, sides)
    kept = read_films(options.out / FILMS, Side.COMPARE)
    _check_comparison([one.film for one in kept])
    make_private_folder(options.out / RUN)
    record_films(options.out / RUN / CHECKPOINT, candidates, sides)
    counts = Counter(side.value for side in sides)
    left_out = {"without_cause": without_cause, "contradicting": contradicting}
    unknown = sum(one.sha256 not in past.unseen for one in kept)
    return {**counts, **left_out}, unknown, source.sha256


def _inside(films: list[LabelledFilm], roots: Sequence[Path]) -> list[LabelledFilm]:
    """Refuse films that a link or a manifest takes from elsewhere."""
    whole = [root.resolve() for root in roots]
    for film in films:
        path = film.path.resolve()
        if whole and not any(path.is_relative_to(root) for root in whole):
            raise TrainingDataError(
                f"{film.path} lies outside the folders that may be trained on. Put it there."
            )
    return films


def _check_enough(films: Sequence[LabelledFilm]) -> None:
    """Refuse at once what would be refused after all films are decoded."""
    used = [film for film in films if film.partition != "test"]
    classes = np.array([film.class_index for film in used], dtype=np.int64)
    groups = group_by_patient(used, [str(number) for number in range(len(used))])
    check_classes(classes, np.array(groups))


def _check_comparison(kept: Sequence[LabelledFilm]) -> None:
    """Refuse a run at whose end nobody could say which model is better."""
    counts = Counter(film.target for film in kept)
    for target, words in (("NORMAL", "without pneumonia"), ("PNEUMONIA", "with pneumonia")):
        if counts[target] < FEWEST:
            raise TrainingDataError(
                f"Only {counts[target]} films {words} can be kept back to compare the models on; "
                f"at least {FEWEST} are needed, and one patient in five is kept back. "
                "Choose more films."
            )


def _compare(plan: RetrainPlan, out: Path, device: str, tested: UsedFilms) -> dict[str, Any]:
    """Compare on the films kept back, and write down that they were."""
    in_use = checkpoint.load(Path(plan.checkpoint))
    if in_use.sha256 != plan.sha256:
        raise SettingsError(
            "The file of the model in use was changed since this run began, so nobody knows what "
            "it has learned from. Start another run."
        )
    own = checkpoint.load(out / RUN / CHECKPOINT)
    kept = read_films(out / FILMS, Side.COMPARE)
    tested.add("compared", (one.sha256 for one in kept))
    chosen = choose_device(device)
    found = challenge(
        Classifier(in_use, chosen), Classifier(own, chosen), [one.film for one in kept]
    )
    models = {"in_use_sha256": in_use.sha256, "challenger_sha256": own.sha256}
    return {**found, **models, "counts": dict(plan.counts), "unknown": plan.unknown}


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file at once or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    log_privacy.hide_messages()
    sys.exit(main())
