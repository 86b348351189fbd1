"""A batch run from the options of `training.batch` to its exit status."""

import math
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from cxr_app.errors import SettingsError
from cxr_app.film_store import FilmStore
from cxr_app.model.description import DescribedCheckpoint, read_described
from cxr_app.model.site_prevalence import described_at_prevalence
from cxr_app.operations.command_events import CommandRun, noted_command
from cxr_app.operations.opening import open_worklist
from cxr_app.pacs.film_query import FilmQuery
from cxr_app.promotion import checkpoint_in_use
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from training.backlog import engines
from training.backlog.batch_options import BatchOptions
from training.backlog.engines.contract import BacklogEngine, BacklogPlan, FoundFile
from training.backlog.folder_origin import FolderOrigin
from training.backlog.patience import LONGEST_SECONDS
from training.backlog.results import Results
from training.backlog.run import Backlog
from training.backlog.run_progress import BatchProgress

if TYPE_CHECKING:  # it brings the DICOM network, which a folder does not need
    from training.backlog.archive_origin import ArchiveOrigin


def score_backlog(options: BatchOptions, progress: BatchProgress) -> int:
    """Score the films that are due, and return the exit status."""
    settings = Settings.read()
    origin = _origin(options, settings)
    with ExitStack() as stack:
        worklist = open_worklist(settings) if options.worklist else None
        run = CommandRun()
        if worklist is not None:
            run = stack.enter_context(noted_command(settings, "training.batch"))
            stack.enter_context(closing(worklist))
        path = _checkpoint_path(options, settings, worklist)
        source = described_at_prevalence(read_described(path), settings.prevalence)
        results = Results(options.out, source.model_version, retry_failed=options.retry_failed)
        stack.enter_context(closing(results))
        plan = _plan(options, settings, (path, source), worklist)
        store = FilmStore(settings.films_dir)
        patience = math.inf if options.watch else LONGEST_SECONDS
        backlog = Backlog(results, worklist, source, store, patience)
        progress.follow(backlog.tally, results.earlier)
        try:
            with closing(_due(origin, worklist, backlog, progress)) as due:
                _score(options, backlog, plan, progress, due)
        except KeyboardInterrupt:
            if not options.watch:  # which has no other end
                raise
        finally:
            run.detail = str(backlog.tally)
        return 1 if backlog.tally.failed or results.earlier["FAILED"] else 0


def _origin(options: BatchOptions, settings: Settings) -> "FolderOrigin | ArchiveOrigin":
    """Return where the films come from, or say which options do not go together."""
    if options.folder is not None and options.from_pacs is None:
        return FolderOrigin(options.folder, options.within, watches=options.watch)
    if options.from_pacs is None or options.folder is not None:
        raise SettingsError("Name a folder, or --from-pacs with a query: one of the two.")
    query = FilmQuery.parse(options.from_pacs)
    if options.watch or options.within or not options.worklist:
        raise SettingsError(
            "--from-pacs keeps films as the receiver does and enters them into the worklist: "
            "leave out --no-worklist, --watch and --within."
        )
    from training.backlog.archive_origin import ArchiveOrigin

    return ArchiveOrigin(settings, query, options.limit)


def _due(
    origin: "FolderOrigin | ArchiveOrigin",
    worklist: Worklist | None,
    backlog: Backlog,
    progress: BatchProgress,
) -> Generator[Sequence[FoundFile]]:
    """Yield the films that are due, as they come."""
    if isinstance(origin, FolderOrigin):
        yield from origin.due(backlog, progress)
    elif worklist is not None:
        yield from origin.due(backlog, progress, worklist)


def _checkpoint_path(options: BatchOptions, settings: Settings, worklist: Worklist | None) -> Path:
    """Return the checkpoint to score with: the one asked for, else the one in use."""
    if options.checkpoint is not None or worklist is None:
        return Path(options.checkpoint or settings.checkpoint)
    return checkpoint_in_use(settings, worklist)


def _plan(
    options: BatchOptions,
    settings: Settings,
    model: tuple[Path, DescribedCheckpoint],
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
    options: BatchOptions,
    backlog: Backlog,
    plan: BacklogPlan,
    progress: BatchProgress,
    arrivals: Iterable[Sequence[FoundFile]],
) -> None:
    """Score the films as they come, up to the limit."""
    limit = options.limit
    with ExitStack() as stack:
        engine: BacklogEngine | None = None
        for found in arrivals:
            due = found if limit is None else found[: limit - backlog.tally.done]
            if due and engine is None:  # it takes seconds to load
                engine = stack.enter_context(closing(engines.start(options.engine, plan)))
            if engine is not None:
                for _ in backlog.score(due, engine):
                    progress.update()
            if limit is not None and backlog.tally.done >= limit:
                break
