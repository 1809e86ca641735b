"""Client of the Torwart EMT–GWA interface, see README.md."""

from torwart_client.client import AsyncTorwartClient, TorwartClient
from torwart_client.errors import (
    BadSignature,
    Conflict,
    FieldError,
    Invalid,
    KeyReused,
    NotAllowed,
    NotFound,
    NotIdentified,
    OnlyByForm,
    Problem,
    StillRunning,
    Suspended,
    TooManyRequests,
    TorwartError,
    Unavailable,
    Unreachable,
)
from torwart_client.model import (
    Cancelled,
    Delivery,
    Event,
    History,
    Operation,
    Refused,
    Row,
    Webhook,
    Words,
)
from torwart_client.sandbox import SandboxClock, SandboxGateway, SandboxReset
from torwart_client.steps import VERSION
from torwart_client.tls import tls_context
from torwart_client.webhook import WebhookVerifier

__all__ = [
    "VERSION",
    "AsyncTorwartClient",
    "BadSignature",
    "Cancelled",
    "Conflict",
    "Delivery",
    "Event",
    "FieldError",
    "History",
    "Invalid",
    "KeyReused",
    "NotAllowed",
    "NotFound",
    "NotIdentified",
    "OnlyByForm",
    "Operation",
    "Problem",
    "Refused",
    "Row",
    "SandboxClock",
    "SandboxGateway",
    "SandboxReset",
    "StillRunning",
    "Suspended",
    "TooManyRequests",
    "TorwartClient",
    "TorwartError",
    "Unavailable",
    "Unreachable",
    "Webhook",
    "WebhookVerifier",
    "Words",
    "tls_context",
]
