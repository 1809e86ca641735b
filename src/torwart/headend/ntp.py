"""NTP in TLS: bare 48-octet packets, answered by our own clock (TR-03109-1 Detailspezifikation chapter 14)."""

from torwart.headend.config import Scenario
from torwart.headend.session import Session
from torwart.headend.station import Station
from torwart.kernel.refusals import Refusal
from torwart.wire.ntp import PACKET_SIZE, answer


class NtpSession(Session):
    """A gateway asks for the time."""

    scenario = Scenario.NTP
    __slots__ = ("_answered", "_buffer")

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._buffer = b""
        self._answered = False

    def quiet_seconds(self) -> float:
        return self.station.limits.idle_seconds

    def received(self, data: bytes) -> None:
        assert self.peer is not None
        source = self.station.time_source
        arrived = source.now()
        self._buffer += data
        while len(self._buffer) >= PACKET_SIZE:
            packet, self._buffer = self._buffer[:PACKET_SIZE], self._buffer[PACKET_SIZE:]
            if not source.limit.allow(self.peer.device):
                self.station.metrics["ntp_ignored"] += 1
                continue
            try:
                self.send(answer(packet, server=source.server(), received_at=arrived, now=source.now()))
            except Refusal:
                # "… MUSS … ignorieren" (REQ.TA.NTP.ProcessRequest.10). What follows may be out of step: leave it too.
                self.station.metrics["ntp_ignored"] += 1
                self._buffer = b""
                return
            self._tell(source.server().synchronised_at is not None)
        self.touch()

    def _tell(self, synchronised: bool) -> None:
        self.station.metrics["ntp_answered"] += 1
        if self.peer is not None and not self._answered:
            self._answered = True  # once a session: the workers want to know that time was had, not how often
            self.station.facts.tell("time", self.peer.device, {**self.details(), "synchronised": synchronised})
