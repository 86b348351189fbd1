"""TCP_NODELAY for the server's listening socket.

Streamlit creates the socket in a way that asyncio does not recognise as TCP, which leaves Nagle's
algorithm on. The second part of a response then waits for the acknowledgement of the first, which
browsers delay by 40 ms. A page has a hundred such responses.
"""

import os
import socket
import stat
from pathlib import Path

OPEN_FILES = Path("/dev/fd")


def disable_nagle() -> None:
    """Send responses without delay on all connections accepted from now on.

    An accepted connection inherits the option from the listening socket. If a process cannot list
    its open files, nothing changes.
    """
    for file in OPEN_FILES.iterdir() if OPEN_FILES.exists() else ():
        number = int(file.name)
        try:
            is_socket = stat.S_ISSOCK(os.fstat(number).st_mode)
        except OSError:  # the descriptor of the listing itself, closed by now
            continue
        if is_socket:
            _without_delay(number)


def _without_delay(number: int) -> None:
    with socket.socket(fileno=os.dup(number)) as found:
        is_tcp = found.family in (socket.AF_INET, socket.AF_INET6)
        if is_tcp and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
