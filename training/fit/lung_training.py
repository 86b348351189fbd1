"""Train the network that finds the lungs: on children's outlines, then on those of adults, too."""

from argparse import Namespace
from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from cxr_app.atomic_file import atomic_path
from cxr_app.settings import Settings
from training.fit.crop_training.lesson_data import draw_lungs
from training.fit.crop_training.lesson_films import CHILDREN, read_table
from training.fit.lung_outlines import agreed_outlines, fit_lungs, read_outlines
from training.measure.lung_overlap import dice


class LungOptions(Namespace):
    """Options of `training.train_lungs`, whose help describes them."""

    data: Path
    outlines: Path
    adults: Path | None
    further: Path | None
    out: Path
    epochs: int
    later_epochs: int
    seed: int


def train_lungs(options: LungOptions, settings: Settings) -> dict[str, float]:
    """Train, write the network, and return its Dice coefficients on children's tune films."""
    cache = settings.cache_dir
    table = read_table(options.data, options.adults, options.further, cache, options.seed)
    children = read_outlines(options.outlines, table, "train")
    network = fit_lungs(children, options.epochs, options.seed)
    others = table.pixels[(table.sources != CHILDREN) & (table.parts == "train")]
    if len(others):
        agreed = agreed_outlines(network, others)
        both = agreed.joined(children.drawn(len(agreed.films), options.seed))
        network = fit_lungs(both, options.later_epochs, options.seed + 1, network)
    tune = read_outlines(options.outlines, table, "tune")
    found = dice(draw_lungs(network, tune.films) > 0.5, tune.masks)
    with atomic_path(options.out) as path:
        save_file({name: each.contiguous() for name, each in network.state_dict().items()}, path)
    return {"dice": float(found.mean()), "dice_of_worst_twentieth": float(np.quantile(found, 0.05))}
