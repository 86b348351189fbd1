"""Damage real films in every way a seed brings up, and see that each file ends in words.

    python -m training.fuzz FOLDER [--mutants 100000] [--seed 0] [--start 0]

Every mutant goes the way of any film: read, screened, scored. It must end SCORED, REJECTED or
FAILED. A fault of the program ends the run with its traceback, and with the number from which
``--start`` goes on. Exit status: 0 every mutant ended in a state, 2 usage or settings.
"""

import argparse
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from cxr_app.errors import CxrError, SettingsError
from cxr_app.model.classifier import Classifier
from cxr_app.scoring import Examined, Scorer
from cxr_app.settings import Settings

BATCH = 16
_TELLING_BYTES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_HEAD = 2048
"""Where formats say what follows: half of the damage is done there."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.read()
        scorer = Scorer(Classifier.load(options.checkpoint or settings.checkpoint, settings.device))
        films = read_films(options.folder)
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    numbers = range(options.start, options.start + options.mutants)
    counts = fuzz(scorer, films, numbers, options.seed)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.mutants} mutants of {len(films)} films in {time.monotonic() - began:.0f} s")
    print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    print(f"Most memory, without the decoders: {memory:.0f} MB")
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the films are")
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--checkpoint", type=Path, help="default: CXR_CHECKPOINT")
    return parser


def read_films(folder: Path) -> list[bytes]:
    """Read every file of a folder, at any depth, in a stable order.

    Raises
    ------
    SettingsError
        If there are none.
    """
    films = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    films = [film for film in films if film]
    if not films:
        raise SettingsError(f"{folder} holds no files. Give a folder of films.")
    return films


def fuzz(scorer: Scorer, films: Sequence[bytes], numbers: range, seed: int) -> Counter[str]:
    """Score the mutants of these numbers, and count the states they end in."""
    counts: Counter[str] = Counter()
    waiting: list[Examined] = []
    for number in tqdm(numbers, unit="mutant", disable=None):
        choose = random.Random(f"{seed} {number}")  # noqa: S311 - no secret
        try:
            waiting.append(scorer.examine(mutant(choose.choice(films), choose)))
        except Exception:
            print(f"Mutant {number} of seed {seed} met a fault of the program.", file=sys.stderr)
            raise
        if len(waiting) == BATCH or number == numbers[-1]:
            counts.update(outcome.state.value for outcome in scorer.score_all(waiting))
            waiting = []
    return counts


def mutant(data: bytes, choose: random.Random) -> bytes:
    """Damage a file as transfers, disks and strangers do."""
    damaged = bytearray(data)
    for _ in range(choose.randint(1, 12)):
        reach = min(len(damaged), _HEAD) if choose.random() < 0.5 else len(damaged)
        position = choose.randrange(reach)
        kind = choose.randrange(6)
        if kind == 0:
            damaged[position] = choose.randrange(256)
        elif kind == 1:
            damaged[position] = choose.choice(_TELLING_BYTES)
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


if __name__ == "__main__":
    sys.exit(main())
