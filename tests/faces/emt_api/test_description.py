"""The interface's description: valid, complete, a promise kept, and true under fuzzing (spec/07 point 9)."""

import contextlib
import copy
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from clientele import DEVICE, Clientele, clientele
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis.errors import Unsatisfiable
from interface_world import RULES, SECRET, coupled
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from torwart.config import openapi
from torwart.services import interface
from torwart.services import webhook as webhooks
from torwart.sim.pki import TestPki
from torwart.store.models import BdewTransaction, Coupling, Delivery, Order
from torwart.wire.bdew import written
from torwart.wire.peer_proof import prove

pytestmark = pytest.mark.requirement("O-7")


BOTH = pytest.mark.parametrize("path", [openapi.PATH, openapi.BDEW_PATH], ids=["v1", "bdew"])


@BOTH
def test_the_committed_description_is_the_present_one_and_valid(path: Path) -> None:
    """The files in ``docs/api`` are what the program says now, and OpenAPI 3.1 by a foreign judge."""
    document = openapi.present(path)
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert path.read_text(encoding="utf-8") == openapi.text(document), "python -m torwart.config.openapi"


@BOTH
def test_every_operation_says_what_it_is_and_how_it_refuses(path: Path) -> None:
    """Id and summary, unique; problems for 401, 404, 429 and 503; every parameter and body field described."""
    document = openapi.present(path)
    refused = ["400", "401", "403", "404", "409", "429", "503", *(["422"] if path == openapi.PATH else ["405"])]
    seen = []
    for where, methods in document["paths"].items():
        for each in methods.values():
            seen.append(each["operationId"])
            assert each["summary"], where
            for status in refused:
                assert "application/problem+json" in each["responses"][status]["content"], where
            assert any(status.startswith("2") for status in each["responses"]), where
    assert len(seen) == len(set(seen))
    orders = [each for each in document["components"]["schemas"].items() if each[0].endswith("Order")]
    assert all(field["description"] for _, body in orders for field in body["properties"].values())


def changed(change: Callable[[dict[str, Any]], object]) -> list[str]:
    document = openapi.present()
    new = copy.deepcopy(document)
    change(new)
    return openapi.breaking(document, new)


WAKE = "/v1/operations/wake-up"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["paths"].pop(WAKE), "is gone"),
        (lambda d: _schema(d, "WakeUpOrder")["required"].append("reason"), "needs reason"),
        (lambda d: _schema(d, "WakeUpOrder")["properties"].pop("remark"), "knows remark no more"),
        (lambda d: _schema(d, "WakeUpOrder")["properties"]["reference"].update(maxLength=10), "takes less text"),
        (lambda d: _schema(d, "Operation")["properties"].pop("ticket"), "has no ticket any more"),
        (lambda d: _schema(d, "Operation")["properties"]["planned"].update(type="string"), "may be string now"),
        (lambda d: d["paths"]["/v1/events"]["get"]["parameters"][0].update(required=True), "needs after"),
        (lambda d: d["paths"]["/v1/events"]["get"]["parameters"].pop(0), "knows after no more"),
        (lambda d: d["paths"][WAKE]["post"]["responses"].pop("202"), "answers 202 no more"),
    ],
)
def test_what_breaks_callers_is_found(change: Callable[[dict[str, Any]], object], told: str) -> None:
    """Each kind of breaking change is named; under a new version it is allowed."""
    assert any(told in each for each in changed(change)), changed(change)

    def with_version(document: dict[str, Any]) -> None:
        change(document)
        document["info"]["version"] = "2099-01-01"

    assert changed(with_version) == []


def test_what_only_adds_breaks_nothing() -> None:
    """New operations, optional fields and members of answers are what a version may grow by."""

    def grow(document: dict[str, Any]) -> None:
        document["paths"]["/v1/new"] = document["paths"][WAKE]
        _schema(document, "WakeUpOrder")["properties"]["more"] = {"type": "string"}
        _schema(document, "Operation")["properties"]["more"] = {"type": "string"}
        _schema(document, "Operation")["required"].append("more")

    assert changed(grow) == []


def _schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found


# --- fuzzing ----------------------------------------------------------------------------------------------------------

_CONFIG = SchemathesisConfig.from_dict(
    {
        # A body can fit its schema and still name a gateway that does not exist: that is what 422 is for.
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "403", "404", "409", "422"]}},
    }
)


