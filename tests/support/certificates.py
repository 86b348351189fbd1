"""A certificate of this computer, made by openssl."""

import subprocess
from pathlib import Path

from tests.support.peers import need


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for 127.0.0.1 and localhost, and its key."""
    need("openssl")
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "server.crt", folder / "server.key"
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        *("-out", str(paths[0]), "-keyout", str(paths[1])),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return paths
