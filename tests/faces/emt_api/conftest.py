"""A client with a coupled system, calling the interface."""

from collections.abc import Iterator

import pytest
from clientele import Clientele, clientele
from interface_world import RULES, Caller, coupled

from torwart.sim.pki import TestPki


@pytest.fixture
def world(db: None) -> Iterator[Clientele]:
    with RULES:
        yield clientele()


@pytest.fixture
def caller(world: Clientele, pki: TestPki) -> Caller:
    return coupled(world, pki.emt.tls.certificate)
