"""A search for films in an archive, from studies down to images, whatever the archive speaks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from pydicom import Dataset

from cxr_app.imaging.dicom_values import text
from cxr_app.pacs.archived_film import ArchivedFilm, archived_film, facts
from cxr_app.pacs.film_query import SERIES_KEYS, STUDY_KEYS, FilmQuery


def searched_films(
    query: FilmQuery,
    studies: Callable[[Mapping[str, str]], Iterable[Dataset]],
    series_of: Callable[[Dataset], Iterable[Dataset]],
    images_of: Callable[[Dataset, Dataset], Iterable[Dataset]],
) -> Iterator[ArchivedFilm]:
    """Yield the films that a query asks for, study by study; answers are compared with it again.

    Parameters
    ----------
    studies, series_of, images_of
        Ask the archive for studies by keys, for the series of a study, for the images of a series.
    """
    today = datetime.now().astimezone().date()
    for keys in query.study_keys(today):
        for study in sorted(studies(keys), key=lambda ds: text(ds, "StudyDate")):
            if not query.accepts_study(facts(study, STUDY_KEYS)):
                continue
            for series in series_of(study):
                if not query.accepts_series(facts(series, SERIES_KEYS)):
                    continue
                found = images_of(study, series)
                for image in sorted(found, key=lambda ds: text(ds, "SOPInstanceUID")):
                    yield archived_film(study, series, image)
