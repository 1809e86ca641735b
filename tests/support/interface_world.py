"""A client whose own system is coupled, and a caller that speaks to the interface as the head-end hands calls on."""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from clientele import Clientele
from django.http import HttpResponse
from django.test import Client, override_settings

from torwart.services import interface
from torwart.wire.certificate import identify
from torwart.wire.peer_proof import prove

SECRET = bytes(range(32))
RULES = override_settings(
    ROOT_URLCONF="torwart.faces.emt_api.urls",
    MIDDLEWARE=["torwart.faces.emt_api.middleware.Interface"],
    TORWART_API_SECRET=SECRET,
    APPEND_SLASH=False,
    ALLOWED_HOSTS=["*"],
)
"""The settings of the interface's own process, as far as they differ from the web's."""


@dataclass
class Caller:
    """Calls with a certificate; ``answer.json()`` is the body."""

    certificate: bytes
    http: Client

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> HttpResponse:
        return self.call("GET", path + (f"?{urlencode(query)}" if query else ""), headers=headers)

    def post(self, path: str, body: Any = None, *, key: str = "", headers: dict[str, str] | None = None) -> Any:
        more = {"Idempotency-Key": key, **(headers or {})} if key else headers
        return self.call("POST", path, json.dumps({} if body is None else body).encode(), headers=more)

    def call(self, method: str, target: str, body: bytes = b"", *, headers: dict[str, str] | None = None) -> Any:
        proof = prove(SECRET, method=method, target=target, certificate=self.certificate, at=time.time())
        kind = "application/json" if body else ""
        return self.http.generic(method, target, body, kind, headers={**proof, **(headers or {})})


def coupled(client: Clientele, certificate: Any, *, http: Client | None = None) -> Caller:
    """Couple the system that shows this certificate with the client, and call with it."""
    name = identify(certificate).common_name
    interface.couple(client.client.pk, name, software="Testsystem", software_version="1.0", actor="test")
    return Caller(certificate.public_bytes(_der()), http or Client())


def _der() -> Any:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER
