"""What each part of the shipped recipe is worth: short lessons with one part more at a time.

One network learns from half as many films an epoch as the recipe shows, at one size; films of an
acquisition group, or several, are held out, as those of a machine that it never saw.
"""

import json
import logging
from argparse import Namespace
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_app.atomic_file import atomic_write
from cxr_app.errors import TrainingDataError
from cxr_app.evaluation.metrics import Floats, auroc
from cxr_app.jobs.recipe_list import SHIPPED
from cxr_app.jobs.recipe_schema import Stage
from cxr_app.model.architectures import Part
from cxr_app.model.networks.evidence_pyramid import EvidencePyramid
from cxr_app.model.networks.lung_crop import GATE, member_weights
from training.acquisition.groups import find_groups
from training.acquisition.shifts import SHIFTS
from training.fit.crop_training.crop_run import shipped_lungs
from training.fit.crop_training.lesson_data import LessonData, prepare
from training.fit.crop_training.lesson_films import (
    ADULTS,
    CERTAIN,
    CHILDREN,
    GROWN_UP,
    NORMAL,
    FilmTable,
    Places,
    read_table,
)
from training.fit.crop_training.lesson_settings import SHOWN, VARIED, LessonSettings
from training.fit.crop_training.member import MemberRun, fit_member, read_crops
from training.fit.crop_training.restyled_films import in_each_look
from training.fit.recipe import read_recipe

logger = logging.getLogger(__name__)

SIZE, EPOCHS = 128, 6
SHARE_SHOWN = 0.5
AVERAGE_DECAY = 0.95
"""Of so few steps: the recipe's average would still hold the first weights."""
HELD_OUT, LEFT_OUT = "test", "left out"
FIGURES = "figures.json"
COLUMNS = {
    "held_out": "held out",
    "validation": "validation",
    "shifted": "worst shift",
    "restyled": "worst look",
    "adults": "adults",
}
"""AUROCs, and the heads of their columns."""
FOLD = 0
"""Of the adults that are not learned from."""
SPLIT_SEED = 0
"""Seeds change weights and order of films; the films held out stay."""

_CHILDREN_ALONE = {name: SHOWN[name] for name in ("normal", "bacterial", "viral")}
_UNVARIED = dict.fromkeys(VARIED, 0.0)
_PLAIN = {"group_balance": 0.0}


@dataclass(frozen=True, slots=True)
class RecipeStep:
    """A lesson.

    Parameters
    ----------
    name
        What it has that the one before it has not.
    part
        What its network reads.
    changes
        To `LessonSettings`, beside the number of films.
    shown
        As in `LessonSettings`.
    """

    name: str
    part: Part = "crop"
    changes: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, int] = field(default_factory=lambda: dict(SHOWN))

    @property
    def settings(self) -> LessonSettings:
        """Everything that the step's lesson has."""
        shown = {name: round(SHARE_SHOWN * count) for name, count in self.shown.items()}
        return replace(LessonSettings(shown=shown, restart_epochs=0), **self.changes)


STEPS = (
    RecipeStep("the whole film", part="film", changes=_UNVARIED | _PLAIN, shown=_CHILDREN_ALONE),
    RecipeStep("the crop of the lungs", changes=_UNVARIED | _PLAIN, shown=_CHILDREN_ALONE),
    RecipeStep("films varied", changes={"foreign_look": 0.0} | _PLAIN, shown=_CHILDREN_ALONE),
    RecipeStep("looks, balance and adults"),
    RecipeStep("that on the whole film", part="film"),
)
"""Each begins from ImageNet's weights: from random ones, so short a lesson teaches nothing."""
JOINED = {"both: the recipe": (4, 5)}
"""Steps whose networks answer together, numbered from 1, by the weights of the shipped network."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A network that has learned.

    Parameters
    ----------
    network
        It.
    part
        What it reads of films.
    lessons
        Films as it reads them.
    """

    network: EvidencePyramid
    part: Part
    lessons: LessonData


class StepsOptions(Namespace):
    """Options of `training.steps`, whose help describes them."""

    data: Path
    adults: Path | None
    further: Path | None
    group: list[str]
    out: Path
    seeds: list[int]


def measure_steps(options: StepsOptions, cache: Path) -> None:
    """Run every lesson that has no figures yet, and write them.

    Parameters
    ----------
    cache
        Folder for decoded films.

    Raises
    ------
    TrainingDataError
        If the films cannot be used, or none is of one of the groups.
    """
    table = read_table(options.data, options.adults, options.further, cache, SPLIT_SEED)
    lessons = prepare(held_out(table, options.group), shipped_lungs())
    for seed in options.seeds:
        readers: list[Reader] = []
        for number, step in enumerate(STEPS, 1):
            own = lessons.of_part(step.part)
            learned = _learned(step, own, _folder(options.out, number, seed), seed)
            readers.append(Reader(learned, step.part, own))
            _measure(options.out, number, seed, readers[-1:])
        for number, steps in enumerate(JOINED.values(), len(STEPS) + 1):
            _measure(options.out, number, seed, [readers[step - 1] for step in steps])


def _measure(out: Path, number: int, seed: int, readers: Sequence[Reader]) -> None:
    """Write the figures of a step, or of several together, that has none yet."""
    path = _folder(out, number, seed) / FIGURES
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"step": number, "seed": seed, **_figures(readers)}, indent=1)
        atomic_write(path, content.encode())


