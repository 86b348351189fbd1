"""Which process holds a claim, and whether it has certainly ended.

A claim of a process that was killed would otherwise hold until its lease ends. What cannot be
known, as of a process on another computer or in another container, counts as running.
"""

import hashlib
import os
import secrets
from functools import cache
from pathlib import Path
from uuid import uuid4

HOST, PID, BEGUN, NONCE = 10, 6, 8, 8
"""Hexadecimal digits of the parts of a claim, 32 together."""

MOST_BEGUN = (1 << 4 * BEGUN) - 1

_PROC = Path("/proc")
_START_TIME = 19
"""Place of a process's start time after its name in ``/proc/PID/stat``; see proc(5)."""


def new_claim() -> str:
    """Return a claim that names this process, 32 characters; no other claim is equal to it."""
    pid = os.getpid()
    begun, host = _begun(pid), _host()
    if begun is None or not host or pid >= 1 << 4 * PID:
        return uuid4().hex
    return f"{host}{pid:0{PID}x}{begun:0{BEGUN}x}{secrets.token_hex(NONCE // 2)}"


def is_abandoned(claim: str) -> bool:
    """Check whether a claim's process was one of this computer and has ended."""
    try:
        pid = int(claim[HOST : HOST + PID], 16)
        begun = int(claim[HOST + PID : HOST + PID + BEGUN], 16)
    except ValueError:
        return False
    return claim[:HOST] == _host() != "" and pid > 0 and _has_ended(pid, begun)


def _has_ended(pid: int, begun: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it belongs to another user
        pass
    found = _begun(pid)
    return found is not None and found != begun


@cache
def _host() -> str:
    """Return what names this computer since it was started, and the numbering of its processes.

    Empty where the system does not tell.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        numbering = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {numbering}".encode()).hexdigest()[:HOST]


def _begun(pid: int) -> int | None:
    """Return when a process began, in ticks of this computer's clock; None if that is unknown.

    Clocks that are set do not change it. It recurs after 16 months.
    """
    try:
        words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return int(words[_START_TIME]) & MOST_BEGUN
    except (OSError, IndexError, ValueError):
        return None
