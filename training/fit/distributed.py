"""Training in several processes started by ``torchrun``, with the results of a single one.

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

from cxr_app.errors import CxrError, SettingsError
from cxr_app.model.device import choose_device


def is_first() -> bool:
    """Return whether this is the process that writes files and messages."""
    return not _by_torchrun() or os.environ["RANK"] == "0"


def set_up(device: str, *, exact: bool = False) -> Fabric:
    """Set up device, processes and precision: half precision if the hardware supports it.

    Parameters
    ----------
    device
        As `CXR_DEVICE`.
    exact
        Whether to compute in single precision even if half would be faster.
    """
    accelerator = choose_device(device).type
    has_half = accelerator == "cuda" or (accelerator == "cpu" and _cpu_has_bfloat16())
    precision: Literal["bf16-mixed", "32-true"] = (
        "bf16-mixed" if has_half and not exact else "32-true"
    )
    return Fabric(accelerator=accelerator, precision=precision, **process_options())


def _cpu_has_bfloat16() -> bool:
    """Return whether the CPU has bfloat16 instructions: an epoch then takes half the time."""
    # `get_capabilities` is younger than torch 2.11.
    found: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def refuse_several(recipe: str) -> None:
    """Refuse more than one process for a recipe that is trained in one.

    Raises
    ------
    SettingsError
        If torchrun started several.
    """
    if _by_torchrun() and int(os.environ["WORLD_SIZE"]) > 1:
        raise SettingsError(
            f"The recipe {recipe} is trained in one process, and torchrun started "
            f"{os.environ['WORLD_SIZE']}. Start it with python -m training.train."
        )


def process_options() -> dict[str, Any]:
    """Return the options of Fabric for the processes of torchrun; without it, for one process."""
    if not _by_torchrun():
        return {"devices": 1}
    local, world = (int(os.environ[name]) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
    return {"devices": local, "num_nodes": world // local, "strategy": "ddp"}


@contextmanager
def first_process_first(fabric: Fabric) -> Iterator[None]:
    """Run a block in the first process, then in the others, which may raise the same error."""
    refused: CxrError | None = None
    with fabric.rank_zero_first():
        try:
            yield
        except CxrError as error:  # raised here, it would leave the others waiting
            refused = error
    if refused is not None:
        raise refused


def own_part(fabric: Fabric, films: int) -> slice:
    """Return this process's part of a batch; all parts have nearly the same length."""
    rank, processes = fabric.global_rank, fabric.world_size
    return slice(films * rank // processes, films * (rank + 1) // processes)


def parallel(fabric: Fabric, model: nn.Module) -> nn.Module:
    """Return a network that all processes train together; unchanged for a single process.

    Returns
    -------
    nn.Module
        Calls the model and averages its gradients over the processes. The model itself is changed
        in place: its batch normalisation counts the films of all processes.
    """
    if fabric.world_size == 1:
        return model
    if fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    else:
        _synchronise_on_cpu(model)
    together: nn.Module = fabric.setup_module(model)
    return together


def _synchronise_on_cpu(model: nn.Module) -> None:
    """Replace the layers of batch normalisation in place."""
    for module in list(model.modules()):
        for name, layer in module.named_children():
            if isinstance(layer, nn.BatchNorm2d):
                setattr(module, name, _CpuSyncBatchNorm.of(layer))


def total(fabric: Fabric, tensor: Tensor) -> Tensor:
    """Sum a tensor over all processes, in place."""
    if fabric.world_size > 1:
        distributed.all_reduce(tensor)
    return tensor


def _by_torchrun() -> bool:
    """Return whether torchrun started this process."""
    return distributed.is_available() and distributed.is_torchelastic_launched()


class _CpuSyncBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the films of all processes; `nn.SyncBatchNorm` has no CPU form."""

    @classmethod
    def of(cls, layer: nn.BatchNorm2d) -> "_CpuSyncBatchNorm":
        """Return a layer with the weights and statistics of an ordinary one."""
        shared = cls(layer.num_features, layer.eps, layer.momentum)
        shared.load_state_dict(layer.state_dict())
        return shared.to(layer.weight.device)

    def forward(self, batch: Tensor) -> Tensor:
        """Normalise ``(B, K, H, W)``; B may be 0 if there are fewer films than processes."""
        if not self.training:
            return super().forward(batch)
        values = batch.to(torch.promote_types(batch.dtype, torch.float32))
        cells = values.new_tensor([values.numel() / self.num_features])
        total: Tensor = _Sum.apply(torch.cat([values.sum(dim=(0, 2, 3)), cells]))
        count = total[-1]
        mean = total[:-1] / count
        centred = values - mean.view(1, -1, 1, 1)
        squares: Tensor = _Sum.apply((centred**2).sum(dim=(0, 2, 3)))
        variance = squares / count
        self._update_statistics(mean.detach(), (squares / (count - 1)).detach())
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normal: Tensor = centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normal.to(batch.dtype)

    def _update_statistics(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics, as `nn.BatchNorm2d` does."""
        running_mean, running_variance = self.running_mean, self.running_var
        if running_mean is None or running_variance is None or self.momentum is None:
            raise TypeError("only normalisation with running statistics can be synchronised")
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
