"""The archives that results are sent to, and one by its address: a node or a DICOMweb server."""

from cxr_app.archive_login import authorization
from cxr_app.destination import Destination
from cxr_app.pacs.archive import Archive
from cxr_app.pacs.web_archive import WebArchive
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist


def destinations_of(settings: Settings, worklist: Worklist) -> tuple[Destination, ...]:
    """Return the archives that results are sent to: the settings', then those entered on the page.

    Raises
    ------
    WorklistError
        If the worklist cannot be read.
    """
    named = {each.name for each in settings.destinations}
    entered = (each for each in worklist.destinations.all() if each.name not in named)
    return (*settings.destinations, *entered)


def archive_at(destination: Destination, settings: Settings) -> Archive | WebArchive:
    """Return the archive; use it with ``with``."""
    if destination.url:
        return WebArchive(destination, authorization(settings.archive_logins, destination.url))
    return Archive(destination, settings.ae_title)


def check_destination(destination: Destination, settings: Settings) -> None:
    """Check that an archive can be reached and answers.

    Raises
    ------
    ArchiveError
        If not; the message says what to check.
    """
    with archive_at(destination, settings) as archive:
        archive.echo()
