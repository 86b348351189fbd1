"""Drawn chest films of no real patient: for trying out the app, for tests and the benchmark.

A film is bright where the rays pass much matter. So the phantom adds up the thickness of what they
pass (soft tissue, bone, fluid), subtracts the air in the lungs, and applies a film's tone curve,
sharpness and noise. Positions vary with the seed, as between children. It looks like a chest film
to a person, but it cannot teach a network anything about pneumonia.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from cxr_app.radiograph import Image
from training.drawing.xray_model import Field, ball, enlarge, shell, soft_step, texture, tube

DRAWING_SIZE = 400
"""Longest side of the grid for the anatomy; only the marker and the noise are finer."""

LETTER_R = ("11110", "10001", "10001", "11110", "10100", "10010", "10001")


@dataclass(frozen=True, slots=True)
class Opacity:
    """Fluid where air should be.

    Parameters
    ----------
    x, y
        Centre, in fractions of the film's width and height from its top left corner.
    radius
        Distance at which it has faded to about a third, in fractions of width and height.
    density
        Share of the air that it replaces, in ``[0, 1]``.
    """

    x: float
    y: float
    radius: float
    density: float = 0.7


@dataclass(frozen=True, slots=True)
class _Chest:
    """The drawing grid and the proportions of one child.

    `u` runs from -1 at the left border to 1 at the right, `v` from 0 at the top to 1; `side` is
    the distance from the midline, in the units of `u`.
    """

    u: Field
    v: Field
    rng: np.random.Generator
    side: Field = field(init=False)
    width: float = field(init=False)
    dome: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "side", np.abs(self.u))
        object.__setattr__(self, "width", float(self.rng.uniform(0.60, 0.68)))
        object.__setattr__(self, "dome", float(self.rng.uniform(0.68, 0.74)))


def opacities_of(seed: int) -> list[Opacity]:
    """Return, in turn: a clear chest, one patch, many faint patches, both lungs clouded."""
    return ([], consolidation(seed), diffuse(seed), widespread(seed))[seed % 4]


def draw_phantom(
    seed: int | np.random.Generator,
    rows: int = 1100,
    columns: int = 1350,
    opacities: Sequence[Opacity] = (),
) -> Image:
    """Draw one frontal film; the same seed, size and opacities give the same film.

    Returns
    -------
    Image
        ``float32``, shape ``(rows, columns)``, in ``[0, 1]``, 1 is the densest tissue.
    """
    rng = np.random.default_rng(seed)
    chest = _grid(rng, rows, columns)
    heart = _heart(chest)
    air = _lungs(chest) * (1.0 - 0.75 * heart)
    air *= 1.0 - np.minimum(_fluid(chest, opacities), 1.0)
    matter = _body(chest) + _middle(chest) + 0.10 * heart + _bones(chest)
    matter += air * (_vessels(chest) + 0.03 * texture(rng, 36, *chest.u.shape) - 0.50)
    film = enlarge(_tone(matter), rows, columns)
    film += np.float32(0.012) * rng.standard_normal(film.shape, dtype=np.float32)
    _mark(film)
    return np.clip(film, 0.0, 1.0, out=film)


def write_phantoms(folder: Path, seeds: Iterable[int]) -> None:
    """Write a film for each seed into a folder, as PNG; clear chests and others in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        film = draw_phantom(seed, opacities=opacities_of(seed))
        picture = PillowImage.fromarray(np.round(film * 255).astype(np.uint8))
        picture.save(folder / f"phantom-{seed:03}.png")


def consolidation(seed: int | np.random.Generator) -> list[Opacity]:
    """Place one dense patch in a lower lung field, as bacterial pneumonia often shows."""
    rng = np.random.default_rng(seed)
    x = rng.choice([0.31, 0.70]) + rng.uniform(-0.03, 0.03)
    y = rng.uniform(0.46, 0.60)
    patches = [Opacity(float(x), float(y), float(rng.uniform(0.08, 0.12)), 0.85)]
    for _ in range(2):
        dx, dy = rng.normal(0.0, 0.04, 2)
        patches.append(Opacity(float(x + dx), float(y + dy), 0.05, 0.5))
    return patches


