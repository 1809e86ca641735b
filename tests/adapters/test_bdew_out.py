"""Answers in the BDEW dialect on their way to the partner: new calls, retried under their first id, to nobody else."""

import ssl
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clientele import DEVICE, Clientele, clientele
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import override_settings

from torwart.adapters.engine import AbsurdEngine
from torwart.adapters.webhook_out import WebhookCaller, WebhookSender, partner_tls
from torwart.kernel.refusals.process import GATEWAY_UNKNOWN
from torwart.processes import ordering
from torwart.services import bdew, interface
from torwart.services import order as orders
from torwart.services import webhook as webhooks
from torwart.services.interface import Peer
from torwart.sim.emt import Partner
from torwart.sim.pki import Credential, TestPki
from torwart.store.models import Coupling, Delivery
from torwart.store.queries import webhook as queries
from torwart.wire.certificate import Role, identify
from torwart.wire.webhook import verify

pytestmark = pytest.mark.requirement("O-7", "O-8")
SECRET = bytes(range(32, 64))
RULES = override_settings(TORWART_WEBHOOK_SECRET=SECRET, TORWART_WEBHOOK_HOSTS=["localhost"])


@pytest.fixture
def partner() -> Iterator[Partner]:
    made = Partner().start()
    yield made
    made.stop()


@pytest.fixture
def world(own_database: str) -> Iterator[Clientele]:
    with RULES:
        yield clientele()


def system(world: Clientele, name: str = "Stadtwerk.EMT") -> Peer:
    """The client's coupled system."""
    interface.couple(world.client.pk, name, software="", software_version="", actor="test")
    return Peer(world.client.pk, world.client.name, Coupling.objects.get(common_name=name).pk, name, "", "")


def addressed(world: Clientele, url: str, name: str = "Stadtwerk.EMT") -> tuple[Peer, str]:
    caller = system(world, name)
    row = webhooks.add(world.client.pk, url, bdew=caller, actor="test", now=datetime.now(UTC))
    return caller, str(row.webhook_id)


def placed(world: Clientele, caller: Peer) -> tuple[str, str]:
    """An order of the partner's: its number and its first transaction."""
    now, initial = datetime.now(UTC), uuid.uuid4()
    fields = {"gateway": DEVICE, "reason": ""}
    number = ordering.place(AbsurdEngine(), "wake_up", fields, orderer=world.orderer, now=now)
    bdew.accepted(caller, initial, number, now=now)
    return number, str(initial)


def work(partners: WebhookCaller | None = None, hosts: tuple[str, ...] = ("localhost",)) -> None:
    caller = WebhookCaller(hosts)
    WebhookSender(caller, SECRET, "https://torwart.example/v1", partners=partners, threads=4).work(until_idle=True)


def again() -> None:
    Delivery.objects.filter(state="pending").update(next_attempt_at=datetime.now(UTC))
    work()


def test_preliminary_then_final_to_addresses_of_their_own(world: Clientele, partner: Partner) -> None:
    """Each a new call with its own transactionId, both referring to the partner's first; signed beside."""
    caller, hook = addressed(world, partner.url)
    number, first = placed(world, caller)
    orders.withdraw(AbsurdEngine(), number, client=world.client.pk, actor="user:x", now=datetime.now(UTC))
    work()
    preliminary, final = partner.told(first)

    assert not partner.complaints
    assert preliminary.path == "/api/wake-up/preliminaryResultPositive/v1"
    assert (preliminary.body["preliminaryStatePositive"], preliminary.body["id"]) == ("possible", number)
    assert final.path == "/api/wake-up/resultNegative/v1"
    assert (final.body["stateNegative"], final.body["state"]) == ("failed", "withdrawn")
    assert "initialtransactionid" not in preliminary.headers
    assert preliminary.transaction != final.transaction
    publics = [key["public"] for key in queries.webhook(world.client.pk, hook).keys]  # type: ignore[union-attr]
    body = webhook_body(preliminary.body)
    assert verify(preliminary.headers, body, publics, now=datetime.now(UTC).timestamp())


def webhook_body(body: object) -> bytes:
    import json

    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def test_a_retry_is_another_attempt_at_the_same(world: Clientele, partner: Partner) -> None:
    """A new transactionId each time, the first one as initialTransactionId; the final answer waits for the
    preliminary one; sending again by hand is a retry too.
    """
    caller, hook = addressed(world, partner.url)
    partner.answers = [500, 404]
    number, first = placed(world, caller)
    orders.withdraw(AbsurdEngine(), number, client=world.client.pk, actor="user:x", now=datetime.now(UTC))
    work()
    assert len(partner.calls) == 1
    again()
    again()
    attempts = [call for call in partner.calls if call.answer.startswith("preliminary")]

    assert len({call.transaction for call in attempts}) == 3
    assert {call.key for call in attempts} == {attempts[0].transaction}
    assert [call.answer for call in partner.told(first)] == ["preliminaryResultPositive", "resultNegative"]
    delivery = Delivery.objects.order_by("id").first()
    assert delivery is not None
    webhooks.resend(world.client.pk, hook, delivery.pk, actor="test", now=datetime.now(UTC))
    work()
    assert partner.calls[-1].key == attempts[0].transaction != partner.calls[-1].transaction
    assert not partner.complaints


