"""What the store itself guarantees: constraints, and migrations that fit the models and the pinned engine."""

import uuid
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from torwart.kernel.run_state import RunState
from torwart.store.models import Client, Fact, Gateway, Profile, Run
from torwart.store.schema import ABSURD_VERSION, QUEUES


@pytest.fixture
def gateway(db: None) -> Gateway:
    client = Client.objects.create(name="Stadtwerke")
    return Gateway.objects.create(device_id="ETST0000000001", client=client, state="delivered")


def run(gateway: Gateway, state: RunState) -> Run:
    return Run.objects.create(
        run_id=uuid.uuid4(), process="P03", client=gateway.client, gateway=gateway, state=state.value
    )


def refused(do: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            do()
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize("first", [RunState.ACCEPTED, RunState.WAITING, RunState.RUNNING])
def test_a_gateway_has_one_active_run(gateway: Gateway, first: RunState) -> None:
    """Two runs never work on one gateway at a time, whoever started them; ended ones do not count."""
    run(gateway, RunState.SUCCEEDED)
    run(gateway, first)

    assert refused(lambda: run(gateway, RunState.ACCEPTED))
    assert not refused(lambda: run(gateway, RunState.FAILED))


def test_a_device_id_is_ours_once(gateway: Gateway) -> None:
    """The same device cannot belong to two clients."""
    other = Client.objects.create(name="Werke am See")

    assert refused(lambda: Gateway.objects.create(device_id=gateway.device_id, client=other, state="delivered"))


def test_one_version_of_a_profile_is_active(gateway: Gateway) -> None:
    """Of the versions of one profile on one gateway at most one is active."""

    def version(number: int, state: str) -> Profile:
        return Profile.objects.create(
            gateway=gateway, kind="wan", name="wan", version=number, state=state, content=b"", digest=""
        )

    version(1, "active")

    assert refused(lambda: version(2, "active"))
    assert refused(lambda: version(1, "wanted"))
    assert not refused(lambda: version(2, "wanted"))


def test_a_fact_is_stored_once(db: None) -> None:
    """The same fact told twice is one row."""
    fact = {"id": uuid.uuid4(), "kind": "notify", "device": "x", "at": "2026-01-01T00:00Z", "details": {}, "body": b""}
    Fact.objects.bulk_create([Fact(**fact)], ignore_conflicts=True)
    Fact.objects.bulk_create([Fact(**fact)], ignore_conflicts=True)

    assert Fact.objects.count() == 1


def test_a_client_with_anything_of_its_own_cannot_be_removed(gateway: Gateway) -> None:
    """Nothing that belongs to somebody is lost by removing the owner."""
    with pytest.raises(IntegrityError), transaction.atomic():
        gateway.client.delete()


def test_the_migrations_say_what_the_models_say(db: None) -> None:
    """Every change of a model has its migration."""
    call_command("makemigrations", "store", check=True, dry_run=True, verbosity=0)


def test_the_engine_in_the_database_is_the_pinned_one(db: None) -> None:
    """Our statements are written for one release of absurd, and that one is installed with our queues."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT absurd.get_schema_version()")
        version = cursor.fetchone()
        cursor.execute("SELECT queue_name FROM absurd.queues ORDER BY 1")
        queues = cursor.fetchall()

    assert version == (ABSURD_VERSION,)
    assert [name for (name,) in queues] == sorted(QUEUES)
