"""Score a folder of backlog films.

    python -m training.batch FOLDER --out results.csv [--no-worklist] [--watch] [--limit N]

Films are found at any depth by their content. The same command again goes on where it stopped.
Exit status: 0 all done, 1 done but some files FAILED, 2 usage or settings; 130 stopped half-way.
"""

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from tqdm.contrib.logging import logging_redirect_tqdm

from cxr_app import log_privacy
from cxr_app.errors import CxrError, SettingsError
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.promotion import checkpoint_in_use
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training.backlog import engines
from training.backlog.engines import BacklogPlan, Found
from training.backlog.folder import Watch, find_films, inside
from training.backlog.results import Results
from training.backlog.run import Backlog
from training.backlog.run_progress import BatchProgress
from training.command_line.device_option import add_device_option

STOPPED = 130
"""Exit status of a run that was stopped half-way, as shells have it."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    telling = BatchProgress(options.progress)
    try:
        with logging_redirect_tqdm():
            status = _run(options, telling)
    except KeyboardInterrupt:
        status = STOPPED
    except CxrError as error:
        if options.progress is None:  # else it is told there, and a log holds no file's name
            print(error, file=sys.stderr)
        telling.end(2, str(error))
        return 2
    print(telling.summary(options.out))
    if status == STOPPED:
        print("Stopped before the end. The same command goes on here.", file=sys.stderr)
    else:
        telling.end(status)
    return status


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.batch", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="where the films are")
    add("--out", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    add(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="default: the model in use; with --no-worklist CXR_CHECKPOINT",
    )
    add_device_option(parser)
    add("--engine", choices=sorted(engines.ENGINES), default="local", help="default: local")
    add(
        "--workers",
        type=_whole_number(0, 1024),
        metavar="N",
        help="processes that read and score; 0: this one alone; default: one for each core",
    )
    add(
        "--batch-size",
        type=_whole_number(1, 256),
        metavar="N",
        help="films that the network sees at once; default: 8 on a CPU, 32 on a GPU",
    )
    add("--limit", type=_whole_number(0, 10**9), metavar="N", help="stop after N more films")
    add("--watch", action="store_true", help="stay, and score what arrives; Ctrl-C ends it")
    add("--retry-failed", action="store_true", help="try again what FAILED in an earlier run")
    add(
        "--within",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="do not follow a link to a film outside DIR; may be given several times",
    )
    add("--progress", type=Path, metavar="FILE", help="keep how far the run is in this JSON file")
    add(
        "--worklist",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also enter the films into the worklist (the default)",
    )
    return parser


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Make a reader of whole numbers within bounds."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{number} is not between {lowest} and {highest}")
        return number

    return whole_number


def _run(options: argparse.Namespace, telling: BatchProgress) -> int:
    """Score what is due, and give the exit status."""
    if not options.folder.is_dir():
        raise SettingsError(
            f"{options.folder} is not a folder. Give the folder that holds the films."
        )
    settings = Settings.read()
    with ExitStack() as ends:
        worklist = Worklist.open(settings.worklist_url) if options.worklist else None
        if worklist is not None:
            ends.enter_context(closing(worklist))
        path = _checkpoint(options, settings, worklist)
        source = checkpoint.load(path)
        results = Results(options.out, source.model_version, retry_failed=options.retry_failed)
        ends.enter_context(closing(results))
        plan = _plan(options, settings, (path, source), worklist)
        backlog = Backlog(results, worklist, source)
        telling.follow(backlog.tally, results.earlier)
        try:
            _score(options, backlog, plan, telling)
        except KeyboardInterrupt:
            if not options.watch:  # of which this is the end
                raise
        return 1 if backlog.tally.failed or results.earlier["FAILED"] else 0


def _checkpoint(options: argparse.Namespace, settings: Settings, worklist: Worklist | None) -> Path:
    """Find the checkpoint to score with: the one asked for, else the one in use."""
    if options.checkpoint is not None or worklist is None:
        return Path(options.checkpoint or settings.checkpoint)
    return checkpoint_in_use(settings, worklist)


def _plan(
    options: argparse.Namespace,
    settings: Settings,
    model: tuple[Path, Checkpoint],
    worklist: Worklist | None,
) -> BacklogPlan:
    """Say what the workers must know."""
    path, source = model
    known = worklist.scored_by(source.model_version) if worklist is not None else set()
    return BacklogPlan(
        checkpoint=path.resolve(),
        model_version=source.model_version,
        input_spec=source.description.input_spec,
        device=options.device or settings.device,
        runtime=settings.runtime,
        workers=options.workers,
        batch_size=options.batch_size,
        known=frozenset(known),
        other_ages=settings.other_ages,
    )


def _score(
    options: argparse.Namespace, backlog: Backlog, plan: BacklogPlan, telling: BatchProgress
) -> None:
    """Go through the folder, or through what arrives in it, up to the limit."""
    left: int | None = options.limit
    with ExitStack() as ends:
        engine: engines.BacklogEngine | None = None
        for found in _arrivals(options, telling):
            due = backlog.due(found)[:left]
            if due and engine is None:  # which takes seconds to load
                engine = ends.enter_context(closing(engines.start(options.engine, plan)))
            if engine is not None:
                for _ in backlog.score(due, engine):
                    telling.tell()
            if left is not None and (left := left - len(due)) == 0:
                break


def _arrivals(options: argparse.Namespace, telling: BatchProgress) -> Iterator[Sequence[Found]]:
    """Give all films of the folder; or, as long as it is watched, those that have arrived."""
    if not options.watch:
        yield list(telling.looking(inside(find_films(options.folder), options.within)))
        return
    watch = Watch(options.folder)
    while True:
        yield list(inside(watch.arrived(), options.within))


if __name__ == "__main__":
    log_privacy.hide_messages()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped in good order
    sys.exit(main())