@pytest.fixture
def world(own_database: str) -> Iterator[Clientele]:
    with RULES, override_settings(TORWART_API_RATE=(10**9, 60.0), TORWART_WEBHOOK_SECRET=bytes(32)):
        yield clientele()


@pytest.fixture
def app(world: Clientele, pki: TestPki) -> Callable[..., Any]:
    """The interface as a WSGI application, with the head-end's proof on every call."""
    certificate = pki.emt.tls.certificate
    coupled(world, certificate)
    handler, der = WSGIHandler(), certificate.public_bytes(Encoding.DER)

    def proven(environ: dict[str, Any], start: Any) -> Any:
        path = quote(environ["PATH_INFO"].encode("latin-1"))
        target = path + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
        proof = prove(SECRET, method=environ["REQUEST_METHOD"], target=target, certificate=der, at=time.time())
        return handler(
            {**environ, **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in proof.items()}}, start
        )

    return proven


@pytest.fixture
def described(app: Callable[..., Any]) -> Any:
    return described_in(openapi.PATH, app)


@pytest.fixture
def bdew(app: Callable[..., Any], world: Clientele) -> Any:
    """The dialect, its caller with an address to be answered at."""
    caller = interface.Peer(world.client.pk, "", Coupling.objects.get().pk, "X.EMT", "", "")
    webhooks.add(world.client.pk, "https://partner.example/", bdew=caller, actor="test", now=datetime.now(UTC))
    return described_in(openapi.BDEW_PATH, app)


@schemathesis.hook("before_call")
def _of_now(context: Any, case: Any, kwargs: Any) -> None:
    """A call is made now; a pattern cannot say so."""
    created = (case.headers or {}).get("creationDateTime")
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE and created:
        case.headers["creationDateTime"] = written(datetime.now(UTC))


def described_in(path: Path, app: Callable[..., Any]) -> Any:
    document = openapi.present(path)
    for each in document["components"]["schemas"].values():
        gateway = each.get("properties", {}).get("gateway", {})
        if "examples" in gateway:
            gateway["examples"] = [DEVICE]  # one that exists, so that orders are placed too
    made = schemathesis.openapi.from_dict(document, config=_CONFIG)
    made.app = app
    return made


def fuzz(described: Any, examples: int) -> int:
    """Calls of every operation, right and wrong ones, each judged by all checks; how many."""
    count = 0
    for found in described.get_all_operations():
        operation = found.ok()

        def judge(case: Any) -> None:
            nonlocal count
            count += 1
            case.call_and_validate()

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with contextlib.suppress(Unsatisfiable):  # nothing can be sent wrongly where nothing is sent
                _each(operation.as_strategy(generation_mode=mode), judge, examples)
    return count


def _each(strategy: Any, judge: Callable[[Any], None], examples: int) -> None:
    from hypothesis import given

    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=quiet, database=None)
    limits(given(strategy)(judge))()


def test_the_interface_answers_as_described(described: Any) -> None:
    """A short run of schemathesis over every operation."""
    assert fuzz(described, 4) >= 100


def test_the_bdew_dialect_answers_as_described(bdew: Any) -> None:
    """The same of the dialect; calls were taken, and each was answered."""
    assert fuzz(bdew, 20) >= 60
    assert Delivery.objects.count() == BdewTransaction.objects.count() > 0


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_the_bdew_dialect_answers_as_described_for_long(bdew: Any) -> None:
    """The same for long."""
    assert fuzz(bdew, 300) >= 1200


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_the_interface_answers_as_described_for_long(described: Any) -> None:
    """The same for long."""
    assert fuzz(described, 300) >= 4000


def play(described: Any, examples: int, steps: int) -> None:
    machine = described.as_state_machine()
    quiet = list(HealthCheck)
    limits = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=quiet, database=None
    )
    machine.run(settings=limits)


def test_orders_are_followed_as_the_links_say(described: Any) -> None:
    """Stateful: what an order answered is looked at, withdrawn, cancelled; nothing falls over."""
    play(described, 5, 8)


@pytest.mark.fuzz
@pytest.mark.timeout(1800)
def test_orders_are_followed_as_the_links_say_for_long(described: Any) -> None:
    """The same for long; orders came about."""
    play(described, 100, 25)
    assert Order.objects.exists()
