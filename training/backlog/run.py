"""One run over a backlog: which films are due, their scores, worklist entries and result rows.

A film is entered into the worklist first and written to the results file second. If the run is
killed in between, the same command finds the film in the worklist and only writes its row.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cxr_app.errors import FilmError, FilmLostError, WorklistError
from cxr_app.examined import refusal, unreadable
from cxr_app.film_store import FilmStore, read_film
from cxr_app.imaging.zip_archive import read_member
from cxr_app.model.description import DescribedCheckpoint
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.recall import recall
from cxr_app.worklist import Worklist
from training.backlog.engines.contract import (
    AlreadyScored,
    BacklogEngine,
    FoundFile,
    Result,
    ScoredFile,
)
from training.backlog.engines.file_content import has_content, is_another
from training.backlog.patience import LONGEST_SECONDS, patiently
from training.backlog.results import Results

logger = logging.getLogger(__name__)

SAMPLED_FILMS = 16
"""How many films are read to check that the rows of an earlier run belong to this folder."""
LONGEST_RUN_SECONDS = 48 * 3600.0
"""A film changed longer than this before a run's last row was changed before its own row, too."""


@dataclass(slots=True)
class Tally:
    """Counts of a run so far.

    Parameters
    ----------
    due
        Files to score, as far as they are there.
    expected
        Files to score, where they are counted before they are fetched.
    earlier
        Files that an earlier run had finished.
    done
        Files that this run has written a row for.
    scored, rejected, failed
        Files done, by state.
    flagged
        Scored files at or above the operating point.
    recalled
        Scored files whose score the worklist had from before.
    """

    due: int = 0
    expected: int = 0
    earlier: int = 0
    done: int = 0
    scored: int = 0
    rejected: int = 0
    failed: int = 0
    flagged: int = 0
    recalled: int = 0

    @property
    def total(self) -> int:
        """Files to score, as far as is known."""
        return max(self.due, self.expected)

    def __str__(self) -> str:
        """Return what was entered into the worklist, in words."""
        return (
            f"{self.done} of {self.total} films: {self.scored} scored, {self.rejected} rejected, "
            f"{self.failed} failed"
        )

    def add(self, outcome: Outcome, *, recalled: bool) -> None:
        """Count one file whose row is written."""
        self.done += 1
        self.scored += outcome.state is ScoringState.SCORED
        self.rejected += outcome.state is ScoringState.REJECTED
        self.failed += outcome.state is ScoringState.FAILED
        self.flagged += bool(outcome.flagged)
        self.recalled += recalled


