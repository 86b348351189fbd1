"""What a picture shows: a chest film as it should lie, one that does not, or something else.

A small network beside the one for pneumonia recognises it. It learns from child and adult films,
and from pictures that are no chest film (`training.train_screening`), so that it knows the chest in
general and not the patients of one hospital.
"""

from itertools import pairwise

from torch import Tensor, nn

from cxr_app.model.networks.resampling import resize
from cxr_app.model.screening import ViewClass
from cxr_app.model.view_spec import VIEWS, ViewSpec

_MIRROR_IMAGE = {
    ViewClass.UPRIGHT: ViewClass.MIRRORED,
    ViewClass.MIRRORED: ViewClass.UPRIGHT,
    ViewClass.TURNED_LEFT: ViewClass.TURNED_RIGHT,
    ViewClass.UPSIDE_DOWN: ViewClass.UPSIDE_DOWN,
    ViewClass.TURNED_RIGHT: ViewClass.TURNED_LEFT,
    ViewClass.NEGATIVE: ViewClass.NEGATIVE,
    ViewClass.OTHER: ViewClass.OTHER,
}
_SWAPPED = [VIEWS.index(_MIRROR_IMAGE[view]) for view in VIEWS]
_WIDTHS = (24, 48, 96, 128)


class ViewNetwork(nn.Module):
    """Four stages of plain convolutions and one linear layer: 0.4 million weights."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [*_layer(1, _WIDTHS[0], kernel=7, stride=3)]
        for before, after in pairwise(_WIDTHS):
            layers += [*_layer(before, after, stride=2), *_layer(after, after)]
        self.body = nn.Sequential(*layers)
        self.linear = nn.Linear(_WIDTHS[-1], len(VIEWS))

    def forward(self, batch: Tensor) -> Tensor:
        """Turn normalised pictures ``(B, 1, H, W)`` into logits ``(B, 7)``."""
        features: Tensor = self.body(batch)  # (B, 128, h, w)
        logits: Tensor = self.linear(features.mean(dim=(2, 3)))
        return logits


def view_logits(network: ViewNetwork, pictures: Tensor, spec: ViewSpec) -> Tensor:
    """Compute the mean of the logits of pictures and of their mirror images.

    Parameters
    ----------
    pictures
        Grey values in ``[0, 1]``, ``(B, 1, H, W)``, of any size.

    Returns
    -------
    Tensor
        ``(B, 7)``, in the order of `VIEWS`.
    """
    small = resize(pictures, spec.size)
    seen = (small - spec.mean) / spec.standard_deviation
    mirrored: Tensor = network(seen.flip(3))
    logits: Tensor = network(seen)
    return (logits + mirrored[:, _SWAPPED]).float() / 2


def _layer(before: int, after: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """Convolve, normalise, rectify."""
    padding = kernel // 2
    return [
        nn.Conv2d(before, after, kernel, stride=stride, padding=padding, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]
