"""Access tokens instead of certificates: an option of the test environment, and nothing elsewhere (spec/07 point 6)."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from clientele import Clientele
from django.test import Client, override_settings
from interface_world import SECRET, Caller

from torwart.services import interface, present
from torwart.wire.access_token import LASTS, client_secret, issue

pytestmark = pytest.mark.requirement("O-7", "P-1")
NAME, GRANT = "Ohne Karte.EMT", {"grant_type": "client_credentials"}


@pytest.fixture
def system(world: Clientele) -> Iterator[Client]:
    """A coupled system without a certificate, where tokens are allowed."""
    interface.couple(world.client.pk, NAME, software="T", software_version="1", actor="test")
    with override_settings(TORWART_API_OAUTH=True):
        yield Client()


def asked(http: Client, form: dict[str, str], **headers: str) -> Any:
    kind = "application/x-www-form-urlencoded"
    return http.generic("POST", "/v1/oauth/token", urlencode(form).encode(), kind, headers=headers)


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def test_a_system_gets_a_token_and_calls_with_it(system: Client, world: Clientele) -> None:
    """As the client it is coupled with, with limits and versions as any other."""
    told = asked(system, GRANT, **basic(NAME, client_secret(SECRET, NAME)))
    assert told.status_code == 200
    assert told["Cache-Control"] == "no-store"
    assert (told.json()["token_type"], told.json()["expires_in"]) == ("Bearer", LASTS)
    bearer = {"Authorization": f"Bearer {told.json()['access_token']}"}
    looked = system.get("/v1/capabilities", headers=bearer)
    assert looked.status_code == 200
    assert looked["RateLimit-Limit"]
    form = GRANT | {"client_id": NAME, "client_secret": client_secret(SECRET, NAME)}
    assert asked(system, form).status_code == 200


def test_who_knows_no_secret_gets_nothing(system: Client) -> None:
    """401 as OAuth says it; other grants are not given; other methods are not known."""
    wrong = [
        basic(NAME, "x"),
        basic("", ""),
        basic("Andere.EMT", client_secret(SECRET, NAME)),
        {"Authorization": "Basic %"},
        {},
    ]
    for headers in wrong:
        told = asked(system, GRANT, **headers)
        assert (told.status_code, told.json()) == (401, {"error": "invalid_client"})
        assert told["WWW-Authenticate"].startswith("Basic")
    assert asked(system, {"grant_type": "password"}).json() == {"error": "unsupported_grant_type"}
    assert asked(system, {}).status_code == 400
    assert system.get("/v1/oauth/token").status_code == 405
    multipart = system.post("/v1/oauth/token", {"grant_type": "client_credentials"})
    assert multipart.status_code == 400


def test_a_bad_token_is_no_token(system: Client) -> None:
    """Old, foreign, forged or of a system that is coupled with nobody."""
    now = present.real().timestamp()
    for token in (issue(SECRET, NAME, now - LASTS - 1), issue(bytes(32), NAME, now), "x.y.z", ""):
        answer = system.get("/v1/operations", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
    stranger = {"Authorization": f"Bearer {issue(SECRET, 'Fremd.EMT', now)}"}
    assert system.get("/v1/operations", headers=stranger).json()["code"] == "interface.peer_not_coupled"


def test_a_certificate_goes_before_a_token(system: Client, caller: Caller) -> None:
    """Behind a front that knows certificates a token says nothing, be the proof good or bad."""
    token = {"Authorization": f"Bearer {issue(SECRET, NAME, present.real().timestamp())}"}
    assert system.get("/v1/operations", headers={**token, "Torwart-Peer": "x"}).status_code == 401
    answer = caller.call("POST", "/v1/operations/A-000000000/withdraw", headers=token)
    assert answer.status_code == 404
    from torwart.store.models import InterfaceCall

    assert InterfaceCall.objects.get().coupling.common_name != NAME


def test_without_the_option_there_is_nothing(world: Clientele, caller: Caller) -> None:
    """No such address, no such header; the option is refused in live."""
    interface.couple(world.client.pk, NAME, software="T", software_version="1", actor="test")
    http = Client()
    assert asked(http, GRANT, **basic(NAME, client_secret(SECRET, NAME))).status_code == 404
    token = {"Authorization": f"Bearer {issue(SECRET, NAME, present.real().timestamp())}"}
    assert http.get("/v1/operations", headers=token).status_code == 401
    child = subprocess.run(
        [sys.executable, "-c", "import torwart.config.settings"],
        env={
            **os.environ,
            "TORWART_ENVIRONMENT": "live",
            "TORWART_API_OAUTH": "1",
            "TORWART_DATABASE_URL": "postgresql:///x",
        },
        capture_output=True,
        check=False,
        text=True,
    )
    assert child.returncode
    assert "option of the test environment" in child.stderr


def test_an_old_version_says_how_long_it_is_served(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deprecation and Sunset (spec/07 point 7), two years at least; the newest version bears neither."""
    assert "Deprecation" not in caller.get("/v1/operations")
    first = interface.VERSIONS[-1]
    monkeypatch.setattr(interface, "VERSIONS", (first, "2028-05-01"))
    old, new = (caller.get("/v1/operations", headers={"Torwart-Version": each}) for each in (first, "2028-05-01"))
    assert old["Deprecation"] == "@1840752000"
    assert old["Sunset"] == "Thu, 02 May 2030 00:00:00 GMT"
    assert "Sunset" not in new
    assert timedelta(days=730) < interface.SERVED
    assert caller.get("/v1/operations")["Torwart-Version"] == first, "pinned at the first call"
