"""Crops vary as far as the settings say, and no further."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cxr_app.model.architectures import Part
from tests.unit.training.fit.crop_training.lessons import lesson_data
from training.fit.crop_training.crop_batches import CropBatch, make_batch
from training.fit.crop_training.lesson_data import LessonData
from training.fit.crop_training.lesson_settings import VARIED, LessonSettings
from training.fit.crop_training.sampling import OWN_LOOK

NOTHING_VARIES: dict[str, Any] = dict.fromkeys(VARIED, 0.0)
STILL = replace(LessonSettings(), flip=0.0, **NOTHING_VARIES)
CHOSEN = np.arange(12)


@pytest.fixture(scope="module")
def data() -> LessonData:
    return lesson_data()


def batch_of(data: LessonData, settings: LessonSettings) -> CropBatch:
    models = np.full(len(CHOSEN), OWN_LOOK)
    generator = torch.Generator().manual_seed(0)
    return make_batch(data, CHOSEN, models, 64, settings, generator)


def changed(one: CropBatch, other: CropBatch) -> int:
    """Count the films whose crops differ by more than rounding."""
    return int(((one.crops - other.crops).abs().amax(dim=(1, 2, 3)) > 1e-3).sum())


@pytest.mark.parametrize(("share", "films"), [(0.0, 0), (1.0, len(CHOSEN))])
def test_as_many_films_are_stored_as_jpeg_as_the_settings_say(
    data: LessonData, share: float, films: int
) -> None:
    still, stored = batch_of(data, STILL), batch_of(data, replace(STILL, compress=share))
    assert changed(still, stored) == films
    assert (stored.crops - still.crops).abs().mean() < 0.1
    assert 0 <= stored.crops.min() <= stored.crops.max() <= 1


def test_cells_outside_the_lungs_and_of_boxes_count(data: LessonData) -> None:
    batch = batch_of(data, STILL)
    boxed = data.table.boxes[CHOSEN] != ""
    assert (batch.cells[boxed].amax(dim=(1, 2)) > 0.9).all()
    assert (batch.cells[~boxed] == 0).all()
    assert (batch.cell_weight[boxed] > 0).all()


@pytest.mark.parametrize(("part", "films"), [("crop", 0), ("film", len(CHOSEN))])
def test_only_a_network_of_whole_films_is_shown_what_is_not_lungs(
    data: LessonData, part: Part, films: int
) -> None:
    pixels = data.table.pixels.copy()
    pixels[:, :10] = 255
    other = replace(data, table=replace(data.table, pixels=pixels))
    shown = [batch_of(each.of_part(part), STILL) for each in (data, other)]
    assert changed(*shown) == films
