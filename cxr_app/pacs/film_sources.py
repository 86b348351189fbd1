"""The archive that films are fetched from, by its address: a DICOM node, or a DICOMweb server."""

from collections.abc import Collection

from cxr_app.archive_login import authorization
from cxr_app.destination import Destination
from cxr_app.pacs.film_archive import FilmArchive
from cxr_app.pacs.web_film_archive import WebFilmArchive
from cxr_app.settings import Settings


def film_source(
    target: Destination, settings: Settings, classes: Collection[str] = ()
) -> FilmArchive | WebFilmArchive:
    """Return the archive; use it with ``with``.

    Parameters
    ----------
    classes
        SOP classes of the films to fetch; the usual ones if there are none.
    """
    if target.url:
        return WebFilmArchive(target, authorization(settings.archive_logins, target.url))
    return FilmArchive(target, settings.ae_title, classes)


def check_film_source(target: Destination, settings: Settings) -> None:
    """Check that an archive can be reached, and searches for this program.

    Raises
    ------
    ArchiveError
        If not; the message says what to check.
    """
    with film_source(target, settings) as archive:
        archive.check()
