"""Benchmark ``handshake``: full mutual TLS 1.2 handshakes on brainpoolP256r1, what they cost the head-end.

Over TCP against nginx: same chain, suite, curve, client verification and load generator; the figure is handshakes
per second of the server's own CPU, so how fast the generator is does not matter. In process against the raw
elliptic-curve operations: key generation, ECDH, one signature, and the verifications (the client's CertificateVerify,
its certificate, and its Sub-CA's where the root alone is trusted).

The head-end has 50,000 revoked serial numbers of the Sub-CA in force, reads each certificate's role and use, serves
the gateway on its bus and tells workers of connection and end; nginx does none of that.
"""

import queue
import socket
import sys
import threading
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.config.bench._headend import NGINX, TLS_1_2, Fleet, Server, headend, nginx, unlimited
from torwart.config.bench.harness import Result, alternate, at_least
from torwart.headend.config import Scenario
from torwart.headend.gatekeeper import Gatekeeper
from torwart.wire.tls import Credentials, TlsContext, TlsEngine, server_context

_HANDSHAKES = 400
_CALLERS = 8
_IN_PROCESS = 120
_ROUNDS = 9
_ECDSA = ec.ECDSA(hashes.SHA256())
_SIGNED = bytes(700)
"""As long as what is signed in a certificate."""


def run() -> list[Result]:
    fleet = Fleet(_HANDSHAKES)
    contexts = [fleet.context(index) for index in range(_HANDSHAKES)]
    results = [_in_process(fleet, contexts, sub_ca_known=known) for known in (True, False)]
    if NGINX is None:
        print("nginx is not installed: no comparison with it", file=sys.stderr)
        return results
    return [_against_nginx(fleet, contexts), *results]


# --- over TCP --------------------------------------------------------------------------------------------------


def _against_nginx(fleet: Fleet, contexts: list[TlsContext]) -> Result:
    with headend(fleet) as ours, nginx(fleet) as theirs:
        cases, floors = alternate(lambda: _load(ours, contexts), lambda: _load(theirs, contexts))
    return at_least(
        "handshake",
        "over TCP, each caller another gateway",
        unit="1/CPU s",
        cases=cases,
        floors=floors,
        floor_what="nginx, same chain and client verification",
        least=1.15,
    )


def _load(server: Server, contexts: list[TlsContext]) -> float:
    """One handshake with each context; handshakes per second of the server's CPU."""
    work: queue.SimpleQueue[TlsContext | None] = queue.SimpleQueue()
    for context in [*contexts, *[None] * _CALLERS]:
        work.put(context)
    failures: list[Exception] = []
    callers = [threading.Thread(target=_call, args=(server.port, work, failures)) for _ in range(_CALLERS)]
    before = server.cpu_seconds()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    time.sleep(0.2)  # let the server see the last connections end
    used = server.cpu_seconds() - before
    if failures:
        raise failures[0]
    return len(contexts) / used


def _call(port: int, work: "queue.SimpleQueue[TlsContext | None]", failures: list[Exception]) -> None:
    try:
        while (context := work.get()) is not None:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                engine = TlsEngine(context)
                while not engine.handshake():
                    connection.sendall(engine.data_to_send())
                    engine.receive_data(connection.recv(65536))
                engine.close_notify()
                connection.sendall(engine.data_to_send())
    except Exception as error:  # noqa: BLE001 – raised again by the one who waits for the threads
        failures.append(error)


# --- in process ------------------------------------------------------------------------------------------------


def _in_process(fleet: Fleet, contexts: list[TlsContext], *, sub_ca_known: bool) -> Result:
    pki = fleet.pki
    credentials = Credentials((pki.gwa.tls.certificate_der, fleet.sub_ca), pki.gwa.tls.key)
    config = unlimited(credentials, pki.root.certificate, pki.sub_ca.certificate)
    gatekeeper = Gatekeeper(config)
    gatekeeper.apply(fleet.policy())
    trust = config.trust if sub_ca_known else (config.root,)
    context = server_context(credentials, trust, gatekeeper.verdict(Scenario.MANAGEMENT), offer=TLS_1_2)

    def handshakes() -> float:
        return _IN_PROCESS / sum(_one(context, gatekeeper, caller) for caller in contexts[:_IN_PROCESS])

    floor = _floor(pki.root.credential.key if not sub_ca_known else None)
    cases, floors = alternate(
        handshakes, lambda: _IN_PROCESS / sum(floor() for _ in range(_IN_PROCESS)), rounds=_ROUNDS
    )
    return at_least(
        "handshake",
        f"in process, {'Sub-CA proved at start' if sub_ca_known else 'Sub-CA proved each time'}",
        unit="1/CPU s",
        cases=cases,
        floors=floors,
        floor_what=f"its {5 if sub_ca_known else 6} raw EC operations",
        least=0.78,
    )


def _one(context: TlsContext, gatekeeper: Gatekeeper, caller: TlsContext) -> float:
    """CPU seconds of the server's side of one handshake, admission included."""
    client, server = TlsEngine(caller), TlsEngine(context)
    client.handshake()
    used = 0.0
    for _ in range(2):
        flight = client.data_to_send()
        start = time.thread_time()
        server.receive_data(flight)
        if server.handshake():
            gatekeeper.enter(server.peer, Scenario.MANAGEMENT)
        answer = server.data_to_send()
        used += time.thread_time() - start
        client.receive_data(answer)
        client.handshake()
    if not (client.complete and server.complete):
        raise RuntimeError("no handshake")
    return used


def _floor(root: ec.EllipticCurvePrivateKey | None) -> Callable[[], float]:
    """The raw operations of one handshake, in CPU seconds; with ``root`` also the proof of the Sub-CA."""
    own, other = ec.generate_private_key(ec.BrainpoolP256R1()), ec.generate_private_key(ec.BrainpoolP256R1())
    shared, public = other.public_key(), own.public_key()
    signature = own.sign(_SIGNED, _ECDSA)
    by_root = ec.ECDSA(hashes.SHA384())
    root_signature, root_public = (root.sign(_SIGNED, by_root), root.public_key()) if root else (b"", None)

    def operations() -> float:
        start = time.thread_time()
        ec.generate_private_key(ec.BrainpoolP256R1())
        own.exchange(ec.ECDH(), shared)
        own.sign(_SIGNED, _ECDSA)
        public.verify(signature, _SIGNED, _ECDSA)
        public.verify(signature, _SIGNED, _ECDSA)
        if root_public is not None:
            root_public.verify(root_signature, _SIGNED, by_root)
        return time.thread_time() - start

    return operations
