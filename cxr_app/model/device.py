"""The device that a network runs on."""

import torch

from cxr_app.errors import SettingsError


def choose_device(name: str) -> torch.device:
    """Return the device to run on: the one named, or for ``auto`` CUDA, else MPS, else the CPU.

    Raises
    ------
    SettingsError
        If this machine does not have it.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(name for name in there if there[name]))
    if not there.get(name, False):
        found = ", ".join(name for name in there if there[name])
        raise SettingsError(
            f"CXR_DEVICE is {name!r}, which this machine does not offer; it has {found}. "
            "Set CXR_DEVICE to one of these or to auto."
        )
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """Return a name for the device that the network runs on."""
    if device.type == "cuda":
        return f"GPU · {torch.cuda.get_device_name(device)}"
    return "GPU · Apple" if device.type == "mps" else "CPU"


def gpu_memory() -> tuple[str, int, int] | None:
    """Return the name of the first CUDA GPU, and its free and whole memory in bytes."""
    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info(0)
    return torch.cuda.get_device_name(0), free, total


def use_threads(count: int | None) -> None:
    """Compute on a CPU with as many threads; None leaves it to PyTorch."""
    if count is not None:
        torch.set_num_threads(count)
