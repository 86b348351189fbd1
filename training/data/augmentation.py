"""What a film may look like tomorrow: geometry, exposure, sharpness and markers drawn at random.

The published test films differ from the training films above all in their sharpness, their
aspect ratio and their borders, so these are what varies most. Everything works on whole batches
and draws from the generator it is given, so that a seed repeats a run.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2.functional import gaussian_blur


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each property may move; 0 leaves it alone.

    Parameters
    ----------
    rotation_degrees, shear_degrees
        Either way.
    scale, aspect, translation
        As fractions: 0.15 is up to 15 % larger or smaller, wider or narrower, aside.
    flip
        Share of films mirrored left to right.
    gamma, contrast, brightness
        Of the exposure: exponent ``exp(±gamma)``, slope ``1 ± contrast``, shift ``± brightness``.
    sharpness
        From blurred (-) to sharpened (+) by this multiple of the difference to a blurred film.
    noise
        Largest standard deviation of grey values in ``[0, 1]``.
    erase
        Share of films that lose a rectangle of up to a third of each side.
    border
        Share of films that lose a border of up to an eighth of each side: in this data it alone
        tells much of the class, and of the hospital.
    """

    rotation_degrees: float = 12.0
    shear_degrees: float = 6.0
    scale: float = 0.15
    aspect: float = 0.15
    translation: float = 0.06
    flip: float = 0.5
    gamma: float = 0.4
    contrast: float = 0.25
    brightness: float = 0.1
    sharpness: float = 1.0
    noise: float = 0.04
    erase: float = 0.5
    border: float = 0.0

    def __call__(self, films: Tensor, generator: torch.Generator) -> Tensor:
        """Vary a batch.

        Parameters
        ----------
        films
            ``(B, 1, H, W)`` in ``[0, 1]``.
        generator
            The only source of randomness, on the films' device.

        Returns
        -------
        Tensor
            Of the same shape, in ``[0, 1]``.
        """
        draw = _Draw(len(films), generator)
        films = self._move(films, draw)
        films = self._sharpen(films, draw)
        films = self._expose(films, draw)
        films = self._erase(films, draw)
        films = self._frame(films, draw) if self.border else films
        grain = torch.randn(films.shape, generator=generator, device=generator.device)
        return (films + grain * self.noise * draw.share()).clamp(0, 1)

    def _move(self, films: Tensor, draw: "_Draw") -> Tensor:
        """Rotate, shear, scale, shift and mirror about the centre."""
        angle = torch.deg2rad(self.rotation_degrees * draw.either_way()).flatten()
        shear = torch.deg2rad(self.shear_degrees * draw.either_way()).flatten()
        size = torch.exp(self.scale * draw.either_way()).flatten()
        aspect = torch.exp(0.5 * self.aspect * draw.either_way()).flatten()
        mirror = 1 - 2 * (draw.share().flatten() < self.flip).float()
        cosine, sine = torch.cos(angle) * size, torch.sin(angle) * size
        x_row = [cosine * aspect * mirror, (torch.tan(shear) * cosine - sine) / aspect]
        y_row = [sine * aspect * mirror, (torch.tan(shear) * sine + cosine) / aspect]
        shift = [2 * self.translation * draw.either_way().flatten() for _ in range(2)]
        matrix = torch.stack([*x_row, shift[0], *y_row, shift[1]], dim=1).view(-1, 2, 3)
        grid = functional.affine_grid(matrix, list(films.shape), align_corners=False)
        moved: Tensor = functional.grid_sample(films, grid, align_corners=False)
        return moved

    def _sharpen(self, films: Tensor, draw: "_Draw") -> Tensor:
        """Blur some films and sharpen others."""
        sigma = max(films.shape[-1] / 160, 0.6)
        blurred = gaussian_blur(films, kernel_size=[7, 7], sigma=[sigma, sigma])
        amount = self.sharpness * draw.either_way()
        sharpened: Tensor = (films + amount * (films - blurred)).clamp(0, 1)
        return sharpened

    def _expose(self, films: Tensor, draw: "_Draw") -> Tensor:
        """Change gamma, contrast and brightness."""
        films = films.clamp_min(1e-4) ** torch.exp(self.gamma * draw.either_way())
        middle = films.mean(dim=(2, 3), keepdim=True)
        films = (films - middle) * (1 + self.contrast * draw.either_way()) + middle
        return (films + self.brightness * draw.either_way()).clamp(0, 1)

    def _erase(self, films: Tensor, draw: "_Draw") -> Tensor:
        """Put a rectangle of one grey over some films (DeVries and Taylor 2017)."""
        side = films.shape[-1]
        place = torch.arange(side, device=films.device) / side
        half = [0.03 + 0.14 * draw.share() for _ in range(2)]
        rows = (place.view(1, 1, -1, 1) - draw.share()).abs() < half[0]
        columns = (place.view(1, 1, 1, -1) - draw.share()).abs() < half[1]
        chosen = draw.share() < self.erase
        return torch.where(rows & columns & chosen, draw.share(), films)

    def _frame(self, films: Tensor, draw: "_Draw") -> Tensor:
        """Put a border of one grey around some films."""
        side = films.shape[-1]
        place = (torch.arange(side, device=films.device) + 0.5) / side
        width = draw.share() / 8
        rows, columns = place.view(1, 1, -1, 1), place.view(1, 1, 1, -1)
        inside = ((rows - 0.5).abs() < 0.5 - width) & ((columns - 0.5).abs() < 0.5 - width)
        chosen = draw.share() < self.border
        return torch.where(inside | ~chosen, films, draw.share())


class _Draw:
    """Random numbers, one a film, shaped ``(B, 1, 1, 1)``."""

    def __init__(self, films: int, generator: torch.Generator) -> None:
        self._films = films
        self._generator = generator

    def share(self) -> Tensor:
        """Draw from ``[0, 1)``."""
        shape, source = (self._films, 1, 1, 1), self._generator
        return torch.rand(shape, generator=source, device=source.device)

    def either_way(self) -> Tensor:
        """Draw from ``[-1, 1)``."""
        return 2 * self.share() - 1
