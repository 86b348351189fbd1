"""Backups: a folder with worklist, films, models, jobs and audit, checked by content.

The worklist is copied first and the films after it, so that every film of its state is in the
backup. A film is stored under its SHA-256 and copied once; what has not changed is not copied
again. Films that were deleted at the end of their retention time are deleted from the backup too;
a film that has merely disappeared from the store stays in the backup.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import TypeAdapter, ValidationError

from cxr_app.atomic_file import atomic_path, atomic_write
from cxr_app.errors import CxrError, FilmLostError, SettingsError, WorklistError
from cxr_app.film_store import FilmStore, file_sha256, make_private_folder
from cxr_app.jobs.kinds import REVIEWED
from cxr_app.operations.audit_backup import PLACE as AUDIT
from cxr_app.operations.audit_backup import copy_audit, restore_audit
from cxr_app.operations.backup_target import require_apart, require_own_films, require_successor
from cxr_app.operations.film_copies import copy_films, copy_new_films
from cxr_app.operations.opening import require_entries
from cxr_app.operations.presence import require_installation
from cxr_app.settings import Settings
from cxr_app.worklist.snapshot import (
    SnapshotFile,
    read_snapshot,
    restore_snapshot,
    write_snapshot,
)
from cxr_app.worklist.stored_schema import stored_schema

MANIFEST = "backup.json"
WORKLISTS = "worklist-*.sqlite"
FILMS = "films"
CHECKPOINT = "checkpoint"
RESTORING = ".restoring-"
FOLDERS = ("models", "recipes", "jobs")
"""Folders of the data folder that are copied besides the films."""


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What a backup holds.

    Parameters
    ----------
    made_at
        ISO 8601, UTC.
    films_dir
        Where the films were; entries name their films by path.
    worklist, worklist_sha256
        Name of the worklist's file, and its SHA-256.
    films
        Number of films that are stored in the backup.
    entries
        Number of entries of its worklist.
    files
        SHA-256 of the other files, by their path in the backup.
    lost
        SHA-256 of films that the worklist names and neither the store nor the backup has whole.
    """

    made_at: str
    films_dir: str
    worklist: str
    worklist_sha256: str
    films: int = 0
    entries: int = 0
    files: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def back_up(settings: Settings, folder: Path) -> BackupManifest:
    """Write a backup, or bring an earlier one in the same folder up to date.

    Servers may run meanwhile. The worklist of an older program is not upgraded.

    Raises
    ------
    CxrError
        If the worklist cannot be read, if the folder may not take this backup, or if it cannot be
        written; an earlier backup in the folder stays usable.
    """
    require_installation(settings)
    # A lost worklist must not replace a backup.
    require_entries(settings, stored_schema(settings.worklist_url).entries)
    require_apart(settings, folder, (FILMS, AUDIT, CHECKPOINT, *FOLDERS))
    try:
        make_private_folder(folder)
        earlier = _earlier_worklist(folder)
        now = datetime.now(UTC)
        worklist = folder / WORKLISTS.replace("*", f"{now:%Y%m%dT%H%M%S%f}")
        write_snapshot(settings.worklist_url, worklist)
        try:
            require_successor(settings, folder, earlier, worklist)
            snapshot = read_snapshot(worklist)
            require_own_films(settings, snapshot.files)
        except CxrError:
            worklist.unlink()
            raise
        films = FilmStore(folder / FILMS)
        copy_new_films(FilmStore(settings.films_dir), films)
        files = dict([*_copied_files(settings, folder), *copy_audit(settings, folder)])
        films_dir = settings.films_dir.absolute()
        manifest = BackupManifest(
            made_at=now.isoformat(timespec="seconds"),
            films_dir=str(films_dir),
            worklist=worklist.name,
            worklist_sha256=file_sha256(worklist),
            films=sum(1 for _ in films.stored()),
            entries=snapshot.entries,
            files=files,
            lost=sorted(each for each in _kept(snapshot.files, films_dir) if not films.has(each)),
        )
        content = TypeAdapter(BackupManifest).dump_json(manifest, indent=1)
        atomic_write(folder / MANIFEST, content, private=True)
        _forget(settings, folder, manifest, snapshot.files)
    except OSError as error:
        raise _cannot(folder, error) from error
    return manifest


def verify(folder: Path) -> list[str]:
    """Read everything in a backup; return a sentence for each fault, none if it is whole.

    Raises
    ------
    CxrError
        If the folder holds no backup.
    """
    manifest = read_manifest(folder)
    worklist = folder / manifest.worklist
    if file_sha256(worklist) != manifest.worklist_sha256:
        return [f"{manifest.worklist} is not the file that was written."]
    faults = [
        f"{name} is missing or damaged."
        for name, sha256 in manifest.files.items()
        if file_sha256(folder / name) != sha256
    ]
    films = FilmStore(folder / FILMS)
    named = _kept(read_snapshot(worklist).files, Path(manifest.films_dir))
    for sha256 in sorted(named | set(films.stored())):
        try:
            films.read(sha256)
        except FilmLostError:
            if sha256 not in manifest.lost:
                faults.append(f"The film {sha256[:8]} is missing or damaged.")
    return faults


