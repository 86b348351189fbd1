"""Whether a request shows the token of the settings, as `Authorization: Bearer ...`.

References
----------
RFC 9110 11.1 (schemes are case-insensitive) and 11.4 (spaces), RFC 6750 2.1 (Bearer).
"""

import hmac

from starlette.requests import Request

SCHEME = "Bearer"


def shows_token(request: Request, token: str) -> bool:
    """Check whether a request shows the token; the answer takes as long whatever it shows."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    is_bearer = scheme.lower() == SCHEME.lower()
    return hmac.compare_digest(shown.strip(" ").encode(), token.encode()) and is_bearer
