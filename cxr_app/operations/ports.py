"""The address that the server answers on: its own, free, or another program's."""

import errno
import os
import socket
import tomllib
from http.client import HTTPConnection, HTTPException

from cxr_app.errors import SettingsError
from cxr_app.operations.diagnosis import Diagnosis, looked_at
from cxr_app.settings import PROJECT

CONFIGURATION = PROJECT / ".streamlit" / "config.toml"
SECONDS = 10.0


def examine_server() -> Diagnosis:
    """Return the result for the server's port."""
    return looked_at("port of the server", _server)


def is_listened_on(host: str, port: int) -> bool:
    """Return whether a program listens on a port of this computer.

    Raises
    ------
    SettingsError
        If none does and this user could not either.
    """
    own = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    try:
        socket.create_connection((own, port), timeout=SECONDS).close()
    except OSError:
        _require_free(host, port)
        return False
    return True


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        advice = {
            errno.EACCES: "Choose a port above 1023, or let the unit have CAP_NET_BIND_SERVICE.",
            errno.EADDRINUSE: "Another program has it. Stop that, or choose another port.",
            errno.EADDRNOTAVAIL: "This computer has no such address. Correct it.",
        }.get(error.errno or 0, "Check the address.")
        reason = os.strerror(error.errno or 0)
        raise SettingsError(
            f"Port {port} of {host} cannot be listened on: {reason}. {advice}"
        ) from error


def _address() -> tuple[str, int]:
    """Return where Streamlit listens, by its own configuration."""
    try:
        server = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8")).get("server", {})
    except (OSError, ValueError) as error:
        raise SettingsError(f"{CONFIGURATION} cannot be read. Restore it.") from error
    host = os.environ.get("STREAMLIT_SERVER_ADDRESS", server.get("address", "127.0.0.1"))
    return str(host), int(os.environ.get("STREAMLIT_SERVER_PORT", server.get("port", 8501)))


def _server() -> str:
    host, port = _address()
    if not is_listened_on(host, port):
        return f"{port} is free; the server is not running"
    own = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
    connection = HTTPConnection(own, port, timeout=SECONDS)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        text = answer.read(10_000).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        raise SettingsError(
            f"What listens on port {port} does not answer /readyz within {SECONDS:.0f} s. If it is "
            "this server, look into its log and restart it; else choose another port."
        ) from error
    finally:
        connection.close()
    if answer.status == 503 and text.startswith("{"):
        raise SettingsError(f"The server runs and cannot work: {text}")
    if answer.status != 200 or '"problems"' not in text:
        raise SettingsError(
            f"Another program answers on port {port} ({answer.status}). Stop it, or choose another "
            f"port in {CONFIGURATION}."
        )
    return f"{port} answers and is ready"
