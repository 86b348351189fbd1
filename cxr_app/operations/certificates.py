"""The certificates of an installation: readable, in date, with the key that belongs to each."""

import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from cxr_app.audit.syslog import TIMEOUT_SECONDS, check_syslog_server, syslog_context
from cxr_app.errors import SettingsError
from cxr_app.operations.diagnosis import Diagnosis, looked_at
from cxr_app.settings import Settings

RENEWAL = timedelta(days=30)
"""Time before its end at which a certificate is a problem."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine_certificates(settings: Settings) -> Iterator[Diagnosis]:
    """Yield the result for each certificate that the settings name, and for the syslog server."""
    own, own_key = settings.dicom_certificate, settings.dicom_key
    if own is not None:
        yield looked_at(
            "certificate of the receiver",
            lambda: _certificate("CXR_DICOM_CERTIFICATE", own, "CXR_DICOM_KEY", own_key or own),
        )
    elif own_key is not None or settings.dicom_client_authority is not None:
        yield Diagnosis(
            "certificate of the receiver",
            "CXR_DICOM_KEY or CXR_DICOM_CLIENT_AUTHORITY is set and CXR_DICOM_CERTIFICATE is not. "
            "Set it, or unset them.",
        )
    for name, variable, path in (
        ("authority of senders", "CXR_DICOM_CLIENT_AUTHORITY", settings.dicom_client_authority),
        ("authority of syslog", "CXR_AUDIT_SYSLOG_AUTHORITY", settings.audit_syslog_authority),
    ):
        if path is not None:
            yield looked_at(name, partial(_in_date, variable, path))
    if (shown := settings.audit_syslog_certificate) is not None:
        variable = "CXR_AUDIT_SYSLOG_CERTIFICATE"
        yield looked_at(
            "certificate for syslog", lambda: _certificate(variable, shown, variable, shown)
        )
    has_syslog = settings.audit_syslog_authority or settings.audit_syslog_certificate
    if settings.syslog_server is not None or has_syslog:
        yield looked_at("syslog server", lambda: _syslog(settings))


def first_certificate(path: Path) -> bytes:
    """Return the first certificate of a PEM file as DER.

    Raises
    ------
    SettingsError
        If it cannot be read.
    """
    return _read("CXR_DICOM_CERTIFICATE", path)[0].public_bytes(Encoding.DER)


def _certificate(variable: str, path: Path, key_variable: str, key: Path) -> str:
    found = _in_date(variable, path)
    (own, *_) = _read(variable, path)
    try:
        secret = load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        raise SettingsError(
            f"{key_variable} ({key}) cannot be read by this user: {error.strerror}. Let the user "
            "of the program, and nobody else, read it."
        ) from error
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"{key_variable} ({key}) holds no private key in PEM without a password. "
            "openssl pkey -in KEY -out PLAIN takes the password off."
        ) from error
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if secret.public_key().public_bytes(*form) != own.public_key().public_bytes(*form):
        raise SettingsError(
            f"{key_variable} ({key}) is not the key of {variable} ({path}). Name the key that the "
            "certificate was asked for with."
        )
    if stat.S_IMODE(key.stat().st_mode) & OTHERS:
        raise SettingsError(f"Other users may read the key {key}. Run: chmod 600 {key}")
    return found


def _in_date(variable: str, path: Path) -> str:
    """Check every certificate of a file; return when the first one ends."""
    now = datetime.now(UTC)
    found = _read(variable, path)
    if any(each.not_valid_before_utc > now for each in found):
        raise SettingsError(
            f"{variable} ({path}) is not valid before "
            f"{max(each.not_valid_before_utc for each in found):%Y-%m-%d %H:%M} UTC. "
            "Check the clock of this server, else ask for another certificate."
        )
    return _left(f"{variable} ({path})", min(each.not_valid_after_utc for each in found))


def _left(what: str, ends: datetime) -> str:
    left = ends - datetime.now(UTC)
    if left < timedelta():
        raise SettingsError(
            f"{what} ended on {ends:%Y-%m-%d}. Put a new certificate there and restart."
        )
    if left < RENEWAL:
        raise SettingsError(
            f"{what} ends in {left.days} days, on {ends:%Y-%m-%d}. Have it renewed, then restart; "
            "after that day connections are refused."
        )
    return f"ends in {left.days} days, on {ends:%Y-%m-%d}"


def _read(variable: str, path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise SettingsError(
            f"{variable} ({path}) cannot be read by this user: {error.strerror}. Check the path "
            "and its rights."
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"{variable} ({path}) holds no certificate in PEM, which begins with "
            "-----BEGIN CERTIFICATE-----. openssl x509 -inform der -in FILE converts one."
        ) from error


def _syslog(settings: Settings) -> str:
    """Shake hands with the syslog server as the audit does; no event is sent."""
    check_syslog_server(settings)
    server = settings.syslog_server
    if server is None:
        return ""
    where = f"{server[0]}:{server[1]}"
    try:
        with (
            socket.create_connection(server, timeout=TIMEOUT_SECONDS) as plain,
            syslog_context(settings).wrap_socket(plain, server_hostname=server[0]) as secure,
        ):
            ends = str(secure.getpeercert()["notAfter"])  # type: ignore[index]
    except ssl.SSLCertVerificationError as error:
        raise SettingsError(
            f"The certificate of {where} is not accepted: {error.verify_message}. Name its "
            "authority by CXR_AUDIT_SYSLOG_AUTHORITY, and the host by the name in it."
        ) from error
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise SettingsError(
            f"{where} cannot be reached over TLS: {reason}. Check that it runs, its port, and "
            "firewalls; events wait on the disk meanwhile."
        ) from error
    moment = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
    return "its certificate " + _left(f"The certificate of {where}", moment)
