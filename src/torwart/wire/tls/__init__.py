"""TLS as the SM-PKI prescribes it, sans I/O: bytes in, bytes out (TR-03116-3 chapter 4, Stand 2025).

``server_context`` and ``client_context`` make a context once; a ``TlsEngine`` carries one connection over it. No
socket is touched here: the caller moves ciphertext with ``receive_data`` and ``data_to_send``.

Sessions are never resumed (no tickets, no cache), so every connection's certificate passes every check again:
"Innerhalb der erlaubten Session-Lebensdauer KANN Session Resumption verwendet werden" (§4.1.2) leaves that open, and
the limit of 48 hours then is the connection's age alone.
"""

from torwart.wire.tls.context import Chain, Credentials, TlsContext, Verdict
from torwart.wire.tls.engine import TlsEngine
from torwart.wire.tls.offer import (
    GROUPS,
    GROUPS_1_2,
    GROUPS_1_3,
    MAX_SESSION_SECONDS,
    SUITES_1_2,
    SUITES_1_3,
    VERSIONS,
    Negotiated,
    Offer,
)
from torwart.wire.tls.sides import client_context, self_test, server_context

__all__ = [
    "GROUPS",
    "GROUPS_1_2",
    "GROUPS_1_3",
    "MAX_SESSION_SECONDS",
    "SUITES_1_2",
    "SUITES_1_3",
    "VERSIONS",
    "Chain",
    "Credentials",
    "Negotiated",
    "Offer",
    "TlsContext",
    "TlsEngine",
    "Verdict",
    "client_context",
    "self_test",
    "server_context",
]
