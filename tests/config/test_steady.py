"""What a worker does beside its stories outlives a database that was away."""

import threading
import time
import uuid

import psycopg
import pytest

from torwart.adapters.engine import AbsurdEngine
from torwart.config.wiring import _steady
from torwart.ports.gateway_link import Fact
from torwart.services import audit, intake, policy
from torwart.store.models import AuditLink


def end_connections(url: str) -> None:
    """What a restart of the database does to everyone who is connected."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'torwart'"
        )


def fact() -> Fact:
    return Fact(str(uuid.uuid4()), "time", "EPPC0200000001", "2026-11-23T00:00:00+00:00")


@pytest.mark.requirement("M-4", "WAN-1.1")
def test_a_fact_is_stored_after_the_database_came_back(own_database: str) -> None:
    """A thread whose connection was ended stores the next fact on a new one."""
    engine, told = AbsurdEngine(), fact()
    intake.take(engine, fact())
    end_connections(own_database)

    assert _steady(lambda: intake.take(engine, told))
    assert not _steady(lambda: intake.take(engine, told))


@pytest.mark.requirement("WAN-1.1")
def test_the_policy_is_told_after_the_database_came_back(own_database: str) -> None:
    """A head-end that asks gets its policy from a worker whose connection was ended."""
    before = policy.current().version
    end_connections(own_database)

    assert _steady(policy.current).version >= before


@pytest.mark.requirement("M-4")
def test_the_audit_trail_is_chained_on_after_the_database_came_back(own_database: str) -> None:
    """The thread that chains entries lives on when its connection is ended."""
    stop = threading.Event()
    linker = threading.Thread(target=audit.keep_linking, args=(stop,), kwargs={"every": 0.05})
    linker.start()
    try:
        time.sleep(0.2)
        end_connections(own_database)
        _steady(lambda: audit.append(actor="test", action="tried", subject="database:away"))
        deadline = time.monotonic() + 10
        while not AuditLink.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

        assert linker.is_alive()
        assert AuditLink.objects.count() == 1
    finally:
        stop.set()
        linker.join(10)
