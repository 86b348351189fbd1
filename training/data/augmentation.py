"""Random augmentation of training films: geometry, exposure, sharpness, markers and borders.

The published test films differ from the training films above all in their sharpness, their
aspect ratio and their borders, so these vary most. Everything works on whole batches and draws
from the generator that it is given, so that a seed repeats a run.
"""

from dataclasses import asdict
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2.functional import gaussian_blur

from cxr_app.jobs.recipe_schema import AugmentationRanges


class Augmentation(AugmentationRanges):
    """Random changes of films within the ranges of a recipe."""

    __slots__ = ()

    @classmethod
    def within(cls, ranges: AugmentationRanges) -> Self:
        """Return the augmentation with the ranges of a recipe."""
        return cls(**asdict(ranges))

    def __call__(self, films: Tensor, generator: torch.Generator) -> Tensor:
        """Augment a batch.

        Parameters
        ----------
        films
            ``(B, 1, H, W)`` in ``[0, 1]``.
        generator
            The only source of random numbers, on the device of the films.

        Returns
        -------
        Tensor
            Of the same shape, in ``[0, 1]``.
        """
        draw = _RandomNumbers(len(films), generator)
        films = self._transform(films, draw)
        films = self._sharpen(films, draw)
        films = self._expose(films, draw)
        films = self._erase(films, draw)
        films = self._add_border(films, draw) if self.border else films
        grain = torch.randn(films.shape, generator=generator, device=generator.device)
        return (films + grain * self.noise * draw.fraction()).clamp(0, 1)

    def _transform(self, films: Tensor, draw: "_RandomNumbers") -> Tensor:
        """Rotate, shear, scale, shift and mirror about the centre."""
        angle = torch.deg2rad(self.rotation_degrees * draw.signed()).flatten()
        shear = torch.deg2rad(self.shear_degrees * draw.signed()).flatten()
        size = torch.exp(self.scale * draw.signed()).flatten()
        aspect = torch.exp(0.5 * self.aspect * draw.signed()).flatten()
        mirror = 1 - 2 * (draw.fraction().flatten() < self.flip).float()
        cosine, sine = torch.cos(angle) * size, torch.sin(angle) * size
        x_row = [cosine * aspect * mirror, (torch.tan(shear) * cosine - sine) / aspect]
        y_row = [sine * aspect * mirror, (torch.tan(shear) * sine + cosine) / aspect]
        shift = [2 * self.translation * draw.signed().flatten() for _ in range(2)]
        matrix = torch.stack([*x_row, shift[0], *y_row, shift[1]], dim=1).view(-1, 2, 3)
        grid = functional.affine_grid(matrix, list(films.shape), align_corners=False)
        moved: Tensor = functional.grid_sample(films, grid, align_corners=False)
        return moved

    def _sharpen(self, films: Tensor, draw: "_RandomNumbers") -> Tensor:
        """Blur some films and sharpen others."""
        sigma = max(films.shape[-1] / 160, 0.6)
        blurred = gaussian_blur(films, kernel_size=[7, 7], sigma=[sigma, sigma])
        amount = self.sharpness * draw.signed()
        sharpened: Tensor = (films + amount * (films - blurred)).clamp(0, 1)
        return sharpened

    def _expose(self, films: Tensor, draw: "_RandomNumbers") -> Tensor:
        """Change gamma, contrast and brightness."""
        films = films.clamp_min(1e-4) ** torch.exp(self.gamma * draw.signed())
        middle = films.mean(dim=(2, 3), keepdim=True)
        films = (films - middle) * (1 + self.contrast * draw.signed()) + middle
        return (films + self.brightness * draw.signed()).clamp(0, 1)

    def _erase(self, films: Tensor, draw: "_RandomNumbers") -> Tensor:
        """Cover a rectangle of some films with one grey value (DeVries and Taylor 2017)."""
        side = films.shape[-1]
        position = torch.arange(side, device=films.device) / side
        half = [0.03 + 0.14 * draw.fraction() for _ in range(2)]
        rows = (position.view(1, 1, -1, 1) - draw.fraction()).abs() < half[0]
        columns = (position.view(1, 1, 1, -1) - draw.fraction()).abs() < half[1]
        chosen = draw.fraction() < self.erase
        return torch.where(rows & columns & chosen, draw.fraction(), films)

    def _add_border(self, films: Tensor, draw: "_RandomNumbers") -> Tensor:
        """Cover the border of some films with one grey value."""
        side = films.shape[-1]
        position = (torch.arange(side, device=films.device) + 0.5) / side
        width = draw.fraction() / 8
        rows, columns = position.view(1, 1, -1, 1), position.view(1, 1, 1, -1)
        inside = ((rows - 0.5).abs() < 0.5 - width) & ((columns - 0.5).abs() < 0.5 - width)
        chosen = draw.fraction() < self.border
        return torch.where(inside | ~chosen, films, draw.fraction())


class _RandomNumbers:
    """Random numbers, one for each film, shape ``(B, 1, 1, 1)``."""

    def __init__(self, films: int, generator: torch.Generator) -> None:
        self._films = films
        self._generator = generator

    def fraction(self) -> Tensor:
        """Draw from ``[0, 1)``."""
        shape, source = (self._films, 1, 1, 1), self._generator
        return torch.rand(shape, generator=source, device=source.device)

    def signed(self) -> Tensor:
        """Draw from ``[-1, 1)``."""
        return 2 * self.fraction() - 1
