"""Time and size of backups and of a restoration, with drawn films; equal by content.

    python -m training.bench.backup_rate FOLDER [--films 100000] [--new 1000] [--database URL]

FOLDER must be new; it gets the installation, the backup and the restored installation. With
`--database` the worklist of the installation is in that (empty) PostgreSQL database.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image as PillowImage

from cxr_app.errors import CxrError
from cxr_app.film_store import FilmStore
from cxr_app.operations.backup import back_up, restore, verify
from cxr_app.operations.film_copies import THREADS
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from training.bench.million_entries import synthetic_films
from training.command_line.number_types import whole_number
from training.drawing.phantom_films import draw_phantom, opacities_of

DRAWN, SIDE = 8, 96
TOGETHER = 500

Answer = TypeVar("Answer")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a line for each step, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.folder.mkdir(parents=True)
        return _measure(options)
    except FileExistsError:
        print(f"{options.folder} exists. Name a new folder.", file=sys.stderr)
    except OSError as error:
        print(f"{options.folder} cannot be written: {error.strerror}.", file=sys.stderr)
    except CxrError as error:
        print(error, file=sys.stderr)
    return 2


def _measure(options: argparse.Namespace) -> int:
    """Back up and restore in a new folder; return 1 if anything differs, else 0."""
    here = Settings(data_dir=options.folder / "installation", database_url=options.database)
    there = Settings(data_dir=options.folder / "restored")
    backup, films = options.folder / "backup", options.films
    _timed(f"receive {films} films", lambda: receive_films(here, range(films)))
    _timed("first backup", lambda: back_up(here, backup))
    print(f"size: films {_megabytes(here.films_dir)}, backup {_megabytes(backup)}", flush=True)
    _timed(
        f"receive {options.new} more",
        lambda: receive_films(here, range(films, films + options.new)),
    )
    _timed("second backup", lambda: back_up(here, backup))
    faults = _timed("verify", lambda: verify(backup))
    _timed("restore", lambda: restore(there, backup))
    differences = _timed("compare", lambda: compare_installations(here, there))
    print(f"faults: {len(faults)}, differences: {differences}")
    return 1 if faults or differences else 0


def receive_films(settings: Settings, numbers: range) -> None:
    """Store drawn films, each with other bytes, and enter them as a run does."""
    pictures = _pictures()
    films = FilmStore(settings.films_dir)

    def keep(number: int) -> str:
        # After the end of the picture, which decoders ignore.
        return films.keep(pictures[number % DRAWN] + b"%d" % number)

    with (
        closing(Worklist.open(settings.worklist_url)) as worklist,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        for start in range(numbers.start, numbers.stop, TOGETHER):
            part = range(start, min(start + TOGETHER, numbers.stop))
            kept = threads.map(keep, part)
            worklist.enter(
                (replace(outcome, sha256=sha256), source, films.path(sha256))
                for sha256, (outcome, source, _) in zip(kept, synthetic_films(part), strict=True)
            )


def compare_installations(first: Settings, second: Settings) -> int:
    """Return how many films differ in content or entry; each is read and hashed."""
    stores = FilmStore(first.films_dir), FilmStore(second.films_dir)
    here, there = stores
    films = sum(here.read(each) != there.read(each) for each in here.stored())
    entries = zip_longest(_entries(first), _entries(second))
    return films + len([one for one, other in entries if one != other])


def _entries(settings: Settings) -> Iterator[str]:
    """Yield every entry in words, in the order of the list, without the place of its film."""
    query, offset = Query(state="all"), 0
    with closing(Worklist.open(settings.worklist_url)) as worklist:
        while found := worklist.page(query, offset, TOGETHER):
            offset += len(found)
            yield from (repr(replace(entry, path=Path())) for entry in found)


def _pictures() -> list[bytes]:
    pictures = []
    for seed in range(DRAWN):
        file = BytesIO()
        film = draw_phantom(seed, SIDE, SIDE, opacities_of(seed))
        PillowImage.fromarray(np.rint(film * 255).astype(np.uint8)).save(file, "JPEG", quality=75)
        pictures.append(file.getvalue())
    return pictures


def _timed(what: str, step: Callable[[], Answer]) -> Answer:
    begin, computed = time.monotonic(), time.process_time()
    result = step()
    took, computed = time.monotonic() - begin, time.process_time() - computed
    print(f"{what}: {took:.1f} s, of which {computed:.1f} s computing", flush=True)
    return result


def _megabytes(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.0f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.bench.backup_rate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--films", type=whole_number(1, 10**8), default=100_000, help="default: 100,000"
    )
    parser.add_argument(
        "--new", type=whole_number(0, 10**8), default=1_000, help="before the second backup"
    )
    parser.add_argument("--database", default="", metavar="URL", help="of PostgreSQL")
    return parser


if __name__ == "__main__":
    sys.exit(main())
