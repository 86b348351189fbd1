"""One run over a folder: what is due, scored, entered into the worklist and written down, once.

A film goes into the worklist first and then into the results file. Whatever kills the run in
between, the same command finds it in the worklist and only writes its row.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from cxr_app.errors import WorklistError
from cxr_app.model.checkpoint import Checkpoint
from cxr_app.outcome import Outcome, ScoringState
from cxr_app.scoring import recall, refusal, unreadable
from cxr_app.worklist import Worklist
from training.backlog.engines import BacklogEngine, Found, Result, ScoredFile, is_another
from training.backlog.results import Results

logger = logging.getLogger(__name__)

LOOKED_AT = 16
"""So many films are read to see that the rows of an earlier run are those of this folder."""
LONGEST_RUN_SECONDS = 48 * 3600.0
"""A film changed longer ago than this, seen from a run's last row, was changed before its own."""


@dataclass(slots=True)
class Tally:
    """How far a run is.

    Parameters
    ----------
    due
        Files that the run is to score, as far as they are found.
    earlier
        Files that an earlier run had finished.
    done
        Files that have their row now.
    scored, rejected, failed
        Of those done, how many became what.
    flagged
        Of those scored, how many reach the operating point.
    """

    due: int = 0
    earlier: int = 0
    done: int = 0
    scored: int = 0
    rejected: int = 0
    failed: int = 0
    flagged: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one file that has its row."""
        self.done += 1
        self.scored += outcome.state is ScoringState.SCORED
        self.rejected += outcome.state is ScoringState.REJECTED
        self.failed += outcome.state is ScoringState.FAILED
        self.flagged += bool(outcome.flagged)


class Backlog:
    """The films of one run, on their way into the list and the file.

    Parameters
    ----------
    results
        Gets their rows.
    worklist
        Gets their entries; None where only the rows are wanted.
    source
        The checkpoint in use.
    """

    def __init__(self, results: Results, worklist: Worklist | None, source: Checkpoint) -> None:
        self._results = results
        self._worklist = worklist
        self._source = source
        self.tally = Tally()

    def due(self, found: Sequence[Found]) -> list[Found]:
        """Leave out what an earlier run has finished and nobody has changed since."""
        rows = {film.source: self._results.contents(film.source) for film in found}
        times = self._finished(set().union(*rows.values()))

        def is_done(film: Found) -> bool:
            contents = rows[film.source]
            if not contents or not contents <= times.keys():
                return False
            return film.changed_at <= max(times[sha256] for sha256 in contents)

        done = [film for film in found if is_done(film)]
        if any(is_another(film, rows[film.source]) for film in _some(done)):
            logger.warning(
                "The results file has rows of other films under the names of this folder's; all "
                "are read again. Give each folder an --out of its own."
            )
            return list(found)
        finished = {
            film.source
            for film in done
            if not (self._may_have_missed(film) and is_another(film, rows[film.source]))
        }
        self.tally.earlier += len(finished)
        return [film for film in found if film.source not in finished]

    def _may_have_missed(self, film: Found) -> bool:
        """Say whether a film may have been changed after its row, while others were written.

        The worklist knows when it was finished with each film, a results file only when with all.
        """
        changed_before = self._results.written_at - film.changed_at
        return self._worklist is None and changed_before < LONGEST_RUN_SECONDS

    def score(self, films: Sequence[Found], engine: BacklogEngine) -> Iterator[None]:
        """Score films and write down what became of them; pause whenever some more are done."""
        self.tally.due += len(films)
        closed = [film for film in films if film.problem]
        self._finish([ScoredFile(film, refusal(unreadable(film.problem))) for film in closed])
        yield
        for results in engine.score(film for film in films if not film.problem):
            self._finish(results)
            yield

    def _finished(self, contents: Set[str]) -> Mapping[str, float]:
        """Say when each of these contents was finished with, in seconds since 1970."""
        if self._worklist is None:
            return dict.fromkeys(contents, self._results.written_at)
        judged = self._worklist.scored_at(contents)
        return {sha256: scored_at.timestamp() for sha256, scored_at in judged.items()}

    def _finish(self, results: Sequence[Result]) -> None:
        outcomes = [(result.found, self._outcome(result)) for result in results]
        if self._worklist is not None:
            self._worklist.enter(
                (outcome, found.source, found.path.resolve())
                for found, outcome in outcomes
                if outcome.sha256  # what was never read has no identity
            )
        self._results.write((found.source, outcome) for found, outcome in outcomes)
        for _, outcome in outcomes:
            self.tally.add(outcome)

    def _outcome(self, result: Result) -> Outcome:
        """Take what this model has said before of a film from the worklist."""
        if isinstance(result, ScoredFile):
            return result.outcome
        version, points = self._source.model_version, self._source.description.operating_points
        told = self._worklist and recall(self._worklist, result.sha256, version, points)
        if not told:
            raise WorklistError(
                f"The film {result.sha256[:8]} left the worklist while the run went on. "
                "Run the same command again."
            )
        return told


def _some(films: Sequence[Found]) -> Sequence[Found]:
    """Choose some films from all over a folder."""
    return films[:: -(-len(films) // LOOKED_AT) or 1]
