"""Everything in a recipe that only the lung-crop network has."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

SHOWN: Mapping[str, int] = {
    "normal": 1079,
    "bacterial": 900,
    "viral": 600,
    "collection_normal": 130,
    "collection_sick": 90,
    "AP_sick": 150,
    "AP_normal": 150,
    "PA_sick": 150,
    "PA_normal": 150,
}
"""Films of each stratum in an epoch; adults' views are balanced against class."""


VARIED = (
    "foreign_look",
    "jitter",
    "zoom",
    "rotation_degrees",
    "shear",
    "gamma",
    "shade",
    "sharpen",
    "coarse",
    "contrast",
    "brightness",
    "erase",
    "border",
    "noise",
    "compress",
)
"""Ranges that are smaller in the last epochs."""


@dataclass(frozen=True, slots=True)
class LessonSettings:
    """How films are shown and what counts in the loss.

    Parameters
    ----------
    shown
        Films of each stratum in an epoch.
    frozen_blocks
        First blocks of the body that do not learn.
    body_rate
        Learning rate of the body, as a share of that of the new layers.
    cause_weight, cell_weight
        Of the loss of causes and of cells, beside that of the film.
    outside_weight, normal_cell_weight, box_weight
        Of cells outside the lungs, of normal films, and of films with boxes.
    box_positive
        How much more a cell inside a box counts.
    weak_weight
        Of films whose label is weak.
    group_balance
        How far the classes are shown alike within each acquisition group of children, 0 to 1.
    foreign_look
        Share of films that get the look of another film, most often of a group of other class.
    jitter, zoom, rotation_degrees, shear, flip
        Of the crop.
    gamma, shade, sharpen, coarse, contrast, brightness, erase, border, noise
        Of its grey values.
    compress
        Share of films that are stored as JPEG of a random quality.
    calm_epochs, calm
        How many epochs at the end of a cycle vary films by this share of the ranges only.
    restart_epochs, restart_rate
        How many epochs at the end are a second cycle: it starts from the average of the first, with
        a learning rate that rises to this share of the recipe's (Loshchilov and Hutter 2017).
    """

    shown: Mapping[str, int] = field(default_factory=lambda: dict(SHOWN))
    frozen_blocks: int = 3
    body_rate: float = 0.6
    cause_weight: float = 0.4
    cell_weight: float = 1.0
    outside_weight: float = 0.1
    normal_cell_weight: float = 0.1
    box_weight: float = 0.5
    box_positive: float = 3.0
    weak_weight: float = 0.6
    group_balance: float = 1.0
    foreign_look: float = 0.6
    jitter: float = 0.1
    zoom: float = 0.08
    rotation_degrees: float = 10.0
    shear: float = 0.08
    flip: float = 0.5
    gamma: float = 0.5
    shade: float = 0.3
    sharpen: float = 1.2
    coarse: float = 0.25
    contrast: float = 0.3
    brightness: float = 0.1
    erase: float = 0.4
    border: float = 0.3
    noise: float = 0.03
    compress: float = 0.3
    calm_epochs: int = 2
    calm: float = 0.6
    restart_epochs: int = 6
    restart_rate: float = 0.5

    def cycles(self, epochs: int) -> tuple[range, ...]:
        """Return the epochs of each cycle, counted from 0; a short run has one cycle."""
        if not 0 < self.restart_epochs < epochs:
            return (range(epochs),)
        restart = epochs - self.restart_epochs
        return range(restart), range(restart, epochs)

    def at(self, epoch: int, epochs: int) -> "LessonSettings":
        """Return the settings of an epoch, counted from 0: a cycle's last ones vary films less."""
        cycle = next(cycle for cycle in self.cycles(epochs) if epoch in cycle)
        if epoch < cycle.stop - self.calm_epochs:
            return self
        return replace(self, **{name: self.calm * getattr(self, name) for name in VARIED})
