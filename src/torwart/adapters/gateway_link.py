"""A worker's way to gateways: commands over the bus to whichever head-end holds the connection; wake-ups by UDP."""

import contextlib
import socket
import threading
from typing import Any

from torwart.adapters.bus import BlockingBus
from torwart.kernel.refusals import KINDS, Refusal
from torwart.kernel.refusals import gateway as refused
from torwart.ports.gateway_link import SUBJECT_POLICY_CHANGED, Answer, Command, command_subject

_BUS_MARGIN = 2.0
"""Seconds the bus gets beyond the gateway's own answer time, so that the head-end's refusal arrives first."""


class BusGatewayLink:
    """``ports.gateway_link.GatewayLink`` over the bus. Safe to use from many threads."""

    def __init__(self, bus: BlockingBus) -> None:
        self._bus = bus
        self._sockets = threading.local()

    def exchange(self, gateway: str, command: Command) -> Answer:
        try:
            data = self._bus.request(command_subject(gateway), command.encode(), timeout=command.timeout + _BUS_MARGIN)
        except Refusal as refusal:
            if refusal.code == "bus.no_responder":
                raise refused.GATEWAY_NOT_CONNECTED(gateway=gateway) from None
            if refusal.code == "bus.timeout":
                raise refused.GATEWAY_TIMEOUT(gateway=gateway, seconds=command.timeout) from None
            raise
        answer = Answer.decode(data)
        if answer.refusal:
            raise KINDS[answer.refusal](**answer.details)
        return answer

    def connected(self, gateway: str) -> dict[str, Any] | None:
        try:
            return self.exchange(gateway, Command(operation="status", timeout=1.0)).details
        except Refusal as refusal:
            # A head-end that does not tell at once is just closing the connection, or is gone.
            if refusal.kind in (refused.GATEWAY_NOT_CONNECTED, refused.GATEWAY_TIMEOUT):
                return None
            raise

    def close(self, gateway: str) -> None:
        try:
            self.exchange(gateway, Command(operation="close", timeout=5.0))
        except Refusal as refusal:
            if refusal.code != refused.GATEWAY_NOT_CONNECTED.code:
                raise

    def send_wake_up(self, address: tuple[str, int], packet: bytes) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        name = f"udp{family}"
        udp: socket.socket | None = getattr(self._sockets, name, None)
        if udp is None:
            udp = socket.socket(family, socket.SOCK_DGRAM)
            setattr(self._sockets, name, udp)
        try:
            udp.sendto(packet, address)
        except OSError as error:
            # UDP tells nothing of arrival; what the local stack says (no route) is the network's fault for now.
            raise refused.GATEWAY_UNREACHABLE(address=f"{address[0]}:{address[1]}", why=error.strerror) from None

    def policy_changed(self) -> None:
        with contextlib.suppress(Refusal):
            self._bus.publish(SUBJECT_POLICY_CHANGED, b"")