def test_an_attempt_nobody_knows_the_end_of_is_not_made_under_its_id_again(world: Clientele, partner: Partner) -> None:
    """Whoever died while calling may have been heard: the next attempt has a new id and names the first."""
    caller, _ = addressed(world, partner.url)
    _, first = placed(world, caller)
    (claimed,) = webhooks.due(datetime.now(UTC))
    assert not claimed.repeat
    again()
    (call,) = partner.told(first)
    assert (call.key, call.transaction == call.key) == (claimed.event, False)


def test_a_refusal_is_a_preliminary_answer(world: Clientele, partner: Partner) -> None:
    """In the source's words, with code and pointers beside."""
    caller, _ = addressed(world, partner.url)
    initial = uuid.uuid4()
    errors = [("/gateway", GATEWAY_UNKNOWN(gateway="X"))]
    bdew.refused(caller, initial, "wake_up", errors, now=datetime.now(UTC))
    work()
    (told,) = partner.told(str(initial))

    assert told.path == "/api/wake-up/preliminaryResultNegative/v1"
    assert (told.body["stateNegative"], told.body["reasonNegative"]) == ("failed", "unable")
    assert told.body["errors"][0]["pointer"] == "#/gateway"
    assert told.body["reason"] == told.body["refusal"]["de"]


def test_an_address_can_be_tried(world: Clientele, partner: Partner) -> None:
    """A test call refers to nothing."""
    _, hook = addressed(world, partner.url + "?x=1")
    webhooks.test(world.client.pk, hook, actor="test", now=datetime.now(UTC))
    work()
    assert [(call.path, call.body, call.reference) for call in partner.calls] == [("/api/test/v1?x=1", {}, "")]


def test_a_system_that_is_uncoupled_is_told_nothing_more(world: Clientele, partner: Partner) -> None:
    """Its answers wait until it is coupled again."""
    caller, _ = addressed(world, partner.url)
    _, first = placed(world, caller)
    interface.uncouple(caller.coupling, actor="test", now=datetime.now(UTC))
    work()
    assert not partner.calls
    system(world)
    work()
    assert [call.answer for call in partner.told(first)] == ["preliminaryResultPositive"]


def test_a_partner_inside_is_not_called(world: Clientele, partner: Partner) -> None:
    """The guard before webhooks is before these calls too."""
    caller, hook = addressed(world, "https://127.0.0.1:9/api")
    _, first = placed(world, caller)
    work(hosts=())
    (line,) = queries.deliveries(world.client.pk, hook)
    assert line.state == "pending"
    assert "webhook.address" in line.attempts[0].why
    assert not partner.told(first)


# --- mutual TLS -------------------------------------------------------------------------------------------------------


def files(directory: Path, pki: TestPki, shown: Credential, name: str) -> tuple[Path, Path, Path]:
    chain, key, trust = (directory / f"{name}.{part}.pem" for part in ("chain", "key", "trust"))
    chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in pki.chain_of(shown.certificate)[:2]))
    key.touch(mode=0o600)
    key.write_bytes(shown.key_pem)
    trust.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    return chain, key, trust


def served(directory: Path, pki: TestPki, shown: Credential, name: str) -> Partner:
    """A partner behind TLS with a certificate of the SM-PKI, asking for one of the caller."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain, key, trust = files(directory, pki, shown, name)
    context.set_ecdh_curve("brainpoolP256r1")
    context.load_cert_chain(chain, key)
    context.load_verify_locations(trust)
    context.verify_mode = ssl.CERT_REQUIRED
    return Partner(context).start()


def test_partners_are_called_over_mutual_tls_and_only_they(world: Clientele, tmp_path: Path, pki: TestPki) -> None:
    """The partner sees our certificate; another party of the same PKI under the address hears nothing."""
    name = identify(pki.emt.tls.certificate).common_name
    right = served(tmp_path, pki, pki.emt.tls, "right")
    stranger = pki.issue_triple(Role.EMT, "Fremder EMT", unit="9903100000006").tls
    wrong = served(tmp_path, pki, stranger, "wrong")
    partners = WebhookCaller(["localhost"], partner_tls(*files(tmp_path, pki, pki.gwa.tls, "own")))
    try:
        caller, hook = addressed(world, wrong.url, name)
        _, first = placed(world, caller)
        work(partners)
        assert not wrong.calls
        (line,) = queries.deliveries(world.client.pk, hook)
        assert name in line.attempts[0].why

        webhooks.change(world.client.pk, hook, url=right.url, active=None, actor="test", now=datetime.now(UTC))
        Delivery.objects.update(next_attempt_at=datetime.now(UTC))
        work(partners)
        assert [call.answer for call in right.told(first)] == ["preliminaryResultPositive"]
        bare = WebhookCaller(["localhost"], ssl._create_unverified_context()).post(right.url, b"{}", {})
        assert bare.status is None, "who shows no certificate is not heard"
    finally:
        right.stop()
        wrong.stop()
