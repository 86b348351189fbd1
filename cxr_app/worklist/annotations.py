"""Marks on films: lengths, angles, ratios, key images. Each method is one transaction.

A mark is never changed; one that is taken back stays in the table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, bindparam, select

from cxr_app.errors import HandoverError
from cxr_app.pose import pose_of
from cxr_app.worklist.locking import locked_entry_by_id
from cxr_app.worklist.room_tables import AnnotationRow
from cxr_app.worklist.tables import EntryRow
from cxr_app.worklist.transactions import Transactions


class AnnotationKind(StrEnum):
    """What a mark measures."""

    LENGTH = "length"
    ANGLE = "angle"
    RATIO = "ratio"
    """Cardiothoracic: the first line's length as a share of the second's."""
    KEY_IMAGE = "key_image"
    """A view that a reader wants others to see; its value is the share of the film in it."""


POINTS = {
    AnnotationKind.LENGTH: 2,
    AnnotationKind.ANGLE: 3,
    AnnotationKind.RATIO: 4,
    AnnotationKind.KEY_IMAGE: 2,
}
"""Points of each kind: a line's ends; an angle's arms around its corner; the ends of two lines; the
opposite corners of a view."""
WHOLE = 0.999
"""A view of at least this share of a film shows the whole film."""

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a reader measured on a film.

    Parameters
    ----------
    points
        Fractions of the film's width and height, as the film lies in the pose.
    value
        In `unit`.
    unit
        ``mm``, ``px`` (pixels of the film), ``deg``, or empty for a ratio.
    basis
        What a length in mm was measured at: ``calibrated``, ``at the detector``, ``not stated``.
    pose
        The key of the pose that the film lay in.

    Raises
    ------
    ValueError
        If it has another number of points, or a value that no mark has.
    """

    kind: AnnotationKind
    points: Points
    value: float
    unit: str
    basis: str = ""
    pose: str = "0"

    def __post_init__(self) -> None:
        if len(self.points) != POINTS[self.kind]:
            raise ValueError(f"{self.kind} has {POINTS[self.kind]} points, got {len(self.points)}")
        if not all(0 <= share <= 1 for point in self.points for share in point):
            raise ValueError("points must lie on the film, in [0, 1]")
        if not 0 <= self.value < 1e6:
            raise ValueError(f"value must be a number from 0, got {self.value}")

    @property
    def points_of_file(self) -> Points:
        """The points as fractions of the film as its file has it, whatever pose it lay in."""
        pose = pose_of(self.pose)
        return tuple(pose.undone_point(point) for point in self.points)

    @property
    def words(self) -> str:
        """The value with its unit, and what it was measured at."""
        if self.kind is AnnotationKind.KEY_IMAGE:
            return "whole film" if self.value >= WHOLE else "part of the film"
        if self.unit == "deg":
            return f"{self.value:.1f}°"
        if self.unit == "px":
            return f"{self.value:.0f} pixels"
        if self.unit == "mm":
            basis = "not stated where" if self.basis == "not stated" else self.basis
            return f"{self.value:.1f} mm ({basis})"
        return f"CTR {self.value:.2f}"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark on a film that counts.

    Parameters
    ----------
    number
        Identifies it.
    made_at
        Aware, UTC.
    """

    number: int
    reader: str
    made_at: datetime
    measurement: Measurement


_MOMENT: BindParameter[datetime] = bindparam("moment")
_AT = (  # built once: to build it takes longer than to run it
    select(AnnotationRow)
    .join(EntryRow, EntryRow.number == AnnotationRow.entry_number)
    .where(EntryRow.id == bindparam("entry_id"), AnnotationRow.made_at <= _MOMENT)
    .where(AnnotationRow.taken_back_at.is_(None) | (AnnotationRow.taken_back_at > _MOMENT))
    .order_by(AnnotationRow.number)
)


class AnnotationLog(Transactions):
    """The marks of readers on films; one that is taken back stays in the table, unseen."""

    def add(self, entry_id: str, reader: str, measurement: Measurement) -> None:
        """Keep a mark with its film.

        Raises
        ------
        EntryNotFoundError
            If no entry has this id.
        HandoverError
            If the film is no longer kept.
        """
        now = self._clock()
        with self._database.writing() as session:
            entry = locked_entry_by_id(session, entry_id)
            if entry.film_deleted_at is not None:
                raise HandoverError("The film is no longer kept, so nothing can be measured on it.")
            row = AnnotationRow(
                entry_number=entry.number,
                reader=reader,
                made_at=now,
                kind=measurement.kind.value,
                points={"points": measurement.points},
                value=measurement.value,
                unit=measurement.unit,
                basis=measurement.basis,
                pose=measurement.pose,
            )
            session.add(row)

    def take_back(self, number: int, reader: str) -> None:
        """Take a mark back; who did so, and when, is kept with it."""
        now = self._clock()
        with self._database.writing() as session:
            row = session.get(AnnotationRow, number, with_for_update=True)
            if row is not None and row.taken_back_at is None:
                row.taken_back_by, row.taken_back_at = reader, now

    def of_film(self, entry_id: str) -> Sequence[Annotation]:
        """Return the marks on a film that were not taken back, oldest first."""
        statement = (
            select(AnnotationRow)
            .join(EntryRow, EntryRow.number == AnnotationRow.entry_number)
            .where(EntryRow.id == entry_id, AnnotationRow.taken_back_at.is_(None))
            .order_by(AnnotationRow.number)
        )
        with self._database.reading() as session:
            return [_as_annotation(row) for row in session.scalars(statement)]

    def at(self, entry_id: str, moment: datetime) -> Sequence[Annotation]:
        """Return the marks on a film as they were at a moment, oldest first."""
        with self._database.reading() as session:
            rows = session.scalars(_AT, {"entry_id": entry_id, "moment": moment})
            return [_as_annotation(row) for row in rows]

    def key_images(self, entry_ids: Iterable[str]) -> set[str]:
        """Return those of the entries' ids whose film has a key image."""
        statement = (
            select(EntryRow.id)
            .join(AnnotationRow, EntryRow.number == AnnotationRow.entry_number)
            .where(EntryRow.id.in_(list(entry_ids)), AnnotationRow.taken_back_at.is_(None))
            .where(AnnotationRow.kind == AnnotationKind.KEY_IMAGE.value)
        )
        with self._database.reading() as session:
            return set(session.scalars(statement))


def _as_annotation(row: AnnotationRow) -> Annotation:
    points = tuple((float(x), float(y)) for x, y in row.points["points"])
    measurement = Measurement(
        AnnotationKind(row.kind), points, row.value, row.unit or "", row.basis or "", row.pose
    )
    return Annotation(row.number, row.reader, row.made_at, measurement)
