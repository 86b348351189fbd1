"""Whether there is an installation where the settings say; looking for it makes nothing."""

from cxr_app.audit.store import FILE
from cxr_app.errors import AuditError, SettingsError
from cxr_app.film_store import FilmStore
from cxr_app.settings import Settings
from cxr_app.worklist.stored_schema import stored_schema


def missing_installation(settings: Settings) -> str:
    """Return what to do if there is neither a worklist nor a film; empty if there is one.

    Raises
    ------
    CxrError
        If the database cannot be asked.
    """
    has_worklist = stored_schema(settings.worklist_url).revision is not None
    if has_worklist or FilmStore(settings.films_dir).holds_films():
        return ""
    found = "it holds no worklist and no films"
    advice = "Correct CXR_DATA_DIR"
    if settings.database_url:
        found = "it holds no films, and the database of CXR_DATABASE_URL holds no worklist"
        advice = "Correct CXR_DATA_DIR and CXR_DATABASE_URL"
    return (
        f"There is no installation at {settings.data_dir}: {found}. {advice}. On a new machine, "
        "start the program once (make app), which makes one."
    )


def require_installation(settings: Settings) -> None:
    """Refuse settings that name no installation.

    Raises
    ------
    SettingsError
        If there is neither a worklist nor a film.
    CxrError
        If the database cannot be asked.
    """
    if problem := missing_installation(settings):
        raise SettingsError(problem)


def require_audit(settings: Settings) -> None:
    """Refuse settings that name no audit.

    Raises
    ------
    AuditError
        If there is none.
    """
    if not (settings.audit_folder / FILE).is_file():
        raise AuditError(
            f"There is no audit at {settings.audit_folder}. Correct CXR_DATA_DIR or CXR_AUDIT_DIR; "
            "the audit of a new installation begins when the program first starts."
        )
