"""Batches of decoded films, as a network reads them."""

import numpy as np
import torch
from torch import Tensor

from cxr_app.model.preprocessing import InputSpec
from training.data.dataset import Films


def to_batch(films: Films, device: torch.device) -> Tensor:
    """Convert bytes ``(B, H, W)`` to a batch ``(B, 1, H, W)`` in ``[0, 1]``."""
    batch = torch.from_numpy(np.ascontiguousarray(films))[:, None]
    if device.type == "cuda":
        batch = batch.pin_memory()  # copied while the GPU computes
    return batch.to(device, non_blocking=True).float().div_(255)


def normalise(batch: Tensor, spec: InputSpec) -> Tensor:
    """Apply the input specification; the result has channels last."""
    normal = (batch - spec.mean) / spec.standard_deviation
    return normal.contiguous(memory_format=torch.channels_last)
