"""The header Idempotency-Key of whatever must not happen twice."""

import re

from django.http import HttpRequest

from torwart.kernel.refusals.interface import KEY_MISSING

_KEY = re.compile(r"[\x21-\x7e]{1,100}")
HEADER = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,100}$"},
            "description": "A new one for each order, the same one to repeat; kept 30 days.",
        }
    ]
}
"""How the description of the interface says it."""


def key_of(request: HttpRequest) -> str:
    """The key of a request, or ``interface.key_missing``."""
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise KEY_MISSING()
    return key