def diffuse(seed: int | np.random.Generator) -> list[Opacity]:
    """Scatter faint patches over both lungs, as viral pneumonia often shows."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform((0.25, 0.28), (0.42, 0.62), (14, 2))
    centres[::2, 0] = 1.0 - centres[::2, 0]
    return [Opacity(float(x), float(y), float(rng.uniform(0.03, 0.06)), 0.32) for x, y in centres]


def widespread(seed: int | np.random.Generator) -> list[Opacity]:
    """Cloud both lungs, most at their roots, and one lower field besides."""
    rng = np.random.default_rng(seed)
    haze, roots, patch = rng.uniform((0.45, 0.65, 0.5), (0.60, 0.85, 0.9))
    return [
        Opacity(0.50, 0.45, 0.60, float(haze)),
        Opacity(0.42, 0.45, 0.14, float(roots)),
        Opacity(0.60, 0.45, 0.14, float(roots)),
        Opacity(float(rng.choice([0.31, 0.70])), 0.52, 0.17, float(patch)),
    ]


def _grid(rng: np.random.Generator, rows: int, columns: int) -> _Chest:
    """Build the grid for a child who is slightly tilted and slightly off centre."""
    scale = min(1.0, DRAWING_SIZE / max(rows, columns))
    height, width = max(16, round(rows * scale)), max(16, round(columns * scale))
    v, u = np.meshgrid(
        np.linspace(0.0, 1.0, height, dtype=np.float32),
        np.linspace(-1.0, 1.0, width, dtype=np.float32),
        indexing="ij",
    )
    tilt, shift = rng.normal(0.0, 0.012), rng.normal(0.0, 0.015)
    return _Chest(u - np.float32(shift) - np.float32(tilt) * (v - 0.5), v, rng)


def _body(chest: _Chest) -> Field:
    """Return the soft tissue: neck, shoulders, trunk, and the arms beside it."""
    neck = 0.20 + 0.10 * soft_step(chest.v - 0.03, 0.02)
    half_width = (
        neck + 0.72 * soft_step(chest.v - 0.13, 0.035) - 0.16 * soft_step(chest.v - 0.33, 0.06)
    )
    trunk = np.sqrt(np.maximum(0.0, 1.0 - (chest.side / half_width) ** 4))
    belly = 0.26 * soft_step(chest.v - 0.80, 0.06)
    arms = 0.40 * tube(chest.side - 1.0, 0.14) * soft_step(chest.v - 0.26, 0.04)
    matter: Field = (0.62 + belly) * trunk + arms
    return matter


def _lungs(chest: _Chest) -> Field:
    """Return the air that the rays pass, in ``[0, 1]``, within domes, apices and chest wall."""
    middle_of_lung = 0.36
    apex = 0.14 + 0.30 * ((chest.side - middle_of_lung + 0.08) / chest.width) ** 2
    lift = np.where(chest.u < 0, 0.0, 0.025).astype(np.float32)
    dome = chest.dome + lift + 0.85 * (chest.side - middle_of_lung + 0.03) ** 2
    wall = chest.width * (0.70 + 0.36 * np.sin(np.pi * np.clip(0.22 + 0.62 * chest.v, 0, 1)))
    hilum = 0.10 + 0.05 * np.exp(-(((chest.v - 0.42) / 0.07) ** 2))
    inside = (
        soft_step(chest.v - apex, 0.012)
        * soft_step(dome - chest.v, 0.008)
        * soft_step(wall - chest.side, 0.012)
        * soft_step(chest.side - hilum, 0.035)
    )
    depth = 0.75 + 0.25 * np.exp(-(((chest.v - 0.45) / 0.25) ** 2))
    air: Field = (inside * depth).astype(np.float32)
    return air


def _middle(chest: _Chest) -> Field:
    """Return spine, great vessels, trachea and the air in the stomach."""
    vertebrae = 0.75 + 0.25 * np.cos(2 * np.pi * chest.v / (0.040 + 0.012 * chest.v))
    spine = 0.13 * tube(chest.u, 0.10) * vertebrae
    vessels = 0.08 * np.exp(-((chest.u / 0.14) ** 2)) * soft_step(chest.v - 0.18, 0.05)
    trachea = -0.15 * tube(chest.u + 0.01, 0.045) * soft_step(0.36 - chest.v, 0.02)
    bubble = -0.16 * ball((chest.u - 0.36) / 0.13, (chest.v - chest.dome - 0.10) / 0.045)
    matter: Field = spine + vessels + trachea + bubble
    return matter


def _heart(chest: _Chest) -> Field:
    """Return the thickness of the heart, 1 in its middle; most of it is on the child's left."""
    size = chest.rng.uniform(0.92, 1.10)
    across, down = (chest.u - 0.11) / (0.33 * size), (chest.v - 0.60) / (0.165 * size)
    return ball(across + 0.40 * np.minimum(down, 0.4) - 0.10, down - 0.15 * across)


