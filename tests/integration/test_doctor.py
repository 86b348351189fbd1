"""The doctor finds what is wrong, says what to do, and calls nothing well that is not."""

import gc
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from pynetdicom import AE

from cxr_app import admin
from cxr_app.operations import clocks, ports
from cxr_app.operations.diagnosis import Diagnosis, looked_at
from cxr_app.operations.doctor import examine_installation
from cxr_app.pacs.peer_checks import examine_peers
from cxr_app.settings import Settings
from cxr_app.worklist import Worklist
from cxr_app.worklist.database import server_clock
from tests.integration.conftest import DatabaseFactory
from tests.support import earlier_version
from tests.support.certificates import dated_certificate
from tests.support.checkpoints import write_tiny
from tests.support.web_archives import web_archive

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
VERIFICATION = "1.2.840.10008.1.1"


def examined(settings: Settings) -> dict[str, Diagnosis]:
    found = chain(examine_installation(settings), examine_peers(settings))
    return {diagnosis.name: diagnosis for diagnosis in found}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The settings of an installation of which everything is well."""
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(free_port()))
    (tmp_path / "data").mkdir(mode=0o700)
    Worklist.open(Settings(data_dir=tmp_path / "data").worklist_url).close()
    return {
        "data_dir": tmp_path / "data",
        "checkpoint": write_tiny(tmp_path / "tiny.safetensors"),
        "device": "cpu",
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def certificate(folder: Path, days: int, *, since: int = -1) -> tuple[Path, Path]:
    now = datetime.now(UTC)
    return dated_certificate(folder, now + since * DAY, now + days * DAY + DAY / 2)


@contextmanager
def peer(title: str = "PACS", *, refuses: bool = False) -> Iterator[str]:
    """Run an archive; yield how the settings write it."""
    entity = AE(title)
    entity.add_supported_context(VERIFICATION)
    if refuses:
        entity.require_called_aet = True
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    try:
        called = "OTHER" if refuses else title
        yield f"{called}@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def test_an_installation_that_is_well_is_called_well(
    site: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    crt, key = certificate(tmp_path / "tls", 90)
    with peer() as archive:
        for name, value in {
            **site,
            "dicom_certificate": crt,
            "dicom_key": key,
            "dicom_port": free_port(),
            "results_to": archive,
        }.items():
            monkeypatch.setenv(f"CXR_{name.upper()}", str(value))
        monkeypatch.setattr(clocks, "_is_synchronised", lambda: True)
        monkeypatch.setattr("cxr_app.operations.doctor.LEAST_FREE_BYTES", 0)
        assert admin.main(["doctor"]) == 0, capsys.readouterr().out
    told = capsys.readouterr().out.splitlines()
    assert all(": well" in line for line in told)
    assert "certificate of the receiver: well (ends in 90 days" in "\n".join(told)
    assert "PACS@" in "\n".join(told)
    assert "s for a drawn film" in "\n".join(told)


def test_a_mistyped_setting_is_told(
    site: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_ELSEWHERE_ENTIRELY", "1")
    settings = Settings(**site)  # type: ignore[arg-type]
    assert not examined(settings)["settings"].problem
    assert "CXR_ELSEWHERE_ENTIRELY is no setting" in examined(settings)["settings"].detail
    monkeypatch.setenv("CXR_SIGNIN", "proxy")
    assert "Did you mean CXR_SIGN_IN?" in examined(settings)["settings"].problem


def harmed(folder: Path, harm: str) -> tuple[Path, Path]:
    """Make a certificate and key of which one thing is wrong."""
    days = {"ended": -1, "ends soon": 12}.get(harm, 90)
    crt, key = certificate(folder, days, since={"ended": -9, "not yet": 3}.get(harm, -1))
    if harm == "missing":
        crt.unlink()
    elif harm == "another key":
        key = certificate(folder / "other", 90)[1]
    elif harm == "no key":
        key = crt
    elif harm == "not PEM":
        crt.write_bytes(ssl.PEM_cert_to_DER_cert(crt.read_text()))
    elif harm == "others read the key":
        key.chmod(0o644)
    elif harm == "password":
        secret = load_pem_private_key(key.read_bytes(), None)
        locked = BestAvailableEncryption(b"secret")
        key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return crt, key


@pytest.mark.parametrize(
    ("harm", "advice"),
    [
        ("missing", "Check the path"),
        ("ended", "Put a new certificate there"),
        ("ends soon", "ends in 12 days"),
        ("not yet", "Check the clock"),
        ("another key", "Name the key that the certificate was asked for with"),
        ("no key", "openssl pkey"),
        ("password", "openssl pkey"),
        ("not PEM", "openssl x509 -inform der"),
        ("others read the key", "chmod 600"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(
    site: dict[str, object], tmp_path: Path, harm: str, advice: str
) -> None:
    crt, key = harmed(tmp_path / "tls", harm)
    settings = Settings(**site, dicom_certificate=crt, dicom_key=key)  # type: ignore[arg-type]
    found = examined(settings)["certificate of the receiver"]
    assert advice in found.problem
    assert str(tmp_path / "tls") in found.problem
    assert "CXR_DICOM_" in found.problem or "chmod" in found.problem


@pytest.mark.parametrize(("days", "problem"), [(90, ""), (12, "ends in 12 days"), (-1, "expired")])
def test_the_syslog_server_is_called(
    site: dict[str, object], tmp_path: Path, days: int, problem: str
) -> None:
    crt, key = certificate(tmp_path / "tls", days, since=-9)
    with tls_server(crt, key) as port:
        settings = Settings(
            **site,  # type: ignore[arg-type]
            audit_syslog=f"localhost:{port}",
            audit_syslog_authority=crt,
        )
        found = examined(settings)["syslog server"]
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)
    assert examined(settings)["syslog server"].problem, "it is away now"


@contextmanager
def tls_server(crt: Path, key: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                    with closing(context.wrap_socket(plain, server_side=True)) as secure:
                        secure.recv(1)
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_receiver_that_shows_an_old_certificate_must_be_restarted(
    site: dict[str, object], tmp_path: Path
) -> None:
    old, renewed = certificate(tmp_path / "old", 90), certificate(tmp_path / "new", 90)
    with tls_server(*old) as port:
        for (crt, key), is_well in ((old, True), (renewed, False)):
            settings = Settings(
                **site,  # type: ignore[arg-type]
                dicom_port=port,
                dicom_certificate=crt,
                dicom_key=key,
            )
            found = examined(settings)["port of the receiver"]
            assert bool(found.detail) == is_well
            assert ("Restart it" in found.problem) == (not is_well)


# pynetdicom leaves the socket of a refused connection open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_archive_is_called(site: dict[str, object]) -> None:
    with (
        peer() as well,
        peer(refuses=True) as refusing,
        web_archive(lambda _: (200, {})) as web,
    ):
        away = f"AWAY@127.0.0.1:{free_port()}"
        settings = Settings(
            **site,  # type: ignore[arg-type]
            results_to=f"{well},{web},{refusing},{away}",
            films_from=away,
        )
        found = examined(settings)
    names = [name for name in found if name.startswith(("archive", "films from"))]
    assert len(names) == 5
    told = {name: found[name].problem for name in names}
    assert [bool(problem) for problem in told.values()] == [False, False, True, True, True]
    assert "Register CXR there" in list(told.values())[2]
    assert all("cannot be reached" in problem for problem in list(told.values())[3:])
    gc.collect()  # let the warning come within this test


class Stranger(BaseHTTPRequestHandler):
    """Another program, or a server of ours that cannot work."""

    def do_GET(self) -> None:
        broken = b'{"problems": ["The model is being loaded."]}'
        self.send_response(503 if self.path in self.server.ready else 200)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(broken if self.path in self.server.ready else b"hello")  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("ready", "problem"),
    [((), "Another program answers"), (("/readyz",), "The model is being loaded")],
)
def test_what_answers_on_the_port_of_the_server_is_told(
    monkeypatch: pytest.MonkeyPatch, ready: tuple[str, ...], problem: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        server.ready = ready  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(server.server_port))
        assert problem in ports.examine_server().problem
        server.shutdown()


def test_a_port_that_cannot_be_listened_on_is_told() -> None:
    found = looked_at("port", lambda: str(ports.is_listened_on("192.0.2.1", free_port())))
    assert "This computer has no such address" in found.problem


def test_the_clock_of_the_database_is_compared(
    site: dict[str, object], new_database: DatabaseFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database("postgresql", upgraded=True)
    settings = Settings(**site, database_url=url)  # type: ignore[arg-type]
    assert examined(settings)["clock of the database"].detail
    monkeypatch.setattr(clocks, "server_clock", lambda url: server_clock(url) + 7 * MINUTE)
    assert "420 s ahead of" in examined(settings)["clock of the database"].problem


def test_a_model_that_cannot_score_is_told(site: dict[str, object], tmp_path: Path) -> None:
    assert "tiny" in examined(Settings(**site))["model"].detail  # type: ignore[arg-type]
    site["checkpoint"] = tmp_path / "none.safetensors"
    assert "none.safetensors" in examined(Settings(**site))["model"].problem  # type: ignore[arg-type]


def test_a_worklist_of_an_earlier_version_is_left_as_it_is(site: dict[str, object]) -> None:
    settings = Settings(**site)  # type: ignore[arg-type]
    (settings.data_dir / "worklist.sqlite").unlink()
    earlier_version.unpack(settings)
    assert "admin upgrade" in examined(settings)["worklist"].problem
    before = (settings.data_dir / "worklist.sqlite").read_bytes()
    examined(settings)
    assert (settings.data_dir / "worklist.sqlite").read_bytes() == before


def test_a_check_that_fails_does_not_end_the_others(
    site: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("Zebedea")

    settings = Settings(**site)  # type: ignore[arg-type]
    Worklist.open(settings.worklist_url).close()
    everything = examined(settings)
    for name in ("_disk", "_sweeps"):
        monkeypatch.setattr(clocks, name, fail)
    found = examined(settings)
    assert found.keys() == everything.keys()
    assert "RuntimeError" in found["clock of the disk"].problem
    assert not [each for each in found.values() if "Zebedea" in each.problem]


@pytest.mark.parametrize(
    ("name", "problem"), [("log.jsonl", ""), (".", "is a folder"), ("none/log.jsonl", "is missing")]
)
def test_a_log_that_cannot_be_written_is_told(
    site: dict[str, object], tmp_path: Path, name: str, problem: str
) -> None:
    log = tmp_path / name
    found = examined(Settings(**site, log_file=log))["log"]  # type: ignore[arg-type]
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)
    assert not (tmp_path / "log.jsonl").exists(), "nothing is changed"


@pytest.mark.parametrize(
    ("refused", "problem"), [("log.jsonl", "by this user"), ("", "No file can be made")]
)
def test_a_log_that_belongs_to_another_user_is_told(
    site: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refused: str,
    problem: str,
) -> None:
    """Root may write everything, so that rights cannot show it."""
    log = tmp_path / "log.jsonl"
    log.touch()
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: path != tmp_path / refused and allowed(path, mode)
    )
    assert problem in examined(Settings(**site, log_file=log))["log"].problem  # type: ignore[arg-type]
