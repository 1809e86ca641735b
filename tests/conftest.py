"""Fixtures shared by all tests."""

from datetime import UTC, datetime

import pytest

from torwart.sim.pki import TestPki


@pytest.fixture(scope="session")
def pki() -> TestPki:
    """One test PKI for the whole session, made at the real present so that foreign tools accept it.

    Tests that revoke or suspend make their own (``TestPki.create``), so that no test sees another's revocations.
    """
    return TestPki.create(datetime.now(UTC))
