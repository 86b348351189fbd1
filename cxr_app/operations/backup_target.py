"""What a backup joins: a worklist with its own films, in a folder that is apart and its own."""

from collections import Counter
from pathlib import Path

from cxr_app.audit.store import FILE, AuditStore, stored_head
from cxr_app.errors import AuditError, SettingsError, WorklistError
from cxr_app.film_store import root_of
from cxr_app.operations.audit_backup import PLACE, holds_events
from cxr_app.settings import Settings
from cxr_app.worklist.snapshot import SnapshotFile, entries_missing


def require_apart(settings: Settings, folder: Path, places: tuple[str, ...]) -> None:
    """Refuse a folder in which backup and installation would write to the same place.

    Parameters
    ----------
    places
        Folders that a backup has.

    Raises
    ------
    SettingsError
        If the folder is the data folder, lies in a folder of the installation, or one of its
        places does.
    """
    target = folder.resolve()
    own = [each.resolve() for each in _own_folders(settings)]
    written = [target, *(target / place for place in places)]
    is_own = target == settings.data_dir.resolve()
    if is_own or any(each.is_relative_to(one) for each in written for one in own):
        raise SettingsError(
            f"{folder} belongs to the installation itself, whose backup would write over it or "
            f"hold itself. Name a folder outside {settings.data_dir}, best on another disk."
        )


def require_successor(settings: Settings, folder: Path, earlier: Path | None, now: Path) -> None:
    """Refuse to replace a backup that holds what this installation has not.

    Parameters
    ----------
    earlier
        The worklist of the backup that the folder holds; None if it holds none.
    now
        The worklist that is to replace it.

    Raises
    ------
    SettingsError
        If the backup is of another installation or of a later state, or if it is so damaged that
        this cannot be known.
    """
    if earlier is None:
        return
    has_audit = _holds_audit(settings, folder)
    try:
        missing = entries_missing(earlier, now)
    except WorklistError as error:
        if has_audit:  # it is this installation's: bring it up to date
            return
        raise SettingsError(
            f"The worklist of the backup in {folder} is damaged: whose it is cannot be known. "
            "Nothing was changed. Back up into another folder."
        ) from error
    if missing:
        raise _refusal(folder, f"{missing} entries that this worklist has not")
    if has_audit is False:
        raise _refusal(folder, f"events that the audit in {settings.audit_folder} has not")


def require_own_films(settings: Settings, files: list[SnapshotFile]) -> None:
    """Refuse a worklist whose films lie in another store than that of the settings.

    Raises
    ------
    SettingsError
        If each stored film that it names lies elsewhere.
    """
    stores = Counter(
        root
        for file in files
        if file.path
        and not file.is_deleted
        and (root := root_of(file.path.absolute(), file.sha256))
    )
    own = settings.films_dir.absolute()
    if not stores or own in stores:
        return
    ((elsewhere, films),) = stores.most_common(1)
    raise SettingsError(
        f"The films of the worklist ({films}) lie in {elsewhere}, and none in {own}: a backup "
        "would hold none of them. Nothing was changed. Correct CXR_DATA_DIR or CXR_DATABASE_URL."
    )


def _own_folders(settings: Settings) -> tuple[Path, ...]:
    return (
        *(settings.films_dir, settings.incoming_dir, settings.models_dir, settings.recipes_dir),
        *(settings.jobs_dir, settings.cache_dir, settings.audit_folder),
    )


def _holds_audit(settings: Settings, folder: Path) -> bool | None:
    """Return whether the installation has the events of a backup; None if it holds none."""
    copied = folder / PLACE / FILE
    if not (copied.is_file() and (settings.audit_folder / FILE).is_file()):
        return None
    try:
        if not stored_head(copied)[0]:
            return None
    except AuditError:  # damaged; the worklist tells whose it is
        return None
    return holds_events(AuditStore(settings.audit_folder), copied)


def _refusal(folder: Path, held: str) -> SettingsError:
    return SettingsError(
        f"{folder} holds the backup of another installation, or of a later state of this one: it "
        f"has {held}. Nothing was changed. Correct CXR_DATA_DIR, CXR_DATABASE_URL or "
        "CXR_AUDIT_DIR. Back up into another folder if they are right."
    )