def _folder(out: Path, number: int, seed: int) -> Path:
    return out / f"step_{number}_seed_{seed}"


def steps_table(out: Path) -> str:
    """Return the figures of every lesson of a folder: median, and least to largest of the seeds."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(out.glob(f"*/{FIGURES}"))]
    head = "".join(f"{words:>22}" for words in COLUMNS.values())
    lines = [f"{'step':<26}{'seeds':>6}{head}"]
    for number, name in enumerate([*(step.name for step in STEPS), *JOINED], 1):
        own = [each for each in found if each["step"] == number]
        if own:
            cells = "".join(_cell(own, column) for column in COLUMNS)
            lines.append(f"{name:<26}{len(own):>6}{cells}")
    return "\n".join(lines)


def _cell(figures: Sequence[Mapping[str, Any]], name: str) -> str:
    values = [each[name] for each in figures if each[name] is not None]
    if not values:
        return f"{'-':>22}"
    middle = float(np.median(values))
    return f"{middle:.3f} ({min(values):.3f}-{max(values):.3f})".rjust(22)


def held_out(table: FilmTable, groups: Collection[str]) -> FilmTable:
    """Take the films of groups out of training, and others of their patients out of everything."""
    children = table.sources == CHILDREN
    own = np.zeros(len(children), bool)
    found = find_groups(table.pixels[children])
    if missing := sorted(set(groups) - set(found)):
        raise TrainingDataError(
            f"No film is of the acquisition group {missing[0]!r}. "
            "`python -m training.explore` names the groups."
        )
    own[children] = np.isin(found, list(groups))
    of_patients = np.isin(table.patients, table.patients[own])
    parts = table.parts.astype(object)
    parts[of_patients], parts[own] = LEFT_OUT, HELD_OUT
    return replace(table, parts=parts.astype(str))


def _learned(step: RecipeStep, lessons: LessonData, folder: Path, seed: int) -> EvidencePyramid:
    recipe = read_recipe(SHIPPED, seed=seed)
    recipe = replace(recipe, stages=(Stage(SIZE, EPOCHS),), average_decay=AVERAGE_DECAY)
    logger.info("%s, seed %d", step.name, seed)
    return fit_member(lessons, MemberRun(folder, recipe, step.settings, FOLD, lambda _: None))


def _figures(readers: Sequence[Reader]) -> dict[str, Any]:
    """Return the AUROC of each kind of film that was not learned from."""
    table = readers[0].lessons.table
    children = table.sources == CHILDREN
    validation = np.flatnonzero(children & (table.parts == "validation"))
    adults = (table.sources == ADULTS) & table.is_read & (table.weights >= CERTAIN)
    adults &= (table.ages >= GROWN_UP) & (table.folds == FOLD)
    return {
        "held_out": _auroc(readers, np.flatnonzero(table.parts == HELD_OUT)),
        "validation": _auroc(readers, validation),
        "shifted": _worst(readers, _shifted, validation),
        "restyled": _worst(readers, _restyled, validation),
        "adults": _auroc(readers, np.flatnonzero(adults)),
    }


def _worst(
    readers: Sequence[Reader],
    change: Callable[[LessonData, Places], Iterator[LessonData]],
    places: Places,
) -> float | None:
    changed = zip(*(change(each.lessons, places) for each in readers), strict=True)
    found = [
        _auroc(
            [replace(reader, lessons=own) for reader, own in zip(readers, each, strict=True)],
            places,
        )
        for each in changed
    ]
    return min((each for each in found if each is not None), default=None)


def _auroc(readers: Sequence[Reader], places: Places) -> float | None:
    """Return the AUROC of films; None if they are of one class."""
    sick = readers[0].lessons.table.targets[places] > NORMAL
    if not sick.any() or sick.all():
        return None
    read = [read_crops(each.network, each.lessons, places, SIZE) for each in readers]
    adult = GATE * torch.from_numpy(np.mean([each["adult"] for each in read], axis=0))
    weights = member_weights([each.part for each in readers], adult.sigmoid()).double().numpy()
    log_odds: Floats = (weights * [each["log_odds"] for each in read]).sum(axis=0)
    return float(auroc(log_odds, sick))


def _shifted(lessons: LessonData, places: Places) -> Iterator[LessonData]:
    """Yield the lessons with some films under each acquisition shift."""
    for shift in SHIFTS.values():
        films = [shift(film.astype(np.float32) / 255) for film in lessons.table.pixels[places]]
        yield _with_films(lessons, places, np.rint(255 * np.stack(films)))


def _restyled(lessons: LessonData, places: Places) -> Iterator[LessonData]:
    """Yield the lessons with some films in the look of each group that was learned from."""
    for films in in_each_look(lessons.table, lessons.groups, places):
        yield _with_films(lessons, places, films)


def _with_films(lessons: LessonData, places: Places, films: NDArray[Any]) -> LessonData:
    """Return lessons with other pixels of some films; their lungs are where they were."""
    pixels: NDArray[np.uint8] = lessons.table.pixels.copy()
    pixels[places] = films.astype(np.uint8)
    return replace(lessons, table=replace(lessons.table, pixels=pixels))
