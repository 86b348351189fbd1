"""Training in several processes that ``torchrun`` started, so that they give what one gives.

Each process sees the same batches in the same order and takes its own part of each. Gradients and
the statistics of batch normalisation are shared, so the parts add up to the whole batch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn

from cxr_app.errors import CxrError
from cxr_app.model.classifier import choose_device


def is_first() -> bool:
    """Say whether this is the process that writes and speaks for all."""
    return not _by_torchrun() or os.environ["RANK"] == "0"


def set_up(device: str, *, exact: bool = False) -> Fabric:
    """Set up where to train; half precision where the hardware is made for it.

    Parameters
    ----------
    device
        As `CXR_DEVICE`.
    exact
        Whether to compute in single precision also where half would be faster.
    """
    accelerator = choose_device(device).type
    halves = accelerator == "cuda" or (accelerator == "cpu" and _cpu_has_bfloat16())
    kind: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if halves and not exact else "32-true"
    return Fabric(accelerator=accelerator, precision=kind, **as_started())


def _cpu_has_bfloat16() -> bool:
    """Tell whether the CPU multiplies bfloat16 by itself: an epoch then takes half the time."""
    # The question is younger than torch 2.11.
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def as_started() -> dict[str, Any]:
    """Give Fabric the number of processes that torchrun started; one where it did not."""
    if not _by_torchrun():
        return {"devices": 1}
    here, everywhere = (int(os.environ[name]) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
    return {"devices": here, "num_nodes": everywhere // here, "strategy": "ddp"}


@contextmanager
def first_alone(fabric: Fabric) -> Iterator[None]:
    """Let the first process go ahead; what it refuses, the others find out for themselves."""
    refused: CxrError | None = None
    with fabric.rank_zero_first():
        try:
            yield
        except CxrError as error:  # raised here it would leave the others waiting
            refused = error
    if refused is not None:
        raise refused


def own_part(fabric: Fabric, films: int) -> slice:
    """Say which of the films of a batch are this process's: a stretch, all but equally long."""
    begin, end = (films * rank // fabric.world_size for rank in _bounds(fabric))
    return slice(begin, end)


def share(fabric: Fabric, model: nn.Module) -> nn.Module:
    """Let all processes learn together; a single one needs nothing.

    Returns
    -------
    nn.Module
        Calls the model, and averages the gradients that come back. The model itself is changed in
        place: its batch normalisation counts the films of all processes.
    """
    if fabric.world_size == 1:
        return model
    for module in list(model.modules()):
        for name, layer in module.named_children():
            if isinstance(layer, nn.BatchNorm2d):
                setattr(module, name, _SharedBatchNorm.of(layer))
    together: nn.Module = fabric.setup_module(model)
    return together


def total(fabric: Fabric, tensor: Tensor) -> Tensor:
    """Add up what each process knows a part of."""
    if fabric.world_size > 1:
        distributed.all_reduce(tensor)
    return tensor


def _by_torchrun() -> bool:
    """Say whether torchrun started this process."""
    return distributed.is_available() and distributed.is_torchelastic_launched()


def _bounds(fabric: Fabric) -> tuple[int, int]:
    """Give this process's rank and the next."""
    return fabric.global_rank, fabric.global_rank + 1


class _SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation by the films of all processes; torch's own runs on CUDA alone."""

    @classmethod
    def of(cls, layer: nn.BatchNorm2d) -> "_SharedBatchNorm":
        """Take the place of a layer, with its weights and statistics."""
        shared = cls(layer.num_features, layer.eps, layer.momentum)
        shared.load_state_dict(layer.state_dict())
        return shared.to(layer.weight.device)

    def forward(self, batch: Tensor) -> Tensor:
        """Normalise ``(B, K, H, W)``; B may be 0 where there are fewer films than processes."""
        if not self.training:
            return super().forward(batch)
        grey = batch.to(torch.promote_types(batch.dtype, torch.float32))
        cells = grey.new_tensor([grey.numel() / self.num_features])
        total: Tensor = _Sum.apply(torch.cat([grey.sum(dim=(0, 2, 3)), cells]))
        count = total[-1]
        mean = total[:-1] / count
        centred = grey - mean.view(1, -1, 1, 1)
        squares: Tensor = _Sum.apply((centred**2).sum(dim=(0, 2, 3)))
        variance = squares / count
        self._follow(mean.detach(), (squares / (count - 1)).detach())
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normal: Tensor = centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normal.to(batch.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, as `nn.BatchNorm2d` does."""
        running_mean, running_variance = self.running_mean, self.running_var
        if running_mean is None or running_variance is None or self.momentum is None:
            raise TypeError("only normalisation with running statistics can be shared")
        running_mean.lerp_(mean, self.momentum)
        running_variance.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is summed over them too."""

    @staticmethod
    def forward(_context: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total
