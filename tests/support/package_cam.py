"""The map of the `grad-cam` package, to compare ours with."""

import numpy as np
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from torch import Tensor, nn

from cxr_app.model.evidence import log_odds


def package_map(network: nn.Module, body: nn.Module, film: Tensor) -> NDArray[np.float32]:
    """Return the package's Grad-CAM of the log-odds of pneumonia, on the grid of a body."""
    targets = [lambda output: log_odds(output[None])[0]]
    with GradCAM(model=network, target_layers=[body]) as package:
        package(input_tensor=film, targets=targets)
        seen = package.activations_and_grads
        (found,) = package.get_cam_image(
            film,
            body,
            targets,
            seen.activations[0].detach().numpy(),
            seen.gradients[0].detach().numpy(),
        )
    return np.asarray(found)
