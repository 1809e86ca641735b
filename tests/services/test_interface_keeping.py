"""What the interface keeps for a time only: keys 30 days, calls and events 90."""

from datetime import UTC, datetime, timedelta

import pytest
from clientele import clientele
from interface_world import coupled

from torwart.services import interface, interface_event
from torwart.sim.pki import TestPki
from torwart.store.models import Coupling, IdempotencyKey, InterfaceCall, InterfaceEvent

NOW = datetime.now(UTC)


@pytest.mark.requirement("O-7")
def test_what_is_past_its_time_is_forgotten_and_nothing_else(db: None, pki: TestPki) -> None:
    """Thirty days for keys, ninety for the log and the feed; a second run finds nothing more."""
    world = clientele()
    coupled(world, pki.emt.tls.certificate)
    coupling = Coupling.objects.get()
    for number, age in enumerate((29, 31, 89, 91)):
        at = NOW - timedelta(days=age)
        name = f"00000000-0000-4000-8000-{number:012d}"
        common = {"client": world.client}
        IdempotencyKey.objects.create(key=name, digest="0" * 64, status=202, answer="", created_at=at, **common)
        InterfaceEvent.objects.create(event_id=name, type="t", subject="s", at=at, data={}, **common)
        InterfaceCall.objects.create(
            request_id=name, at=at, coupling=coupling, method="GET", path="/", status=200, milliseconds=1, **common
        )

    assert interface.forget(NOW) == 3 + 1
    assert interface_event.forget(NOW) == 1
    assert (interface.forget(NOW), interface_event.forget(NOW)) == (0, 0)
    assert IdempotencyKey.objects.count() == 1
    assert InterfaceCall.objects.count() == InterfaceEvent.objects.count() == 3