def restore(settings: Settings, folder: Path) -> BackupManifest:
    """Restore a backup into an empty place: films first, the worklist last.

    A restoration that was interrupted is finished by the same call.

    Raises
    ------
    CxrError
        If the backup is damaged, or the worklist of the settings has films.
    """
    if faults := verify(folder):
        raise WorklistError(f"The backup is damaged: {' '.join(faults[:3])} Use another backup.")
    manifest = read_manifest(folder)
    backed_up, films = FilmStore(folder / FILMS), FilmStore(settings.films_dir)
    was, now = Path(manifest.films_dir), settings.films_dir.absolute()
    try:
        copy_films(backed_up, films)
        for name in manifest.files:
            if Path(name).parts[0] in FOLDERS:
                _copy(folder / name, settings.data_dir / name)
        restore_audit(settings, folder)
        for left in settings.data_dir.glob(f"{RESTORING}*"):  # of a command that was killed
            shutil.rmtree(left)
        # Not in the system's folder: it names patients, and takes as much room as the worklist.
        make_private_folder(settings.data_dir)
        with TemporaryDirectory(prefix=RESTORING, dir=settings.data_dir) as temporary:
            copy = Path(temporary) / manifest.worklist
            shutil.copyfile(folder / manifest.worklist, copy)
            # An earlier version wrote no number.
            entries = manifest.entries or read_snapshot(copy).entries
            restore_snapshot(
                copy,
                settings.worklist_url,
                lambda path: now / path.relative_to(was) if path.is_relative_to(was) else path,
            )
    except OSError as error:
        raise _cannot(settings.data_dir, error) from error
    return replace(manifest, entries=entries)


def read_manifest(folder: Path) -> BackupManifest:
    """Read what a backup holds.

    Raises
    ------
    SettingsError
        If the folder holds no complete backup.
    """
    try:
        return TypeAdapter(BackupManifest).validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise SettingsError(
            f"{folder} holds no complete backup. Name the folder that a backup was written to."
        ) from error


def _earlier_worklist(folder: Path) -> Path | None:
    """Return the worklist of the backup that a folder holds; None if none was completed there."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        return folder / read_manifest(folder).worklist
    except SettingsError:  # damaged
        return max(folder.glob(WORKLISTS), default=folder / MANIFEST)


def _copied_files(settings: Settings, folder: Path) -> Iterator[tuple[str, str]]:
    """Copy the other files; yield the place and the SHA-256 of each."""
    for source, place in _side_files(settings):
        with suppress(FileNotFoundError):  # a job has just removed it
            _copy(source, folder / place)
            yield str(place), file_sha256(folder / place)


def _forget(
    settings: Settings, folder: Path, manifest: BackupManifest, files: list[SnapshotFile]
) -> None:
    """Delete earlier worklists, and films that were deleted at the end of their retention time."""
    for path in folder.glob(WORKLISTS):
        if path.name != manifest.worklist:
            path.unlink()
    for path in (folder / "jobs").glob(f"*/{REVIEWED}"):  # earlier versions copied it
        path.unlink()
    store, films = FilmStore(settings.films_dir), FilmStore(folder / FILMS)
    there = {file.sha256 for file in files if not file.is_deleted}
    for file in files:
        if file.sha256 not in there and films.has(file.sha256) and not store.has(file.sha256):
            films.delete(file.sha256)


def _kept(files: list[SnapshotFile], films_dir: Path) -> set[str]:
    """Return the files that belong to the store and were not deleted."""
    return {
        file.sha256
        for file in files
        if file.path and not file.is_deleted and file.path.absolute().is_relative_to(films_dir)
    }


def _side_files(settings: Settings) -> Iterator[tuple[Path, Path]]:
    """Yield the other files, and their places in the backup.

    Not a running retraining's list of films: it names patients, and a resumed job gets another.
    """
    for name in FOLDERS:
        for path in sorted((settings.data_dir / name).rglob("*")):
            if path.is_file() and not path.is_symlink() and path.name != REVIEWED:
                yield path, path.relative_to(settings.data_dir)
    for path in sorted(settings.checkpoint.parent.glob(f"{settings.checkpoint.stem}.*")):
        if path.is_file():
            yield path, Path(CHECKPOINT) / path.name


def _copy(source: Path, target: Path) -> None:
    """Copy a file unless it is there with the same size and time."""
    status = source.stat()
    if target.exists():
        there = target.stat()
        if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return
    make_private_folder(target.parent)
    with atomic_path(target, private=True) as partial:
        shutil.copyfile(source, partial)
        shutil.copystat(source, partial)
        partial.chmod(0o600)


def _cannot(folder: Path, error: OSError) -> WorklistError:
    return WorklistError(
        f"{folder} cannot be written or read: {error.strerror}. Check the disk and its rights, "
        "then run the same command again; it continues."
    )
