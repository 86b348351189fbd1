"""The Content-Security-Policy of the pages: scripts of this server and those written in the page.

Scripts in the page count by their SHA-256, so that nothing which gets into the page later runs, and
there is no `unsafe-eval`. Three things are wider than one would wish, because Streamlit needs them:
``blob:`` for scripts (a component's module is imported from one), ``'wasm-unsafe-eval'`` (its
protobuf library compiles 64-bit arithmetic to WebAssembly) and inline styles (every look is written
by a script). ``'self'`` includes the websocket of the page.

References
----------
W3C, Content Security Policy Level 3, 6.1 and 8.
"""

import re
from base64 import b64encode
from hashlib import sha256

HEADER = "Content-Security-Policy"
_INLINE = re.compile(rb"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)

OTHERS = "default-src 'none'; frame-ancestors 'self'"
"""For answers that are no page and no file of Streamlit's own."""


def page_policy(page: bytes) -> str:
    """Return the policy for a page with these scripts."""
    hashes = [
        f"'sha256-{b64encode(sha256(found['code']).digest()).decode('ascii')}'"
        for found in _INLINE.finditer(page)
        if b"src=" not in found["attributes"]
    ]
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'", "blob:", "'wasm-unsafe-eval'", *dict.fromkeys(hashes)],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "media-src": ["'self'", "data:", "blob:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "frame-ancestors": ["'self'"],
    }
    return "; ".join(" ".join((name, *values)) for name, values in directives.items())
