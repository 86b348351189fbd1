"""An upgrade from an earlier version: a backup, a rehearsal on a copy, then all of it or nothing.

Whatever fails, the worklist is as it was and the earlier program goes on with it.
"""

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cxr_app.errors import CheckpointError, WorklistError
from cxr_app.jobs.recipe_list import refused_recipes
from cxr_app.model import checkpoint
from cxr_app.operations import backup
from cxr_app.operations.backup import BackupManifest
from cxr_app.operations.opening import require_entries
from cxr_app.operations.presence import require_installation
from cxr_app.promotion import checkpoint_in_use
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from cxr_app.worklist.stored_schema import (
    StoredSchema,
    require_unused,
    stored_schema,
    upgrade_schema,
)

COPY = "rehearsal.sqlite"


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What an upgrade did.

    Parameters
    ----------
    before
        What the database held; current if there was nothing to do.
    backup
        The backup that was written before; None if there was nothing to do.
    remarks
        What a person should see to: films that were lost before, recipes that are refused.
    """

    before: StoredSchema
    backup: BackupManifest | None = None
    remarks: tuple[str, ...] = ()


def upgrade(settings: Settings, folder: Path) -> UpgradeReport:
    """Upgrade an installation that no program is using.

    Parameters
    ----------
    folder
        Of the backup that is written before, and of the copy that is upgraded first.

    Raises
    ------
    CxrError
        If there is nothing to upgrade, or a step fails; the worklist is as it was.
    """
    require_installation(settings)
    before = stored_schema(settings.worklist_url)
    require_entries(settings, before.entries)
    if before.is_current:
        return UpgradeReport(before)
    require_unused(settings.worklist_url)
    manifest = backup.back_up(settings, folder)
    if faults := backup.verify(folder):
        raise WorklistError(f"The backup is damaged: {' '.join(faults[:3])} Nothing was upgraded.")
    _rehearse(settings, folder, folder / manifest.worklist, before)
    require_unused(settings.worklist_url)
    upgrade_schema(settings.worklist_url)
    return UpgradeReport(before, manifest, tuple(refused_recipes(settings)))


def _rehearse(settings: Settings, folder: Path, worklist: Path, before: StoredSchema) -> None:
    """Upgrade a copy, and use it as a server would."""
    try:
        with TemporaryDirectory(dir=folder) as temporary:
            copy = Path(temporary) / COPY
            shutil.copyfile(worklist, copy)
            upgrade_schema(f"sqlite:///{copy}")
            with closing(Worklist.open(f"sqlite:///{copy}")) as upgraded:
                _use(settings, upgraded, before)
    except OSError as error:
        raise WorklistError(
            f"{folder} cannot be written: {os.strerror(error.errno or 0)}. Make room there or name "
            "another folder. Nothing was upgraded."
        ) from error


def _use(settings: Settings, upgraded: Worklist, before: StoredSchema) -> None:
    found = upgraded.count(Query(state="all"))
    if found != before.entries:
        raise WorklistError(
            f"After the upgrade the list would show {found} films instead of {before.entries}. "
            "Nothing was upgraded. Please report this as a fault."
        )
    upgraded.page(Query(state="all"))
    upgraded.counts()
    try:
        checkpoint.load(checkpoint_in_use(settings, upgraded))
    except CheckpointError as error:
        raise WorklistError(
            f"The model in use cannot be used by this version: {error} Put another to use with the "
            "earlier version, or correct CXR_CHECKPOINT. Nothing was upgraded."
        ) from error
