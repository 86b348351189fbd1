"""Four earlier networks for this same data, each as its author described it.

They say pneumonia or not and know no causes. What a description leaves open is chosen here as was
usual in their day and marked *open*.
"""

import math
from collections.abc import Callable
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import VGG19_Weights, vgg19

from cxr_app.errors import SettingsError
from cxr_app.model.networks.base import BinaryNetwork, GridNetwork


def five_conv(activation: type[nn.Module]) -> BinaryNetwork:
    """Build five 3 x 3 convolutions on 300 x 300 x 3 and two dense layers: 311,041 parameters.

    Each convolution is followed by 2 x 2 max-pooling, and the last three halve the size
    themselves: 300, pool 150, pool 75, 38, pool 19, 10, pool 5, 3, pool 1. The last pooling
    leaves the right and lower cells of the 3 x 3 grid unused.
    """
    body = nn.Sequential()
    filters = (3, 32, 64, 64, 128, 128)
    for block, stride in enumerate((1, 1, 2, 2, 2)):
        body.append(nn.Conv2d(filters[block], filters[block + 1], 3, stride, padding=1))
        body.append(activation())
        if block < 4:
            body.append(nn.MaxPool2d(2))
    head = nn.Sequential(
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 256),
        activation(),
        nn.Dropout(0.5),  # open
        nn.Linear(256, 1),
    )
    return BinaryNetwork(body, head, size=300)


def four_conv(size: int) -> BinaryNetwork:
    """Build four stages of convolution, ReLU and max-pooling, then dense layers with dropout 0.1.

    Open: one grey channel, 32, 64, 128 and 128 filters of 3 x 3, a dense layer of 128.

    Parameters
    ----------
    size
        Side of the films: 128 or 256.
    """
    body = nn.Sequential()
    filters = (1, 32, 64, 128, 128)
    for stage in range(4):
        body.append(nn.Conv2d(filters[stage], filters[stage + 1], 3, padding=1))
        body.append(nn.ReLU())
        if stage < 3:
            body.append(nn.MaxPool2d(2))
    head = nn.Sequential(
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128 * (size // 16) ** 2, 128),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Linear(128, 1),
    )
    return BinaryNetwork(body, head, size)


def vgg19_transfer() -> BinaryNetwork:
    """Build VGG19 (Simonyan and Zisserman 2015) at 224 x 224 with a new head.

    Open: dropout 0.5 and one dense layer as the head. Its weights are random until
    `load_imagenet`.
    """
    body = vgg19(weights=None).features[:-1]  # without the last pooling, which the head begins with
    head = nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(512 * 7 * 7, 1))
    return BinaryNetwork(body, head, size=224)


def separable_conv() -> BinaryNetwork:
    """Build ordinary and separable convolutions in turn on 150 x 150 grey, histogram equalised.

    Each has batch normalisation and max-pooling; then dense 128 with dropout 0.3. Open: kernels
    of 3 x 3, ReLU.
    """
    body = nn.Sequential(
        Equalisation(),
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(32), nn.MaxPool2d(2)),
        *(_separable(32, 32), nn.ReLU(), nn.BatchNorm2d(32), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(64), nn.MaxPool2d(2)),
        *(_separable(64, 64), nn.ReLU(), nn.BatchNorm2d(64)),
    )
    head = nn.Sequential(
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 9 * 9, 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 1),
    )
    return BinaryNetwork(body, head, size=150)


def _separable(channels: int, filters: int) -> nn.Sequential:
    """Convolve each channel for itself, then mix them (Chollet 2017)."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.Conv2d(channels, filters, 1),
    )


class Equalisation(nn.Module):
    """Equalise a film's histogram: each grey value becomes the share of pixels up to it.

    Here and not in `preprocessing`, so that training and reading cannot differ, and a film is the
    same however it was exposed or normalised. The result has mean 0 and variance 1.
    """

    def forward(self, batch: Tensor) -> Tensor:
        """Equalise each film of ``(B, 1, H, W)``."""
        grey = batch.flatten(1).contiguous()
        ordered = grey.sort(dim=1).values
        share = torch.searchsorted(ordered, grey, right=True) / grey.shape[1]
        return ((share - 0.5) * math.sqrt(12)).to(batch.dtype).view(batch.shape)


def load_imagenet(network: GridNetwork) -> None:
    """Load ImageNet's weights into VGG19's convolutions, and freeze them.

    Raises
    ------
    SettingsError
        If this machine can neither find nor fetch them, or the network has none.
    """
    try:
        weights = VGG19_Weights.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise SettingsError(
            f"ImageNet's weights for VGG19 cannot be loaded ({error}): let this machine reach "
            "download.pytorch.org, or start from random weights with --random-initialisation."
        ) from error
    features = {name: value for name, value in weights.items() if name.startswith("features.")}
    network.body.load_state_dict(
        {name.removeprefix("features."): value for name, value in features.items()}
    )
    network.body.requires_grad_(requires_grad=False)


NETWORKS: dict[str, Callable[[], GridNetwork]] = {
    "five_conv_swish": lambda: five_conv(nn.SiLU),
    "five_conv_relu": lambda: five_conv(nn.ReLU),
    "four_conv": lambda: four_conv(128),
    "four_conv_256": lambda: four_conv(256),
    "vgg19_transfer": vgg19_transfer,
    "separable_conv": separable_conv,
}
