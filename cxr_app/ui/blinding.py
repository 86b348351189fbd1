"""What this reader may see of what others said of a film that waits for a second reading.

Every page that shows what readers said of a film asks here.
"""

from collections import defaultdict
from collections.abc import Iterable

from cxr_app.ui import current_reader, resources
from cxr_app.worklist import Annotation, Note, Review, SecondReading, SecondReadingState


def second_reading(entry_id: str) -> SecondReading | None:
    """Return the second reading of a film; None if it is not read twice."""
    return resources.worklist().room.second_readings.of_films([entry_id]).get(entry_id)


def reviews_of(entry_id: str) -> list[Review]:
    """Return the reviews of a film that this reader may see, newest first."""
    # Reviews first: what another reader adds in between is not hidden by what was read before.
    given = resources.worklist().reviews.of_film(entry_id)
    second, reader = second_reading(entry_id), current_reader.name_if_known()
    return [each for each in given if not _is_hidden(second, each.reader, reader)]


def marks_of(entry_id: str) -> list[Annotation]:
    """Return the marks on a film that this reader may see, oldest first."""
    made = list(resources.worklist().room.annotations.of_film(entry_id))
    if not made:  # as on most films: nothing is asked
        return made
    second, reader = second_reading(entry_id), current_reader.name_if_known()
    return [each for each in made if not _is_hidden(second, each.reader, reader)]


def notes_of(entry_ids: Iterable[str]) -> dict[str, list[Note]]:
    """Return the notes on films that this reader may see, by the entry's id."""
    wanted, room = list(entry_ids), resources.worklist().room
    written, reader = room.notes.of_films(wanted), current_reader.name_if_known()
    second = room.second_readings.of_films(written) if written else {}
    found: dict[str, list[Note]] = defaultdict(list)
    for entry_id, notes in written.items():
        found[entry_id] += [
            each for each in notes if not _is_hidden(second.get(entry_id), each.reader, reader)
        ]
    return dict(found)


def is_disputed(entry_id: str) -> bool:
    """Check whether readers differ in a film that is read twice, and nobody has settled it."""
    second = second_reading(entry_id)
    return second is not None and second.state is SecondReadingState.DISAGREED


def _is_hidden(second: SecondReading | None, author: str, reader: str) -> bool:
    return second is not None and second.hides(author, reader)
