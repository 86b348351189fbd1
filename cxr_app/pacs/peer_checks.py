"""Whether the peers on the DICOM network answer: archives, and the receiver of this computer."""

import socket
import ssl
from collections.abc import Iterator
from functools import partial

from cxr_app.destination import Destination
from cxr_app.errors import SettingsError
from cxr_app.operations.certificates import first_certificate
from cxr_app.operations.diagnosis import Diagnosis, looked_at
from cxr_app.operations.ports import SECONDS, is_listened_on
from cxr_app.pacs.archive import echo
from cxr_app.pacs.destinations import check_destination
from cxr_app.pacs.film_sources import check_film_source
from cxr_app.settings import Settings


def examine_peers(settings: Settings) -> Iterator[Diagnosis]:
    """Yield the result for the receiver and for each archive that the settings name.

    References
    ----------
    DICOM PS3.4 A.4 (C-ECHO).
    """
    if (port := settings.dicom_port) is not None:
        yield looked_at("port of the receiver", lambda: _receiver(settings, port))
    for target in settings.destinations:
        yield looked_at(f"archive {target.name}", partial(_echo, target, settings))
    if (source := settings.film_archive) is not None:
        yield looked_at(f"films from {source.name}", partial(_search, source, settings))


def _echo(target: Destination, settings: Settings) -> str:
    check_destination(target, settings)
    return "answers"


def _search(source: Destination, settings: Settings) -> str:
    check_film_source(source, settings)
    return "answers a search" if source.url else "answers an echo and a search"


def _receiver(settings: Settings, port: int) -> str:
    host = settings.dicom_host
    if not is_listened_on(host, port):
        return f"{port} is free; no receiver is running"
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    if settings.dicom_certificate is not None:
        return _shown(settings, own, port)
    if settings.dicom_callers or settings.dicom_addresses:
        return f"{port} is listened on; only some may call"
    echo(Destination(settings.ae_title, own, port), settings.ae_title)
    return f"{port} answers an echo"


def _shown(settings: Settings, host: str, port: int) -> str:
    """Compare the certificate that the receiver shows with the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is only looked at
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as plain,
            context.wrap_socket(plain) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
    except OSError as error:
        raise SettingsError(
            f"What listens on port {port} does not speak TLS. If it is the receiver, restart it, "
            "so that it reads CXR_DICOM_CERTIFICATE; else choose another port."
        ) from error
    if settings.dicom_certificate and shown != first_certificate(settings.dicom_certificate):
        raise SettingsError(
            "The receiver shows another certificate than the one in CXR_DICOM_CERTIFICATE. "
            "Restart it."
        )
    return f"{port} shows its certificate"