class Backlog:
    """The films of one run, on their way into the worklist and the results file.

    Parameters
    ----------
    results
        The results file.
    worklist
        The worklist; None if only the results file is wanted.
    source
        The checkpoint in use.
    store
        Where the films of archives are stored, so that the worklist's pages can show them.
    patience
        Seconds to wait for a worklist that is away.
    """

    def __init__(
        self,
        results: Results,
        worklist: Worklist | None,
        source: DescribedCheckpoint,
        store: FilmStore,
        patience: float = LONGEST_SECONDS,
    ) -> None:
        self._results = results
        self._worklist = worklist
        self._source = source
        self._films = store
        self._patience = patience
        self._postponed: list[FoundFile] = []
        self.tally = Tally()

    def due(self, found: Sequence[FoundFile]) -> list[FoundFile]:
        """Return the films that no earlier run has finished, or that have changed since."""
        rows = {film.source: self._results.contents(film.source) for film in found}
        times = self._finished_at(set().union(*rows.values()))

        def is_done(film: FoundFile) -> bool:
            contents = rows[film.source]
            if not contents or not contents <= times.keys():
                return False
            finished_at = max(times[sha256] for sha256 in contents)
            # The clock of the earlier run may have been behind, and an archive changes with each
            # film that it gets: then the content decides.
            return film.changed_at <= finished_at or has_content(film, contents)

        done = [film for film in found if is_done(film)]
        if any(is_another(film, rows[film.source]) for film in _sample(done)):
            logger.warning(
                "The results file has rows of other films under the names of this folder's films; "
                "all films are read again. Use a separate --out for each folder."
            )
            return list(found)
        finished = {
            film.source
            for film in done
            if not (self._may_have_changed(film) and is_another(film, rows[film.source]))
        }
        self.tally.earlier += len(finished)
        return [film for film in found if film.source not in finished]

    def unfinished(self, sources: Sequence[str]) -> list[str]:
        """Return the sources that no earlier run has finished; their contents never change.

        Parameters
        ----------
        sources
            A source of several contents is named as often as it has some.
        """
        rows = {source: self._results.contents(source) for source in sources}
        times = self._finished_at(set().union(*rows.values()))
        wanted = Counter(sources)
        left = [
            each
            for each in sources
            if len(rows[each]) < wanted[each] or not rows[each] <= times.keys()
        ]
        self.tally.earlier += len(sources) - len(left)
        return left

    def _may_have_changed(self, film: FoundFile) -> bool:
        """Check whether a film may have changed after its row, while others were written.

        The worklist has the time of each film, a results file only the time of the last row.
        """
        changed_before = self._results.written_at - film.changed_at
        return self._worklist is None and changed_before < LONGEST_RUN_SECONDS

    def score(self, films: Sequence[FoundFile], engine: BacklogEngine) -> Iterator[None]:
        """Score films and store the outcomes; yield whenever some more films are done.

        A film that may still be incomplete and is not SCORED is postponed instead: part of a film
        looks damaged, or like a file of another kind.
        """
        self.tally.due += len(films)
        problems = [film for film in films if film.problem]
        self._store([ScoredFile(film, refusal(unreadable(film.problem))) for film in problems])
        yield
        for results in engine.score(film for film in films if not film.problem):
            self._store(results)
            yield

    def taken_postponed(self) -> list[FoundFile]:
        """Return the films postponed since the last call."""
        taken, self._postponed = self._postponed, []
        return taken

    def _finished_at(self, contents: Set[str]) -> Mapping[str, float]:
        """Return when each of these contents was finished, in seconds since 1970."""
        if self._worklist is None:
            return dict.fromkeys(contents, self._results.written_at)
        ask = self._worklist.scored_at
        judged = patiently(lambda: ask(contents), self._patience)
        return {sha256: scored_at.timestamp() for sha256, scored_at in judged.items()}

    def _store(self, results: Sequence[Result]) -> None:
        told = [
            (result.found, patiently(partial(self._outcome, result), self._patience))
            for result in results
        ]
        outcomes = self._final(told)
        if self._worklist is not None:
            patiently(partial(self._enter, self._worklist, outcomes), self._patience)
        self._results.write((found.source, outcome) for found, outcome in outcomes)
        recalled = {each.found.source for each in results if isinstance(each, AlreadyScored)}
        for found, outcome in outcomes:
            self.tally.add(outcome, recalled=found.source in recalled)

    def _final(
        self, outcomes: Sequence[tuple[FoundFile, Outcome]]
    ) -> Sequence[tuple[FoundFile, Outcome]]:
        """Postpone the films that may still be incomplete; return the others."""
        early = [each for each in outcomes if _is_early(*each)]
        self._postponed += [found for found, _ in early]
        self.tally.due -= len(early)
        return [each for each in outcomes if not _is_early(*each)]

    def _enter(self, worklist: Worklist, outcomes: Sequence[tuple[FoundFile, Outcome]]) -> None:
        """Enter films; one that shares a SOP Instance UID may be a further file of another."""
        shared = worklist.enter(
            (outcome, found.source, self._path(found, outcome))
            for found, outcome in outcomes
            if outcome.sha256  # a file that was never read has no identity
        )
        for found, outcome in outcomes:
            if outcome.sha256 in shared:
                self._enter_compared(worklist, found, outcome)

    def _enter_compared(self, worklist: Worklist, found: FoundFile, outcome: Outcome) -> None:
        """Enter a film as one that arrives is: compared with those that have its UID."""
        from cxr_app.pacs.reception import Reception  # seldom needed, and it brings pydicom

        path = self._path(found, outcome)
        with suppress(FilmLostError):  # gone or changed meanwhile: the next run reads it again
            data = read_film(path, outcome.sha256)
            receipt = Reception(self._films, worklist).receive(data, found.source, kept_at=path)
            if receipt.entry_id:
                worklist.instances.add_further(receipt.entry_id, outcome.sha256)
                worklist.record(outcome)

    def _path(self, found: FoundFile, outcome: Outcome) -> Path:
        """Return where the pages find a film; one of an archive is stored as an uploaded one is."""
        if not found.member:
            return found.path.resolve()
        path = self._films.path(outcome.sha256)
        if not path.exists():
            with suppress(OSError, FilmError):  # gone meanwhile: the film's page says so
                self._films.keep(read_member(found.path, found.member))
        return path

    def _outcome(self, result: Result) -> Outcome:
        """Return the outcome of a film, from the worklist if this model has scored it before."""
        if isinstance(result, ScoredFile):
            return result.outcome
        version, points = self._source.model_version, self._source.description.operating_points
        recalled = self._worklist and recall(self._worklist, result.sha256, version, points)
        if not recalled:
            raise WorklistError(
                f"The film {result.sha256[:8]} was removed from the worklist during the run. "
                "Run the same command again."
            )
        return recalled


def _is_early(found: FoundFile, outcome: Outcome) -> bool:
    """Check whether a film may have been judged before it was complete."""
    return found.may_grow and outcome.state is not ScoringState.SCORED


def _sample(films: Sequence[FoundFile]) -> Sequence[FoundFile]:
    """Choose some films, spread over the folder."""
    return films[:: -(-len(films) // SAMPLED_FILMS) or 1]
