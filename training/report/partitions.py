"""The films of a partition: as published, or the validation part of the training data."""

from collections.abc import Sequence
from pathlib import Path

from cxr_app.errors import TrainingDataError
from cxr_app.model.classifier import Classifier
from training.data.dataset import LabelledFilm
from training.data.splits import own_split

PARTITIONS = ("all", "train", "val", "test", "validation")


def films_of_partition(
    films: Sequence[LabelledFilm], partition: str, classifier: Classifier, cache_dir: Path
) -> list[LabelledFilm]:
    """Return the films of a partition.

    Parameters
    ----------
    partition
        One of `PARTITIONS`; ``validation`` repeats the split of the classifier's training.

    Raises
    ------
    TrainingDataError
        If there are none, or if the training split cannot be repeated from these films.
    """
    chosen = list(films)
    if partition == "validation":
        chosen = _validation(films, classifier, cache_dir)
    elif partition != "all":
        chosen = [film for film in films if film.partition == partition]
    if not chosen:
        raise TrainingDataError(f"No film is in the partition {partition!r}.")
    return chosen


def _validation(
    films: Sequence[LabelledFilm], classifier: Classifier, cache_dir: Path
) -> list[LabelledFilm]:
    """Repeat the split of the training, and check that it is the same."""
    parts = own_split(films, classifier.description, cache_dir)
    if parts is None:
        raise TrainingDataError(
            "These are not the films that the checkpoint was trained from, so its validation part "
            "cannot be found among them. Use the training data, or another --partition."
        )
    return [films[index] for index in parts.validation]
