"""Administer this installation.

    python -m cxr_app.admin backup FOLDER    write a backup, or bring the one there up to date
    python -m cxr_app.admin verify FOLDER    read everything in a backup
    python -m cxr_app.admin restore FOLDER   restore a backup into an empty place
    python -m cxr_app.admin upgrade FOLDER   back up into FOLDER, then upgrade the installation
    python -m cxr_app.admin doctor           check the installation and say what to do
    python -m cxr_app.admin reenter          enter stored films that the worklist has not
    python -m cxr_app.admin confirm-clock    go on with deletions after the clock has jumped
    python -m cxr_app.admin audit verify     check the chain of the audit and print its head
    python -m cxr_app.admin audit export     print the audit as JSON lines

The settings CXR_DATA_DIR and CXR_DATABASE_URL say which installation. A backup may be written while
servers run; stop them before a restoration or an upgrade. Exit status: 0 all well, 1 something
needs a person, 2 usage, settings or a step that failed; 130 stopped half-way.
"""

import argparse
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from pathlib import Path

from cxr_app import log_privacy
from cxr_app.audit.event import AuditOutcome
from cxr_app.audit.message import as_json
from cxr_app.audit.store import AuditStore
from cxr_app.errors import CxrError
from cxr_app.operations import backup
from cxr_app.operations.command_events import noted_command, operating_system_user
from cxr_app.operations.doctor import examine_installation
from cxr_app.operations.opening import open_worklist, reenter_films
from cxr_app.operations.presence import require_audit, require_installation
from cxr_app.operations.upgrade import upgrade
from cxr_app.pacs.peer_checks import examine_peers
from cxr_app.retention import Retention
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist

EVENTS_AT_ONCE = 1_000
STOPPED = 130
"""Exit status of a command that was stopped half-way, as shells use it."""
READING = frozenset({"verify", "doctor"})
"""Commands that only read: they begin no audit where there is none."""
NEEDS: dict[str, Callable[[Settings], None]] = {
    **dict.fromkeys(("backup", "upgrade", "reenter", "confirm-clock"), require_installation),
    "audit": require_audit,
}
"""What must be there already for a command."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _noted_run(options, Settings.read())
    except CxrError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped before the end. Run the same command again.", file=sys.stderr)
        return STOPPED


def _noted_run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the command and record it in the audit; a restoration in the audit that it restores."""
    name = " ".join(filter(None, ("admin", options.command, getattr(options, "task", ""))))
    announces = options.command != "restore"
    creates = options.command not in READING
    if require := NEEDS.get(options.command):
        require(settings)  # before an audit is begun
    with noted_command(settings, name, announces=announces, creates=creates) as run:
        status = _run(options.command, options, settings)
        run.outcome = AuditOutcome.FAILED if status else AuditOutcome.DONE
        run.detail = f"exit status {status}"
        return status


def _run(command: str, options: argparse.Namespace, settings: Settings) -> int:
    commands: dict[str, Callable[[], int]] = {
        "backup": lambda: _back_up(settings, options.folder),
        "verify": lambda: _told(backup.verify(options.folder), "The backup is whole."),
        "restore": lambda: _restore(settings, options.folder),
        "upgrade": lambda: _upgrade(settings, options.folder),
        "doctor": lambda: _examine(settings),
        "reenter": lambda: _reenter(settings),
        "confirm-clock": lambda: _confirm_clock(settings),
        "audit": lambda: _audit(settings, options),
    }
    return commands[command]()


def _restore(settings: Settings, folder: Path) -> int:
    restored = backup.restore(settings, folder)
    return _told(_lost(restored), f"Restored: {_held(restored)}.")


def _upgrade(settings: Settings, folder: Path) -> int:
    report = upgrade(settings, folder)
    if report.backup is None:
        return _told([], "The installation is up to date.")
    for remark in (*_lost(report.backup), *report.remarks):
        print(remark, file=sys.stderr)
    print(f"Upgraded: {report.before.entries} films. The state before is in {folder}.")
    return 1 if report.backup.lost or report.remarks else 0


def _confirm_clock(settings: Settings) -> int:
    with closing(open_worklist(settings)) as worklist:
        Retention(settings, worklist).confirm_clock(f"{operating_system_user()} (command line)")
    return _told([], "The clock is confirmed.")


def _back_up(settings: Settings, folder: Path) -> int:
    made = backup.back_up(settings, folder)
    return _told(_lost(made), f"Backed up: {_held(made)}.")


def _held(manifest: backup.BackupManifest) -> str:
    films, made_at = manifest.films, manifest.made_at
    return f"{manifest.entries} entries and {films} stored films, as of {made_at}"


def _lost(manifest: backup.BackupManifest) -> list[str]:
    if not manifest.lost:
        return []
    names = ", ".join(sha256[:8] for sha256 in manifest.lost[:5])
    return [
        f"{len(manifest.lost)} films of the worklist were not whole in the film store, first "
        f"{names}. Send them again, or copy them from an older backup."
    ]


def _examine(settings: Settings) -> int:
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # what it logs is printed below
    problems = 0
    for diagnosis in chain(examine_installation(settings), examine_peers(settings)):
        well = f"well ({diagnosis.detail})" if diagnosis.detail else "well"
        print(f"{diagnosis.name}: {diagnosis.problem or well}", flush=True)
        problems += bool(diagnosis.problem)
    return 1 if problems else 0


def _reenter(settings: Settings) -> int:
    with closing(Worklist.open(settings.worklist_url)) as worklist:
        count = reenter_films(settings, worklist)
    damaged = [f"The film {sha256[:8]} is damaged and was left out." for sha256 in count.damaged]
    return _told(damaged, f"Entered: {count.entered} films; {count.known} were known.")


def _audit(settings: Settings, options: argparse.Namespace) -> int:
    store = AuditStore(settings.audit_folder)
    if options.task == "export":
        _export(store)
        return 0
    state = store.verify(options.noted)
    faults = [f"{state.fault} The {state.events} events before it are whole."]
    summary = f"The chain is whole. Note its head: {state.events}:{state.head}"
    return _told(faults if state.fault else [], summary)


def _export(store: AuditStore) -> None:
    """Print all events, or as many as the reader of this output takes."""
    number = 0
    try:
        while records := store.after(number, EVENTS_AT_ONCE):
            sys.stdout.writelines(f"{as_json(record)}\n" for record in records)
            number = records[-1].number
        sys.stdout.flush()
    except BrokenPipeError:  # `head`, for one; the interpreter would report it once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _noted(text: str) -> tuple[int, str]:
    found = re.fullmatch("([0-9]{1,18}):([0-9a-f]{64})", text.strip().lower())
    if found is None:
        raise argparse.ArgumentTypeError(
            "expected the whole head as `audit verify` prints it: a number, a colon and 64 "
            "hexadecimal digits"
        )
    return int(found[1]), found[2]


def _told(faults: list[str], summary: str) -> int:
    """Print faults, or the summary if there are none; return the exit status."""
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(summary)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cxr_app.admin", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("backup", "verify", "restore", "upgrade"):
        add = commands.add_parser(name)
        add.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the backup")
    for name in ("doctor", "reenter", "confirm-clock"):
        commands.add_parser(name)
    audit = commands.add_parser("audit")
    audit.add_argument("task", choices=("verify", "export"))
    audit.add_argument(
        "--noted", type=_noted, metavar="NUMBER:DIGEST", help="head of the chain as noted earlier"
    )
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as with Ctrl-C
    log_privacy.hide_messages()
    sys.exit(main())
