"""DICOMweb servers that tests send results to, with bad habits."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[[str], tuple[int, Any]]
"""Status and content of the answer to an object, given the body of its request."""


@contextmanager
def web_archive(
    answer: Answer,
    *,
    search_status: int = 200,
    login: str = "",
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[str]:
    """Run a server; yield its address.

    Parameters
    ----------
    search_status
        Its answer to a search.
    login
        The Authorization header that it asks for.
    certificate
        Files of its certificate and key; without, it speaks no TLS.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(search_status if self._is_known() else 401, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode("latin-1")
            self._send(*(answer(body) if self._is_known() else (401, {})))

        def _is_known(self) -> bool:
            return not login or self.headers["Authorization"] == login

        def _send(self, status: int, content: Any) -> None:
            written = json.dumps(content).encode()
            self.send_response(status)
            if status in range(300, 400):
                self.send_header("Location", "http://elsewhere.invalid/")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with _running(Handler, certificate) as address:
        yield address


@contextmanager
def dripping_archive(
    asked: str, part: str, certificate: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """Run a server that answers one kind of request a byte at a time, for ever; yield its address.

    Parameters
    ----------
    asked
        What is within method and path of the requests that it answers so; for others it finds
        nothing, at once.
    part
        What of the answer drips: "status", "header" or "body".
    certificate
        Files of its certificate and key; without, it speaks no TLS.
    """
    ended = threading.Event()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom\r\n"
    begin = {"status": b"", "header": head + b"X: ", "body": head + b"\r\n"}[part]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer()

        def _answer(self) -> None:
            self.close_connection = True
            if asked not in f"{self.command} {self.path}":
                closing = b"Connection: close\r\n"  # or the next request may meet its end
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" + closing + b"Content-Length: 2\r\n\r\n[]")
                return
            self.wfile.write(begin)
            with suppress(OSError):
                while not ended.wait(0.1):
                    self.wfile.write(b"H")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    try:
        with _running(Handler, certificate) as address:
            yield address
    finally:
        ended.set()


@contextmanager
def _running(
    handler: type[BaseHTTPRequestHandler], certificate: tuple[Path, Path] | None
) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if certificate is None else "https"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}/dicom-web"
    finally:
        server.shutdown()
        server.server_close()
