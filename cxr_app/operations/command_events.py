"""Commands as events of the audit: which user of the operating system ran them, how they ended."""

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from cxr_app.audit.event import AuditKind, AuditOutcome
from cxr_app.audit.log import AuditLog
from cxr_app.audit.store import FILE
from cxr_app.errors import AuditError
from cxr_app.settings import Settings


@dataclass(slots=True)
class CommandRun:
    """How a command ended, for its event.

    Parameters
    ----------
    outcome, detail
        As in `AuditEvent`; the detail has no path and no name, which may be a patient's.
    """

    outcome: AuditOutcome = AuditOutcome.DONE
    detail: str = ""


@contextmanager
def noted_command(
    settings: Settings, name: str, *, announces: bool = True, creates: bool = True
) -> Iterator[CommandRun]:
    """Record a command in the audit when it begins and when it ends.

    A command runs even if the audit cannot be written; standard error says so.

    Parameters
    ----------
    name
        The command, without its arguments.
    announces
        Whether its begin is recorded, too, so that one that is killed has an event.
    creates
        Whether an installation without an audit gets one.
    """
    if announces:
        _note(settings, f"{name}: begins", creates=creates)
    run = CommandRun()
    try:
        yield run
    except BaseException as error:
        run.outcome = AuditOutcome.FAILED
        run.detail = run.detail or type(error).__name__
        raise
    finally:
        _note(settings, f"{name}: {run.detail or 'ends'}", outcome=run.outcome, creates=creates)


def operating_system_user() -> str:
    """Return the name of the user of this process; no variable of the environment changes it."""
    user = os.getuid()
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _note(
    settings: Settings,
    detail: str,
    *,
    outcome: AuditOutcome = AuditOutcome.DONE,
    creates: bool = True,
) -> None:
    if not creates and not (settings.audit_folder / FILE).is_file():
        return
    try:
        with closing(AuditLog.of(settings)) as audit:
            audit.record(
                AuditKind.COMMAND, who=operating_system_user(), outcome=outcome, detail=detail
            )
        problem = audit.problem
    except AuditError as error:
        problem = str(error)
    if problem:
        sys.stderr.write(f"This command is not in the audit. {problem}\n")
