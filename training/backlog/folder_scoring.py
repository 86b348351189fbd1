"""A batch run from the options of `training.batch` to its exit status."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from cxr_app.errors import SettingsError
from cxr_app.film_store import FilmStore
from cxr_app.model import checkpoint
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.model.site_prevalence import at_prevalence
from cxr_app.operations.opening import open_worklist
from cxr_app.promotion import checkpoint_in_use
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training.backlog import engines
from training.backlog.archives import open_archives
from training.backlog.engines import BacklogPlan, FoundFile
from training.backlog.folder import FolderScan, FolderWatch, refuse_outside_links
from training.backlog.results import Results
from training.backlog.run import Backlog
from training.backlog.run_progress import BatchProgress


class BatchOptions(Namespace):
    """Options of `training.batch`, whose help describes them."""

    folder: Path
    out: Path
    checkpoint: Path | None
    device: str | None
    engine: str
    workers: int | None
    batch_size: int | None
    limit: int | None
    watch: bool
    retry_failed: bool
    within: list[Path]
    progress: Path | None
    worklist: bool


def score_folder(options: BatchOptions, progress: BatchProgress) -> int:
    """Score the films that are due, and return the exit status."""
    if not options.folder.is_dir():
        raise SettingsError(f"{options.folder} is not a folder. Name the folder with the films.")
    settings = Settings.read()
    with ExitStack() as stack:
        worklist = open_worklist(settings) if options.worklist else None
        if worklist is not None:
            stack.enter_context(closing(worklist))
        path = _checkpoint_path(options, settings, worklist)
        source = at_prevalence(checkpoint.load(path), settings.prevalence)
        results = Results(options.out, source.model_version, retry_failed=options.retry_failed)
        stack.enter_context(closing(results))
        plan = _plan(options, settings, (path, source), worklist)
        store = FilmStore(settings.films_dir)
        backlog = Backlog(results, worklist, source, store)
        progress.follow(backlog.tally, results.earlier)
        try:
            _score(options, backlog, plan, progress)
        except KeyboardInterrupt:
            if not options.watch:  # which has no other end
                raise
        return 1 if backlog.tally.failed or results.earlier["FAILED"] else 0


def _checkpoint_path(options: BatchOptions, settings: Settings, worklist: Worklist | None) -> Path:
    """Return the checkpoint to score with: the one asked for, else the one in use."""
    if options.checkpoint is not None or worklist is None:
        return Path(options.checkpoint or settings.checkpoint)
    return checkpoint_in_use(settings, worklist)


def _plan(
    options: BatchOptions,
    settings: Settings,
    model: tuple[Path, Checkpoint],
    worklist: Worklist | None,
) -> BacklogPlan:
    """Collect what the workers need to know."""
    path, source = model
    known = worklist.scored_by(source.model_version) if worklist is not None else set()
    attested = worklist.attestations.standing() if worklist is not None else {}
    return BacklogPlan(
        checkpoint=path.resolve(),
        model_version=source.model_version,
        input_spec=source.description.input_spec,
        device=options.device or settings.device,
        runtime=settings.runtime,
        workers=options.workers,
        batch_size=options.batch_size,
        known=frozenset(known - attested.keys()),
        attested=attested,
        other_ages=settings.other_ages,
        prevalence=settings.prevalence,
    )


def _score(
    options: BatchOptions, backlog: Backlog, plan: BacklogPlan, progress: BatchProgress
) -> None:
    """Score the films of the folder, or those that arrive in it, up to the limit."""
    left: int | None = options.limit
    with ExitStack() as stack:
        engine: engines.BacklogEngine | None = None
        for found in _arrivals(options, progress):
            due = backlog.due(found)[:left]
            if due and engine is None:  # it takes seconds to load
                engine = stack.enter_context(closing(engines.start(options.engine, plan)))
            if engine is not None:
                for _ in backlog.score(due, engine):
                    progress.update()
            if left is not None and (left := left - len(due)) == 0:
                break


def _arrivals(options: BatchOptions, progress: BatchProgress) -> Iterator[Sequence[FoundFile]]:
    """Yield all films of the folder at once; if it is watched, those that arrive each time."""
    if not options.watch:
        scanned = FolderScan(options.folder)
        packed: list[str] = []
        found = open_archives(refuse_outside_links(scanned, options.within), packed)
        yield list(progress.searching(found))
        progress.passed_over = (*scanned.passed_over, *packed)
        return
    watch = FolderWatch(options.folder)
    while True:
        yield list(open_archives(refuse_outside_links(watch.arrived(), options.within), []))
