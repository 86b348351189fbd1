"""Drawn lateral chest films, which the view network must learn to refuse.

Lateral films resemble frontal ones more than any other picture, and none were available for
training. So they are drawn like the frontal ones in `phantom_films`: by the matter that the rays
pass. The spine is at the back, the heart in front of it on the dome of the diaphragm, the ribs of
both sides descend towards the sternum, and the arms are raised.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageFilter

from training.drawing.xray_model import Field, ball, shell, soft_step, texture, tube


def draw_lateral(rng: np.random.Generator, side: int) -> NDArray[np.uint8]:
    """Draw one film, the patient facing either way.

    Returns
    -------
    NDArray
        Shape ``(side, side)``, 255 is the densest tissue.
    """
    u, v = _grid(rng, side)
    thorax = _Thorax(u, v, rng)
    matter = thorax.body() + thorax.spine() + thorax.ribs() + thorax.heart() - thorax.air()
    brightness = _exposed(matter, rng)
    if rng.random() < 0.5:
        brightness = brightness[:, ::-1]
    picture = PillowImage.fromarray(np.rint(255 * brightness.clip(0, 1)).astype(np.uint8))
    soft = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))
    return np.array(soft, dtype=np.uint8)


def _grid(rng: np.random.Generator, side: int) -> tuple[Field, Field]:
    """Build the grid of a patient facing right: `u` from -1 to 1, `v` from 0 to 1."""
    v, u = np.meshgrid(
        np.linspace(0, 1, side, dtype=np.float32),
        np.linspace(-1, 1, side, dtype=np.float32),
        indexing="ij",
    )
    wider, taller, tilt = rng.uniform(1.0, 1.9), rng.uniform(0.9, 1.3), rng.normal(0, 0.1)
    across, down = rng.normal(0, (0.10, 0.05))
    turned = (u - across) / wider - np.float32(tilt) * (v - 0.5)
    lowered = (v - 0.5 - down) / taller + 0.5 + np.float32(tilt / 2) * u
    return turned.astype(np.float32), lowered.astype(np.float32)


class _Thorax:
    """The proportions of one patient: positions of back and front at every height."""

    def __init__(self, u: Field, v: Field, rng: np.random.Generator) -> None:
        self.u, self.v, self.rng = u, v, rng
        depth, bend = rng.uniform(0.42, 0.62), rng.uniform(0.05, 0.16)
        bulge = np.sin(np.pi * np.clip(v, 0, 1))
        self.back = -depth * 0.85 - bend * bulge
        self.front = depth * (0.55 + 0.5 * np.clip(v, 0, 1)) + 0.4 * bend * bulge
        self.spine_at = self.back + rng.uniform(0.10, 0.18)
        self.heart_size = rng.uniform(0.85, 1.25)
        self.dome = rng.uniform(0.66, 0.78)

    def body(self) -> Field:
        """Return the trunk, with shoulders and raised arms above and the abdomen below."""
        middle, half = (self.front + self.back) / 2, (self.front - self.back) / 2 + 0.12
        across = (self.u - middle) / half
        trunk = np.sqrt(np.maximum(0.0, 1.0 - across**4))
        shoulders = self.rng.uniform(0.1, 0.5) * soft_step(0.22 - self.v, 0.05) * trunk
        lean = self.rng.uniform(-0.4, 0.6)
        arms = 0.35 * tube(self.u - 0.2 - lean * (0.2 - self.v), 0.3)
        belly = 0.30 * soft_step(self.v - self.dome - 0.08, 0.06) * trunk
        raised = arms * soft_step(0.2 - self.v, 0.04)
        matter: Field = self.rng.uniform(0.5, 0.7) * trunk + shoulders + belly + raised
        return matter

    def spine(self) -> Field:
        """Return the vertebrae, with discs between them and spinous processes behind."""
        height = self.rng.uniform(0.045, 0.07)
        vertebrae = 0.85 + 0.15 * np.tanh(2.0 * np.cos(2 * np.pi * self.v / height))
        bodies = tube(self.u - self.spine_at, self.rng.uniform(0.07, 0.12)) * vertebrae
        processes = 0.4 * tube(self.u - self.spine_at + 0.15, 0.05) * vertebrae
        matter: Field = self.rng.uniform(0.06, 0.20) * (bodies + processes)
        return matter

    def ribs(self) -> Field:
        """Return the ribs of both sides, which almost coincide, and the sternum."""
        reach = np.clip((self.u - self.back) / (self.front - self.back), 0, 1)
        fall = self.rng.uniform(0.18, 0.38)
        bones = np.zeros_like(self.u)
        for height in np.linspace(0.06, 0.72, int(self.rng.integers(8, 12))):
            for other_side in (0.0, self.rng.uniform(0.005, 0.035)):
                course = height + other_side + fall * reach**1.3 - 0.05 * np.sin(np.pi * reach)
                fade = soft_step(0.85 - reach, 0.08) * soft_step(reach - 0.02, 0.02)
                bones += shell(self.v - course, 0.013) * fade
        sternum = shell(self.u - self.front + 0.02, 0.035) * soft_step(0.62 - self.v, 0.03)
        matter: Field = self.rng.uniform(0.03, 0.09) * bones + 0.12 * sternum
        return matter

    def heart(self) -> Field:
        """Return the heart, behind the sternum on the diaphragm, and the great vessels above."""
        across = (self.u - 0.45 * self.front) / (0.30 * self.heart_size)
        down = (self.v - self.dome + 0.13) / (0.16 * self.heart_size)
        heart = ball(across + 0.35 * down, down - 0.1 * across)
        root = tube(self.u - 0.05 - 0.3 * (0.45 - self.v), 0.16)
        above = root * soft_step(self.v - 0.12, 0.05) * soft_step(0.5 - self.v, 0.06)
        matter: Field = (
            self.rng.uniform(0.06, 0.22) * heart**1.5 + self.rng.uniform(0.03, 0.12) * above
        )
        return matter

    def air(self) -> Field:
        """Return the air of both lungs, from the sternum to behind the domes of the diaphragm."""
        middle = (self.front + self.spine_at) / 2
        apex = self.rng.uniform(0.10, 0.17) + 0.35 * np.abs(self.u - middle + 0.1) ** 1.6
        slope = np.clip((self.u - self.spine_at) / (self.front - self.spine_at), 0, 1)
        air = np.zeros_like(self.u)
        for lift in (0.0, self.rng.uniform(0.0, 0.06)):  # the two domes
            floor = self.dome - lift + 0.20 * (1 - slope) ** 2 + 0.06 * slope**3
            air += (
                soft_step(self.v - apex, 0.02)
                * soft_step(floor - self.v, 0.012)
                * soft_step(self.front - 0.06 - self.u, 0.03)
                * soft_step(self.u - self.back - 0.05, 0.04)
            )
        trachea = tube(self.u - 0.02 + 0.2 * (self.v - 0.2), 0.05)
        trachea = trachea * soft_step(0.38 - self.v, 0.02)
        strength, lumps = self.rng.uniform(0.02, 0.12), int(self.rng.integers(8, 40))
        clouds = np.clip(1 + strength * texture(self.rng, lumps, *self.u.shape), 0, 2)
        matter: Field = self.rng.uniform(0.14, 0.27) * air * clouds + 0.10 * trachea
        return matter


def _exposed(matter: Field, rng: np.random.Generator) -> Field:
    """Convert matter to brightness with random contrast, exposure and grain."""
    middle = np.median(matter) + rng.uniform(-0.12, 0.12)
    brightness = 1 / (1 + np.exp(-rng.uniform(3, 9) * (matter - middle)))
    low, high = np.percentile(brightness, (1, 99))
    spread: Field = ((brightness - low) / max(high - low, 1e-6)).astype(np.float32)
    grey = rng.uniform(0, 0.25) + rng.uniform(0.6, 1.0) * spread
    return np.asarray(grey + rng.normal(0, rng.uniform(0, 0.03), grey.shape), dtype=np.float32)
