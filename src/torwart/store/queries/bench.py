"""Counting what was exchanged, for benchmarks that state their floor in public-key operations."""

from dataclasses import dataclass

from django.db.models import Count, Q

from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.run_state import RunState
from torwart.store.models import CertificateRequest, Exchange, Fact, Gateway, Run
from torwart.store.models.run import ACTIVE


@dataclass(frozen=True, slots=True)
class Counts:
    """How often our side shook hands, sealed and opened messages, woke, and handled requests and confirmations."""

    handshakes: int
    messages_out: int
    messages_in: int
    wake_ups: int
    confirmations: int
    requests: int


def counts() -> Counts:
    """Everything in this database so far."""
    talk = Exchange.objects.exclude(purpose="wake-up")
    return Counts(
        handshakes=Fact.objects.filter(kind__in=("connected", "time")).count(),
        messages_out=talk.filter(request_size__gt=0).count(),
        messages_in=talk.filter(answer_size__gt=0).count(),
        wake_ups=Exchange.objects.filter(purpose="wake-up").count(),
        confirmations=Fact.objects.filter(kind="emt").count(),
        requests=CertificateRequest.objects.count(),
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the commissionings of a bench are: gateways reserved and not yet further, runs under way, runs that ended
    otherwise than well.
    """

    reserved: int
    running: int
    failed: int


def progress() -> Progress:
    """Two counting queries, whatever there is: cheap enough to watch a bench with."""
    runs = Run.objects.aggregate(
        running=Count("id", filter=Q(state__in=ACTIVE)),
        failed=Count("id", filter=~Q(state__in=(*ACTIVE, RunState.SUCCEEDED))),
    )
    return Progress(Gateway.objects.filter(state=GatewayState.RESERVED).count(), runs["running"], runs["failed"])
