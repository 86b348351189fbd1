"""Mutants of films: damage of every kind; each mutant must end in a state."""

import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from cxr_app.errors import SettingsError
from cxr_app.examined import Examined
from cxr_app.scoring import Scorer

BATCH = 16
_BOUNDARY_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_HEAD_BYTES = 2048
"""Bytes in which file formats describe what follows; half of the damage is done there."""


def read_seeds(folder: Path) -> list[bytes]:
    """Read all files below a folder, in a stable order.

    Raises
    ------
    SettingsError
        If there is none, or none has content.
    """
    films = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    films = [film for film in films if film]
    if not films:
        raise SettingsError(f"{folder} holds no files. Choose a folder of films.")
    return films


def count_states(scorer: Scorer, films: Sequence[bytes], numbers: range, seed: int) -> Counter[str]:
    """Score the mutants with these numbers, and return how many end in each state."""
    counts: Counter[str] = Counter()
    waiting: list[Examined] = []
    for number in tqdm(numbers, unit="mutant", disable=None):
        choose = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
        try:
            waiting.append(scorer.examine(mutant(choose.choice(films), choose)))
        except Exception:
            print(f"Mutant {number} of seed {seed} caused an unexpected error.", file=sys.stderr)
            raise
        if len(waiting) == BATCH or number == numbers[-1]:
            counts.update(outcome.state.value for outcome in scorer.score_all(waiting))
            waiting = []
    return counts


def mutant(data: bytes, choose: random.Random) -> bytes:
    """Return a damaged copy of a file: bytes changed, removed, inserted, copied or cut off."""
    damaged = bytearray(data)
    for _ in range(choose.randint(1, 12)):
        reach = min(len(damaged), _HEAD_BYTES) if choose.random() < 0.5 else len(damaged)
        position = choose.randrange(reach)
        kind = choose.randrange(6)
        if kind == 0:
            damaged[position] = choose.randrange(256)
        elif kind == 1:
            damaged[position] = choose.choice(_BOUNDARY_BYTES)
        elif kind == 2:
            del damaged[position : position + choose.randint(1, 40)]
        elif kind == 3:
            damaged[position:position] = choose.randbytes(choose.randint(1, 8))
        elif kind == 4:
            source = choose.randrange(len(damaged))
            length = choose.randint(1, 64)
            damaged[position : position + length] = damaged[source : source + length]
        elif choose.random() < 0.2:
            del damaged[max(1, position) :]
        damaged = damaged or bytearray(b"\0")
    return bytes(damaged)
