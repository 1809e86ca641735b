"""Access tokens by client credentials (RFC 6749 §4.4): an option of the test environment, where certificates of the
SM-PKI are not at hand yet. Without the option there is no such address.
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from torwart.faces.emt_api import problem
from torwart.kernel.refusals.interface import NOT_FOUND
from torwart.services import present
from torwart.wire import access_token

PATH = "/v1/oauth/token"
_LONGEST = 4096


def token(request: HttpRequest) -> HttpResponse:
    """A token for whoever knows a system's name and secret (HTTP Basic, or in the form)."""
    if not settings.TORWART_API_OAUTH:
        raise NOT_FOUND(what=PATH)
    if request.method != "POST":
        wrong = problem.plain(request, 405, str(request.method))
        wrong["Allow"] = "POST"
        return wrong
    form = dict(parse_qsl(request.body[:_LONGEST].decode("ascii", "replace")))
    if form.get("grant_type") != "client_credentials":
        return _answer(400, {"error": "unsupported_grant_type"})
    name, given = _credentials(request.headers.get("Authorization", ""), form)
    secret: bytes = settings.TORWART_API_SECRET  # type: ignore[misc]  # of the interface's own settings
    if not name or not access_token.is_secret(secret, name, given):
        refused = _answer(401, {"error": "invalid_client"})
        refused["WWW-Authenticate"] = 'Basic realm="torwart"'
        return refused
    made = access_token.issue(secret, name, present.real().timestamp())
    return _answer(200, {"access_token": made, "token_type": "Bearer", "expires_in": access_token.LASTS})


def bearer(request: HttpRequest) -> str | None:
    """The system a token in this request names; ``None`` without the option, without a token, or with a bad one."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if not settings.TORWART_API_OAUTH or kind.lower() != "bearer":
        return None
    secret: bytes = settings.TORWART_API_SECRET  # type: ignore[misc]  # of the interface's own settings
    return access_token.read(secret, given.strip(), present.real().timestamp())


def _credentials(header: str, form: Mapping[str, str]) -> tuple[str, str]:
    kind, _, packed = header.partition(" ")
    if kind.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, given = b64decode(packed, validate=True).decode().partition(":")
    except (NotBase64, ValueError):
        return "", ""
    return unquote_plus(name), unquote_plus(given)  # RFC 6749 §2.3.1


def _answer(status: int, said: dict[str, Any]) -> HttpResponse:
    """RFC 6749 §5.1 and §5.2: not problem documents, this address speaks OAuth."""
    return HttpResponse(json.dumps(said), status=status, content_type="application/json")
