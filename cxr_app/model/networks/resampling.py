"""Films and crops at another size, as Pillow resizes: bilinear, antialiased, batch by batch."""

import torch
from torch import Tensor

from cxr_app.model.lung_box import WHOLE_FILM


def crop(films: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Cut a box out of each film and resize it to a square.

    Parameters
    ----------
    films
        ``(B, 1, H, W)``.
    boxes
        ``(B, 4)``: ``left, top, right, bottom`` as fractions of width and height; ``(1, 4)`` for
        the same box of all.
    side
        Of the crops, in pixels.

    Returns
    -------
    Tensor
        ``(B, 1, side, side)``. Equal to ``Image.resize(size, BILINEAR, box)`` of Pillow but for
        its rounding to whole grey values.
    """
    left, top, right, bottom = boxes.to(films.dtype).unbind(dim=1)
    rows = _weights(top, bottom, films.shape[-2], side)  # (B, side, H)
    columns = _weights(left, right, films.shape[-1], side)  # (B, side, W)
    cut: Tensor = rows @ films[:, 0] @ columns.transpose(1, 2)
    return cut[:, None]


def resize(films: Tensor, side: int) -> Tensor:
    """Resize whole films to a square, ``(B, 1, H, W)`` to ``(B, 1, side, side)``, as `crop` does.

    As products of matrices, which OpenVINO computes for any number of films at once: its own
    resampling with antialiasing prepares each new number for tenths of a second.
    """
    return crop(films, films.new_tensor([WHOLE_FILM]), side)


def _weights(start: Tensor, end: Tensor, length: int, side: int) -> Tensor:
    """Return what each pixel of a line counts in each pixel of its crop, ``(B, side, length)``."""
    scale = (end - start) * length / side  # pixels of the film for one of the crop
    place = torch.arange(side, device=start.device, dtype=start.dtype) + 0.5
    middles = start[:, None] * length + place * scale[:, None]  # (B, side)
    pixels = torch.arange(length, device=start.device, dtype=start.dtype) + 0.5
    reach = scale.clamp_min(1.0)[:, None, None]
    weights = (1 - (pixels - middles[..., None]).abs() / reach).clamp_min(0)
    return weights / weights.sum(dim=2, keepdim=True)


def paste_on_film(cells: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Resample the grid of values of each box onto a grid that divides the whole film evenly.

    Parameters
    ----------
    cells
        ``(B, h, w)``: they divide the box evenly.
    boxes
        As for `crop`.
    side
        Of the grid on the film.

    Returns
    -------
    Tensor
        ``(B, side, side)``; nowhere beyond the values of `cells`. Outside the box the nearest of
        these are repeated.
    """
    x, y = _places_in(boxes.to(cells.dtype), side)
    grid = torch.stack(
        [x[:, None, :].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], dim=-1
    )
    laid: Tensor = torch.nn.functional.grid_sample(
        cells[:, None], grid, padding_mode="border", align_corners=False
    )
    return laid[:, 0]


def middles_inside(boxes: Tensor, side: int) -> Tensor:
    """Return which cells of a grid on the film have their middle in a box, ``(B, side, side)``."""
    x, y = _places_in(boxes, side)
    inside: Tensor = (x.abs() <= 1)[:, None, :] & (y.abs() <= 1)[:, :, None]
    return inside


def _places_in(boxes: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return x and y ``(B, side)`` of the film's cells, counted from -1 to 1 within the box."""
    left, top, right, bottom = boxes.unbind(dim=1)
    place = (torch.arange(side, device=boxes.device, dtype=boxes.dtype) + 0.5) / side
    x = 2 * (place - left[:, None]) / (right - left)[:, None] - 1
    y = 2 * (place - top[:, None]) / (bottom - top)[:, None] - 1
    return x, y