def _bones(chest: _Chest) -> Field:
    """Return posterior and anterior ribs, clavicles and upper arms."""
    reach = chest.side / (1.10 * chest.width)
    bones = np.zeros_like(chest.u)
    for v in np.linspace(0.13, 0.70, 10):
        back = v + 0.13 * reach**2.6 - 0.035 * np.sin(np.pi * np.clip(reach, 0, 1))
        bones += 0.10 * shell(chest.v - back, 0.013) * soft_step(1.0 - reach, 0.02)
        front = v + 0.17 - 0.10 * (reach - 0.4) ** 2 + 0.05 * (1.0 - reach)
        fade = soft_step(reach - 0.42, 0.06) * soft_step(1.0 - reach, 0.02)
        bones += 0.045 * shell(chest.v - front, 0.016) * fade
    bones *= soft_step(0.92 - chest.v, 0.04) * soft_step(chest.side - 0.07, 0.03)
    collar = 0.175 - 0.10 * chest.side + 0.03 * np.sin(4.2 * chest.side)
    ends = soft_step(chest.side - 0.07, 0.02) * soft_step(0.74 - chest.side, 0.03)
    upper_arm = shell(chest.side - 0.90 - 0.10 * (chest.v - 0.2), 0.055)
    upper_arm *= soft_step(chest.v - 0.20, 0.03)
    return bones + 0.17 * shell(chest.v - collar, 0.014) * ends + 0.20 * upper_arm


def _vessels(chest: _Chest) -> Field:
    """Return the vessels, which leave the hila and become thinner towards the wall."""
    drawn = np.zeros_like(chest.u)
    for centre in (-0.15, 0.17):
        across, down = np.abs(chest.u - centre), (chest.v - 0.43) * 1.6
        distance = np.hypot(across, down)
        angle = np.arctan2(down, across)
        wobble = 0.12 * np.sin(9.0 * distance + chest.rng.uniform(0, 6.3))
        for branch in np.linspace(-1.25, 1.25, 9) + chest.rng.normal(0.0, 0.06, 9):
            away = (angle - branch - wobble) * distance
            drawn += 0.13 * np.exp(-((away / 0.012) ** 2) - distance / 0.22)
        drawn = np.minimum(drawn, 0.16) + 0.10 * np.exp(-((distance / 0.09) ** 2))
    return drawn


def _fluid(chest: _Chest, opacities: Sequence[Opacity]) -> Field:
    """Return the share of the air that fluid replaces; uneven, as in a lung."""
    height, width = chest.u.shape
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    fluid = np.zeros_like(chest.u)
    for opacity in opacities:
        squared = ((x - opacity.x) ** 2 + (y - opacity.y) ** 2) / opacity.radius**2
        fluid += (opacity.density * np.exp(-(squared**1.5))).astype(np.float32)
    return fluid * (0.85 + 0.25 * texture(chest.rng, 24, height, width)) if opacities else fluid


def _tone(matter: Field) -> Field:
    """Convert matter to brightness as a film does: soft at both ends."""
    brightness: Field = (1.0 / (1.0 + np.exp(-4.6 * (matter - 0.52)))).astype(np.float32)
    return brightness


def _mark(film: Image) -> None:
    """Draw the letter R beside the child's right shoulder, in place."""
    letter = np.array([[int(dot) for dot in line] for line in LETTER_R], dtype=bool)
    dot = max(1, min(film.shape) // 150)
    drawn = np.kron(letter, np.ones((dot, dot), dtype=bool))
    top, left = film.shape[0] // 20, film.shape[1] // 14
    patch = film[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    patch[drawn[: patch.shape[0], : patch.shape[1]]] = 0.96
