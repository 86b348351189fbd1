"""The socket that the server listens on.

Streamlit makes it so that asyncio does not know it for TCP, and leaves Nagle's algorithm on: of an
answer in two pieces the second then waits until the browser has acknowledged the first, which it
puts off for 40 ms. A page is a hundred such answers.
"""

import os
import socket
import stat
from pathlib import Path

OPEN_FILES = Path("/dev/fd")


def disable_nagle() -> None:
    """Send every answer's pieces without delay, on all connections that come from now on.

    An accepted connection takes the option over from the socket that listens. Where a process
    cannot list its open files, nothing changes.
    """
    for file in OPEN_FILES.iterdir() if OPEN_FILES.exists() else ():
        number = int(file.name)
        try:
            is_socket = stat.S_ISSOCK(os.fstat(number).st_mode)
        except OSError:  # the listing itself, by now closed
            continue
        if is_socket:
            _without_delay(number)


def _without_delay(number: int) -> None:
    with socket.socket(fileno=os.dup(number)) as found:
        is_tcp = found.family in (socket.AF_INET, socket.AF_INET6)
        if is_tcp and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
