"""TLS of the receiver: its certificate, and whose certificates senders must show."""

import socket
import ssl
from pathlib import Path
from typing import Any

from cxr_app.errors import SettingsError
from cxr_app.settings import Settings


class _LateHandshake(ssl.SSLContext):
    """A context whose sockets shake hands at their first read, in the association's own thread.

    pynetdicom would do it where it accepts connections: one caller that connects and says nothing
    would keep out all others.
    """

    def wrap_socket(
        self, sock: socket.socket, server_side: bool = False, *_: Any, **__: Any
    ) -> ssl.SSLSocket:
        """Wrap a socket without a handshake."""
        return super().wrap_socket(sock, server_side, do_handshake_on_connect=False)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the receiver's TLS context; None if the settings name no certificate.

    Raises
    ------
    SettingsError
        If a file cannot be used, or a key or a client authority is named without a certificate.

    References
    ----------
    DICOM PS3.15 B.9 and B.12 (BCP 195 profiles): TLS 1.2 or later.
    """
    certificate, authority = settings.dicom_certificate, settings.dicom_client_authority
    if certificate is None:
        _require_no_tls(settings)
        return None
    context = _LateHandshake(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, settings.dicom_key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise _unusable("CXR_DICOM_CERTIFICATE or CXR_DICOM_KEY", certificate) from error
    if authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(authority)
        except (OSError, ValueError) as error:
            raise _unusable("CXR_DICOM_CLIENT_AUTHORITY", authority) from error
    return context


def _require_no_tls(settings: Settings) -> None:
    """Raise if the settings ask for TLS and name no certificate for it."""
    if settings.dicom_client_authority is not None:
        raise SettingsError(
            "CXR_DICOM_CLIENT_AUTHORITY is set and CXR_DICOM_CERTIFICATE is not: without a "
            "certificate of its own the receiver speaks no TLS, and would let everyone in."
        )
    if settings.dicom_key is not None:
        raise SettingsError(
            "CXR_DICOM_KEY is set and CXR_DICOM_CERTIFICATE is not: without the certificate of "
            "that key the receiver speaks no TLS, and films would travel unencrypted. Set it, or "
            "unset the key."
        )


def _no_password() -> str:
    """Return an empty password, so that nobody is asked for one at a terminal."""
    return ""


def _unusable(names: str, path: Path) -> SettingsError:
    return SettingsError(
        f"The file of {names} ({path}) cannot be used: expected PEM files that this user may read, "
        "and a key without a password that belongs to the certificate."
    )
