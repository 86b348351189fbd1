"""Who may do what: one line for each page and each action."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a person does at this site; a person may have several roles."""

    READER = "reader"
    ADMINISTRATOR = "administrator"
    SCIENTIST = "scientist"
    AUDITOR = "auditor"


ALL_ROLES = frozenset(Role)


class Permission(StrEnum):
    """A page or an action; the value ends the sentence "You may not ..."."""

    OPEN_WORKLIST = "open the worklist"
    OPEN_FILM = "open films"
    UPLOAD = "upload films"
    OPEN_BACKLOG = "open the Backlog page"
    OPEN_RETRAIN = "open the Retrain page"
    OPEN_MODEL = "open the Model page"
    OPEN_DRIFT = "open the Drift page"
    OPEN_CONNECTIONS = "open the Connections page"
    REVIEW = "review films"
    ATTEST = "say how a film lies"
    LOOK_IN_ARCHIVE = "look in the archive"
    DISMISS = "mark files as read"
    HAND_OVER = "hand films over"
    KEEP_VIEW = "keep views of the list"
    UNMASK = "see names and ids"
    EXPORT_REPORT = "save reports"
    SAVE_TEMPLATE = "change the report's template"
    RUN_BACKLOG = "score folders"
    EXPORT_RESULTS = "download results"
    CONFIRM_CLOCK = "confirm the clock"
    SCORE_AGAIN = "have films scored again"
    RETRAIN = "retrain the model"
    DISCARD = "discard a model"
    PROMOTE = "promote a model"
    TEST_CONNECTION = "test a connection"
    NAME_ARCHIVES = "name archives"
    RETRY_RESULTS = "send results again"
    EXPORT_WITHOUT_IDENTITIES = "export films without identities"
    OPEN_AUDIT = "open the audit"
    CHECK_AUDIT = "check the audit"
    EXPORT_AUDIT = "export the audit"


READER = frozenset({Role.READER})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
SCIENTIST = frozenset({Role.SCIENTIST})
AUDITOR = frozenset({Role.AUDITOR})

WHO_MAY: dict[Permission, frozenset[Role]] = {
    Permission.OPEN_WORKLIST: READER,
    Permission.OPEN_FILM: READER,
    Permission.UPLOAD: READER,
    Permission.OPEN_BACKLOG: ADMINISTRATOR,
    Permission.OPEN_RETRAIN: SCIENTIST,
    Permission.OPEN_MODEL: SCIENTIST,
    Permission.OPEN_DRIFT: ADMINISTRATOR | SCIENTIST,
    Permission.OPEN_CONNECTIONS: ADMINISTRATOR,
    Permission.REVIEW: READER,
    Permission.ATTEST: READER,
    Permission.LOOK_IN_ARCHIVE: READER,
    Permission.DISMISS: READER,
    Permission.HAND_OVER: READER,
    Permission.KEEP_VIEW: READER,
    Permission.UNMASK: READER | ADMINISTRATOR,  # and in CXR_UNMASK_ROLES
    Permission.EXPORT_REPORT: READER,
    Permission.SAVE_TEMPLATE: ADMINISTRATOR,
    Permission.RUN_BACKLOG: ADMINISTRATOR,
    Permission.EXPORT_RESULTS: ADMINISTRATOR,
    Permission.CONFIRM_CLOCK: ADMINISTRATOR,
    Permission.SCORE_AGAIN: ADMINISTRATOR | SCIENTIST,
    Permission.RETRAIN: SCIENTIST,
    Permission.DISCARD: SCIENTIST,
    Permission.PROMOTE: SCIENTIST,
    Permission.TEST_CONNECTION: ADMINISTRATOR,
    Permission.NAME_ARCHIVES: ADMINISTRATOR,
    Permission.RETRY_RESULTS: ADMINISTRATOR,
    Permission.EXPORT_WITHOUT_IDENTITIES: SCIENTIST,
    Permission.OPEN_AUDIT: AUDITOR,
    Permission.CHECK_AUDIT: AUDITOR,
    Permission.EXPORT_AUDIT: AUDITOR,
}


def refusal(permission: Permission, roles: Iterable[Role], wanted: Iterable[Role]) -> str:
    """Return why something is refused, and what to do.

    Parameters
    ----------
    roles
        Of the person who asks.
    wanted
        Roles of which one is needed.
    """
    held = " and ".join(sorted(roles))
    needed = " or ".join(sorted(wanted))
    groups = " or ".join(f"CXR_{role.upper()}_GROUPS" for role in sorted(wanted))
    return (
        f"You may not {permission}: it needs the role {needed or 'of nobody'}, and you have "
        f"{f'the role {held}' if held else 'none'}. Ask the person who runs your directory to add "
        f"you to a group of {groups or 'CXR_UNMASK_ROLES'}, then sign in again."
    )
