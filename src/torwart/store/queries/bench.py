"""Counting what was exchanged, for benchmarks that state their floor in public-key operations."""

from dataclasses import dataclass

from torwart.store.models import CertificateRequest, Exchange, Fact


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
