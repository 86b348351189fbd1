"""Weight randomisation: whether a map depends on what the network has learned.

The weights of a part of the network are replaced by random ones. If the map stays the same, it
shows what any network responds to, such as edges, and not what this network has learned.

References
----------
Adebayo et al. 2018, section 3.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from cxr_app.model import checkpoint, networks
from cxr_app.model.checkpoint import Checkpoint

PARTS = ("head", "head and last block", "whole network")
SEEDS = 3
"""Random networks for each part, since a single one may resemble the true one by chance."""


def randomised(source: Checkpoint, part: str, seed: int) -> Checkpoint:
    """Return a copy of a checkpoint with one of `PARTS` untrained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = networks.build(source.description.architecture)
    random = checkpoint.rounded(fresh)
    replaced = {name: random[name] for name in _names(fresh, part)}
    return replace(source, weights={**source.weights, **replaced})


def _names(fresh: networks.GridNetwork, part: str) -> Iterator[str]:
    """Yield the names of a part's weights; the head is everything after the body."""
    kept = "" if part == "whole network" else "body."
    ends = [f"{name}.{_last_block(body)}." for name, body in fresh.bodies.items()]
    last = tuple(ends) if part == "head and last block" else ()
    for name in fresh.state_dict():
        if not (kept and name.startswith(kept)) or name.startswith(last):
            yield name


def _last_block(body: nn.Module) -> str:
    """Return the name of the last stage of a body that has weights."""
    return [name for name, stage in body.named_children() if list(stage.parameters())][-1]
