"""Delivery notes for tests: devices as a maker makes them, imports as the mail room does them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from torwart.config import site as sites
from torwart.kernel.refusals import Refusal
from torwart.services import client as clients
from torwart.services import delivery_note as notes
from torwart.sim.gateway.config import GatewayConfig
from torwart.sim.gateway.manufacture import device_ids, initial_config, make_device
from torwart.sim.pki import TestPki

NOWHERE = ("127.0.0.1", 1)

STRANGER_CODE = "9904628000007"


def made(pki: TestPki, count: int, *, first: int = 1) -> list[GatewayConfig]:
    """Gateways with a meter each, fresh from the maker of this PKI."""
    initial = initial_config(pki, management=NOWHERE, admin_service=NOWHERE, ntp=NOWHERE)
    return [make_device(pki, device, initial) for device in device_ids(count, first=first)]


def bring(site: sites.Site, note: bytes | Path | BinaryIO, client: int | None = None, **otherwise: Any) -> notes.Report:
    """Import a signed note now, for the site's client unless told."""
    options: dict[str, Any] = {
        "client": client or site.client,
        "keys": site.keys,
        "trust": site.pki.trust,
        "makers": [site.pki.gwh.sig.certificate],
        "at": datetime.now(UTC),
        "actor": "test",
    }
    return notes.import_note(note, **options | otherwise)


def refused_with(site: sites.Site, note: bytes, client: int | None = None) -> str:
    """The code under which the whole note is refused."""
    with pytest.raises(Refusal) as refused:
        bring(site, note, client)
    return refused.value.code


def refusals(report: notes.Report) -> list[tuple[str, str]]:
    """The devices that were refused, and their codes."""
    return [(d.device, d.code) for d in report.devices if d.result == "refused"]


def stranger_of(site: sites.Site) -> int:
    """Another client with a code number and GWA keys of its own."""
    client = clients.create("Nachbarwerke", actor="test")
    clients.add_participant(client, STRANGER_CODE, "Nachbarwerke", actor="test", now=datetime.now(UTC))
    other = replace(site, client=client)
    sites.key_set(other)
    return client
