"""The objects of a result, by kind: built from the film as received and its score."""

import threading
from collections.abc import Callable
from dataclasses import replace

from pydicom import Dataset
from pydicom.config import disable_value_validation

from cxr_app.destination import ResultKind
from cxr_app.errors import CxrError, FilmError, FilmLostError
from cxr_app.film_store import read_film
from cxr_app.imaging.dicom import parse, softcopy_of
from cxr_app.lung_fields import Extent
from cxr_app.model.screening import MIRRORED
from cxr_app.pacs.installation import Installation
from cxr_app.pacs.parametric_map import parametric_map
from cxr_app.pacs.presentation_state import presentation_state
from cxr_app.pacs.reading_report import judged_verdict, reading_report, reviews_at
from cxr_app.pacs.scored_film import ScoredFilm, film_header
from cxr_app.pacs.secondary_capture import secondary_capture
from cxr_app.pacs.structured_report import structured_report
from cxr_app.pose import AS_IT_LIES
from cxr_app.prediction import visible_extent
from cxr_app.radiograph import Header
from cxr_app.worklist import Entry, Measurement, Outgoing, Review, Score, Worklist

_without_validation = threading.Lock()


class FilmVerdict:
    """What readers had said of a film at a moment, as an object that can be sent.

    Parameters
    ----------
    worklist
        Where the reviews are.
    installation
        Whose result was judged.
    outgoing
        The object that is to be sent.

    Raises
    ------
    CxrError
        As `FilmResults`, and if no reader has said a verdict.
    """

    why_nothing = "The verdict was taken back before it was sent."

    def __init__(self, worklist: Worklist, installation: Installation, outgoing: Outgoing) -> None:
        entry, ds = _kept_film(worklist, outgoing)
        moment = outgoing.scored_at
        self._installation = installation
        reviews = worklist.reviews.of_film(entry.id)
        self._reviews = reviews_at(reviews, moment)
        verdict = judged_verdict(self._reviews)
        gone = {each.number for each in reviews if each.is_taken_back}
        self._is_outdated = verdict.number in gone and not verdict.is_taken_back
        self._film = _scored_film(entry, verdict, ds, outgoing)

    def build(self, _kind: ResultKind) -> Dataset | None:
        """Build the object; None if the verdict was taken back since, which an object says."""
        if self._is_outdated:
            return None
        with _without_validation, disable_value_validation():
            return reading_report(self._film, self._reviews, self._installation)


class FilmResults:
    """Everything that can be sent for one result of one film; each object is built when asked for.

    Parameters
    ----------
    worklist
        Where the result is.
    installation
        Whose result it is.
    outgoing
        Any of the film's objects that are to be sent.

    Raises
    ------
    FilmError
        If the film is gone or damaged, or its header has no place for a result.
    EntryNotFoundError
        If there is no such film.
    """

    why_nothing = "The film has no heat to show."

    def __init__(self, worklist: Worklist, installation: Installation, outgoing: Outgoing) -> None:
        entry, self._dataset = _kept_film(worklist, outgoing)
        score = _score(worklist, entry, outgoing)
        heat = score.activation_map
        self._installation = installation
        self._film = replace(
            _scored_film(entry, score, self._dataset, outgoing),
            operating_point_name=score.operating_point_name,
            # Archives have the film as its file has it.
            activation_map=None if heat is None else (score.pose or AS_IT_LIES).undone(heat),
            heat_scale=score.heat_scale,
            extent=_extent(entry, score),
            beside=_beside(worklist, entry, outgoing),
            marks=_marks(worklist, entry, outgoing),
        )

    def build(self, kind: ResultKind) -> Dataset | None:
        """Build an object; None if there is nothing to show.

        Raises
        ------
        FilmError
            If the film's pixels cannot be read, which the picture needs.
        """
        makers: dict[ResultKind, Callable[[], Dataset | None]] = {
            ResultKind.REPORT: lambda: structured_report(self._film, self._installation),
            ResultKind.PICTURE: self._picture,
            ResultKind.OUTLINE: lambda: presentation_state(self._film, self._installation),
            ResultKind.HEATMAP: lambda: parametric_map(self._film, self._installation),
        }
        # A film's odd values are copied as they are; the switch holds for the whole process.
        with _without_validation, disable_value_validation():
            return makers[kind]()

    def _picture(self) -> Dataset:
        return secondary_capture(self._film, softcopy_of(self._dataset), self._installation)


def results_of(
    worklist: Worklist, installation: Installation, outgoing: Outgoing
) -> FilmResults | FilmVerdict:
    """Return what an object that is to be sent is built from; errors as the classes."""
    made = FilmVerdict if outgoing.kind is ResultKind.READING else FilmResults
    return made(worklist, installation, outgoing)


def _kept_film(worklist: Worklist, outgoing: Outgoing) -> tuple[Entry, Dataset]:
    entry = worklist.entry(outgoing.entry_id, with_claim=False)
    if entry.film_deleted_at is not None:
        raise FilmLostError("The film was deleted before its result was sent.")
    return entry, parse(read_film(entry.path, entry.sha256))


def _score(worklist: Worklist, entry: Entry, outgoing: Outgoing) -> Entry | Score:
    """Return the result to send, even if another model has scored the film since."""
    if entry.model_version == outgoing.model_version:
        return entry
    for score in worklist.scores(entry.id):
        if score.model_version == outgoing.model_version:
            return score
    raise FilmError("The result is not in the film's history.")


def _beside(worklist: Worklist, entry: Entry, outgoing: Outgoing) -> tuple[Header, ...]:
    """Return the study's other films that were there at the time of the result.

    A repeat of the result is then the same; a film that has come since names this one in its own.
    """
    return tuple(
        film.header
        for film in worklist.studies.others(entry.id)
        if film.received_at <= outgoing.scored_at
        and film.header is not None
        and film.header.sop_class_uid
        and film.header.sop_instance_uid
        and film.header.series_instance_uid
    )


def _marks(worklist: Worklist, entry: Entry, outgoing: Outgoing) -> tuple[Measurement, ...]:
    """Return what was marked when the result was to be sent: a repeat of it is then the same."""
    kept = worklist.room.annotations.at(entry.id, outgoing.requested_at)
    return tuple(each.measurement for each in kept)


def _scored_film(
    entry: Entry, score: Entry | Score | Review, ds: Dataset, outgoing: Outgoing
) -> ScoredFilm:
    if score.pneumonia_probability is None or score.threshold is None or score.flagged is None:
        raise CxrError("The result has no probability.")
    return ScoredFilm(
        header=film_header(ds),
        sha256=entry.sha256,
        flagged=score.flagged,
        pneumonia_probability=score.pneumonia_probability,
        threshold=score.threshold,
        operating_point_name="",
        model_version=score.model_version,
        scored_at=outgoing.scored_at,
        predecessor_scored_at=outgoing.predecessor_scored_at,
    )


def _extent(entry: Entry, score: Entry | Score) -> Extent | None:
    """Return where the heat of a flagged film lies; None if its sides may be exchanged."""
    if not score.flagged or score.activation_map is None or MIRRORED in entry.remarks:
        return None
    return visible_extent(score.activation_map, score.heat_scale, score.lungs)
