"""One step of a network in double precision; the gradients of the first process, to a file.

    torchrun --nproc-per-node N tests/integration/gradients.py FILE

One process and several differ by rounding alone, which double precision makes negligible.
"""

import sys
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import save_file
from torch.nn import functional

from cxr_app.model.preprocessing import InputSpec
from training.fit import distributed
from training.fit.recipe import Recipe, Stage
from training.fit.training_state import initial_state

FILMS = 7  # not divisible by two


def main(path: Path) -> None:
    fabric = Fabric(accelerator="cpu", precision="64-true", **distributed.process_options())
    fabric.launch()
    torch.set_default_dtype(torch.float64)
    recipe = Recipe("any", "resnet18", (Stage(48, 1),))
    state = initial_state(fabric, recipe, InputSpec(48, 0.5, 0.2), steps=2)
    torch.manual_seed(1)
    films, targets = torch.rand(FILMS, 1, 48, 48), torch.randint(0, 3, (FILMS,))
    own = distributed.own_part(fabric, FILMS)
    state.model.train()
    loss = functional.cross_entropy(state.parallel_model(films[own]), targets[own], reduction="sum")
    fabric.backward(loss / FILMS * fabric.world_size)
    if fabric.is_global_zero:
        gradients = {
            name: weights.grad.contiguous()
            for name, weights in state.model.named_parameters()
            if weights.grad is not None
        }
        save_file(gradients | dict(state.model.named_buffers()), path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
