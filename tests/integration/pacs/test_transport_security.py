"""The receiver over TLS, with and without certificates of the senders."""

import gc
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxr_app.errors import SettingsError
from cxr_app.jobs.companion_program import USAGE
from cxr_app.pacs.transport_security import tls_context
from cxr_app.settings import Settings
from cxr_app.worklist import Query, Worklist
from tests.support.factories import dicom_bytes
from tests.support.peers import (
    ReceiverUnderTest,
    free_port,
    need,
    receiving,
    run_to_its_end,
    store_over,
)

# pynetdicom, as a sender, leaves the socket of a refused connection open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def sockets_collected() -> Iterator[None]:
    """Let the warning come within the test that ignores it."""
    yield
    gc.collect()


REQUEST = (
    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
    *("-subj", "/CN=localhost"),
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a self-signed certificate and its key, and another pair."""
    need("openssl")
    folder = tmp_path_factory.mktemp("keys")
    for name in ("receiver", "sender"):
        subprocess.run(
            [*REQUEST, "-keyout", f"{name}.key", "-out", f"{name}.crt"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder


def received(receiver: ReceiverUnderTest) -> int:
    worklist = Worklist.open(f"sqlite:///{receiver.data_dir / 'worklist.sqlite'}")
    try:
        return worklist.count(Query(state="all"))
    finally:
        worklist.close()


def test_films_are_received_over_tls_from_senders_with_a_certificate(
    tmp_path: Path, keys: Path
) -> None:
    need("storescu")
    film = tmp_path / "film.dcm"
    film.write_bytes(dicom_bytes())
    trusting = ["storescu", "-R", "+cf", str(keys / "receiver.crt")]
    own = [str(keys / "sender.key"), str(keys / "sender.crt")]
    settings = {
        "dicom_certificate": str(keys / "receiver.crt"),
        "dicom_key": str(keys / "receiver.key"),
        "dicom_client_authority": str(keys / "sender.crt"),
    }
    with receiving(tmp_path / "data", **settings) as receiver:
        with socket.create_connection(("127.0.0.1", receiver.port)):  # and says nothing
            receiver.send(*trusting, "+tls", *own, files=[film])
            assert received(receiver) == 1
        other = tmp_path / "other.dcm"
        other.write_bytes(dicom_bytes())
        receiver.send(*trusting, "+tla", files=[other])
        assert received(receiver) == 1  # it has shown no certificate
        assert store_over(receiver.port, other.read_bytes()) == -1  # it has spoken no TLS
        receiver.send(*trusting, "+tls", *own, files=[other])
        assert received(receiver) == 2


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    assert tls_context(Settings(data_dir=tmp_path)) is None


@pytest.mark.parametrize("name", ["dicom_key", "dicom_client_authority"])
def test_tls_is_not_left_out_without_a_word(tmp_path: Path, name: str) -> None:
    settings = {"data_dir": tmp_path / "data", "dicom_port": free_port()}
    run = run_to_its_end("receiver", **settings, **{name: tmp_path / "named.pem"})
    assert run.returncode == USAGE
    assert f"CXR_{name.upper()} is set and CXR_DICOM_CERTIFICATE is not" in run.stderr


@pytest.mark.parametrize(
    "named",
    [
        {"dicom_certificate": "none.pem"},
        {"dicom_certificate": "receiver.crt"},
        {"dicom_certificate": "receiver.crt", "dicom_key": "sender.key"},
        {"dicom_client_authority": "sender.crt"},
        {"dicom_key": "receiver.key"},
        {"dicom_key": "none.pem"},
        {
            "dicom_certificate": "receiver.crt",
            "dicom_key": "receiver.key",
            "dicom_client_authority": "none.pem",
        },
    ],
)
def test_files_that_cannot_be_used_are_a_matter_of_settings(
    keys: Path, named: dict[str, str]
) -> None:
    paths = {name: keys / file for name, file in named.items()}
    with pytest.raises(SettingsError, match="CXR_DICOM"):
        tls_context(Settings(**paths))  # type: ignore[arg-type]
