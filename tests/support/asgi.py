"""A request to an ASGI application, without a server."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

CHUNK = 1000


@dataclass
class Answer:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def post(app: Starlette, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post a body in chunks; header values are sent in Latin-1."""
    waiting = [body[start : start + CHUNK] for start in range(0, len(body), CHUNK)] or [b""]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        "client": ("10.0.0.9", 1),
        "server": ("127.0.0.1", 80),
    }
    asyncio.run(app(scope, receive, send))
    start = sent[0]
    answered = {k.decode(): v.decode() for k, v in start["headers"]}
    return Answer(start["status"], answered, b"".join(each.get("body", b"") for each in sent[1:]))
