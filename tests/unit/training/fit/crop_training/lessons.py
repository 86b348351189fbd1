"""Films that exist nowhere, as the lung-crop training has them: noise, brighter where sick."""

import numpy as np

from training.fit.crop_training.foreign_looks import measure_looks
from training.fit.crop_training.lesson_data import LOOK_SIDE, LessonData
from training.fit.crop_training.lesson_films import (
    ADULT_FOLDS,
    ADULTS,
    BACTERIAL,
    CHILDREN,
    NO_FOLD,
    NORMAL,
    PNEUMONIA,
    VIRAL,
    FilmTable,
)

SIDE = 224


def film_table(count: int = 48) -> FilmTable:
    """Return films, a third of them of adults, one in five to tune."""
    chance = np.random.default_rng(0)
    sources = np.where(np.arange(count) % 3 == 2, ADULTS, CHILDREN)
    children = np.array([NORMAL, BACTERIAL, NORMAL, VIRAL])[np.arange(count) % 4]
    adults = np.where(np.arange(count) % 2, PNEUMONIA, NORMAL)
    targets = np.where(sources == ADULTS, adults, children)
    pixels = chance.integers(0, 160, (count, SIDE, SIDE)) + 60 * (targets > NORMAL)[:, None, None]
    sick_adults = (sources == ADULTS) & (targets > NORMAL)
    return FilmTable(
        pixels=pixels.astype(np.uint8),
        paths=np.array([f"{place}.png" for place in range(count)]),
        patients=np.array([f"patient {place}" for place in range(count)]),
        views=np.where(sources == ADULTS, np.where(np.arange(count) % 4 < 2, "AP", "PA"), ""),
        boxes=np.where(sick_adults, "80 100 90 90", ""),
        sources=sources,
        targets=targets,
        ages=np.where(sources == ADULTS, 50, -1),
        weights=np.ones(count),
        is_read=sources == ADULTS,
        parts=np.where(np.arange(count) % 5 == 4, "tune", "train"),
        folds=np.where(sources == ADULTS, np.arange(count) // 3 % ADULT_FOLDS, NO_FOLD),
    )


def lesson_data(count: int = 48) -> LessonData:
    """Return the same films with lungs, groups and looks."""
    table = film_table(count)
    groups = np.where(table.sources == ADULTS, 2, np.arange(count) % 2)
    crops = table.pixels[:, :LOOK_SIDE, :LOOK_SIDE]
    lungs = np.zeros((count, 96, 96), np.uint8)
    lungs[:, 16:80, 12:84] = 255
    return LessonData(
        table=table,
        boxes=np.tile(np.array([0.1, 0.12, 0.9, 0.88], np.float32), (count, 1)),
        lungs=lungs,
        groups=groups,
        looks=measure_looks(crops, groups, table.targets, table.sources == ADULTS),
        looks_of=np.arange(count),
    )
