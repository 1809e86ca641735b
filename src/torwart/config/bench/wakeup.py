"""Benchmark ``wakeup``: packets built, signed and sent by UDP over loopback against raw ECDSA signatures."""

import socket
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.config.bench.harness import Result, alternate, at_least, rate
from torwart.kernel.identifiers import DeviceId
from torwart.wire import wakeup

_LEAST = 0.85
_ECDSA = ec.ECDSA(hashes.SHA256())


def run() -> list[Result]:
    """brainpoolP256r1, the curve of the GWA's SIG certificate; every packet is for another gateway."""
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    sign_plain = wakeup.plain_signer(lambda message: key.sign(message, _ECDSA), key.curve)
    recipients = [DeviceId.of("E", "ABC", 1, number) for number in range(1000)]
    message = wakeup.signed_part(recipients[0], datetime.now(UTC))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        address = receiver.getsockname()
        numbers = iter(range(10**9))

        def send() -> None:
            recipient = recipients[next(numbers) % len(recipients)]
            sender.sendto(wakeup.build(recipient, datetime.now(UTC), sign_plain=sign_plain), address)

        cases, floors = alternate(lambda: rate(send), lambda: rate(lambda: key.sign(message, _ECDSA)))
    return [
        at_least(
            "wakeup",
            "build, sign and send, brainpoolP256r1",
            unit="packets per CPU-second",
            cases=cases,
            floors=floors,
            floor_what="raw ECDSA signatures",
            least=_LEAST,
        )
    ]
