"""Everything a simulated gateway writes into a log or tells its GWA, as one table.

Three numbers are those of real gateways' exports (10041, 10260, 16001: spec/04 §1.8); all others are ours, of vendor
``TORWART-SIM``. ``tell``: pushed over ADMIN-SERVICE ("event if above configured reporting threshold", A2 §7.4).
What a stranger can cause (dropped wake-ups) is never told, or every forged packet would make the gateway call.
"""

from dataclasses import dataclass
from enum import StrEnum, auto

from torwart.sim.gateway.log import Level, LogKind

VENDOR = "TORWART-SIM"
_SYSTEM, _CALIBRATION, _CONSUMER = LogKind.SYSTEM, LogKind.CALIBRATION, LogKind.CONSUMER
_INFO, _WARNING, _ERROR, _FATAL = Level.INFO, Level.WARNING, Level.ERROR, Level.FATAL


class EventKind(StrEnum):
    BOOTED = auto()
    LONG_WITHOUT_POWER = auto()
    WAKE_UP_TAKEN = auto()
    WAKE_UP_DROPPED = auto()
    SESSION_OPENED = auto()
    SESSION_CLOSED = auto()
    CONNECT_FAILED = auto()
    MESSAGE_REFUSED = auto()
    CLOCK_SET = auto()
    CLOCK_OFF = auto()
    CLOCK_INVALID = auto()
    TIME_IGNORED = auto()
    METERING_STOPPED = auto()
    METERING_STARTED = auto()
    PROFILE_WRITTEN = auto()
    PROFILE_REFUSED = auto()
    PROFILE_DELETED = auto()
    KEYS_GENERATED = auto()
    KEYS_FAILED = auto()
    REQUEST_MADE = auto()
    CERTIFICATES_INSTALLED = auto()
    CERTIFICATES_REFUSED = auto()
    CERTIFICATES_ACTIVATED = auto()
    SEAL_RETIRED = auto()
    KEYS_DESTROYED = auto()
    METER_PAIRED = auto()
    METER_REFUSED = auto()
    METER_LOST = auto()
    METER_BACK = auto()
    METER_TAMPERED = auto()
    SELF_TEST_PASSED = auto()
    SELF_TEST_FAILED = auto()
    CONSUMER_WIPED = auto()
    READINGS_SENT = auto()
    READINGS_FAILED = auto()
    CALIBRATION_LOG_FULL = auto()
    ALARM_TEST = auto()
    FIRMWARE_ACTIVATED = auto()
    FIRMWARE_REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """One row: number, log, level, text with placeholders in the order of the parameters, and whether to tell the
    GWA: always, never, or (``None``) from the report level of its administrator profile on.
    """

    id: int
    log: LogKind
    level: Level
    text: str
    tell: bool | None = None

    def told_from(self, threshold: str) -> bool:
        """Whether the GWA hears of it at this report level."""
        if self.tell is not None:
            return self.tell
        order = list(Level)
        return order.index(self.level) >= order.index(Level(threshold))


EVENTS: dict[EventKind, Event] = {
    EventKind.BOOTED: Event(10001, _SYSTEM, _INFO, "Gateway started, firmware [Version]", tell=True),
    EventKind.LONG_WITHOUT_POWER: Event(10041, _CALIBRATION, _WARNING, "Was without power too long", tell=True),
    EventKind.WAKE_UP_TAKEN: Event(10100, _SYSTEM, _INFO, "Wake-up accepted", tell=False),
    EventKind.WAKE_UP_DROPPED: Event(10101, _SYSTEM, _WARNING, "Wake-up dropped: [Reason]", tell=False),
    EventKind.SESSION_OPENED: Event(10110, _SYSTEM, _INFO, "[Scenario] opened to [Peer]", tell=False),
    EventKind.SESSION_CLOSED: Event(10111, _SYSTEM, _INFO, "[Scenario] closed: [Reason]", tell=False),
    EventKind.CONNECT_FAILED: Event(10112, _SYSTEM, _ERROR, "[Scenario] could not be opened: [Reason]", tell=False),
    EventKind.MESSAGE_REFUSED: Event(10120, _SYSTEM, _ERROR, "Message refused: [Reason]", tell=True),
    EventKind.CLOCK_SET: Event(10200, _CALIBRATION, _INFO, "Clock set by [Seconds] s"),
    EventKind.CLOCK_OFF: Event(10201, _CALIBRATION, _WARNING, "Clock was [Seconds] s off", tell=True),
    EventKind.CLOCK_INVALID: Event(10202, _CALIBRATION, _ERROR, "Time is invalid", tell=True),
    EventKind.TIME_IGNORED: Event(10203, _SYSTEM, _WARNING, "Time answer ignored: [Reason]", tell=True),
    EventKind.METERING_STOPPED: Event(10260, _SYSTEM, _FATAL, "Metering is being stopped", tell=True),
    EventKind.METERING_STARTED: Event(10261, _CALIBRATION, _INFO, "Metering of [Meter] started"),
    EventKind.PROFILE_WRITTEN: Event(10300, _CALIBRATION, _INFO, "Profile [Profile] written, digest [Digest]"),
    EventKind.PROFILE_REFUSED: Event(10301, _SYSTEM, _ERROR, "Profile [Profile] refused: [Reason]"),
    EventKind.PROFILE_DELETED: Event(10302, _CALIBRATION, _INFO, "Profile [Profile] deleted"),
    EventKind.KEYS_GENERATED: Event(10400, _SYSTEM, _INFO, "Key pairs generated"),
    EventKind.KEYS_FAILED: Event(10401, _SYSTEM, _ERROR, "Key pairs could not be generated", tell=True),
    EventKind.REQUEST_MADE: Event(10402, _SYSTEM, _INFO, "Certificate request package made"),
    EventKind.CERTIFICATES_INSTALLED: Event(10403, _SYSTEM, _INFO, "Certificates installed"),
    EventKind.CERTIFICATES_REFUSED: Event(10404, _SYSTEM, _ERROR, "Certificates refused: [Reason]", tell=True),
    EventKind.CERTIFICATES_ACTIVATED: Event(10405, _SYSTEM, _INFO, "Certificates activated"),
    EventKind.SEAL_RETIRED: Event(10406, _SYSTEM, _INFO, "Seal keys destroyed"),
    EventKind.KEYS_DESTROYED: Event(10407, _SYSTEM, _INFO, "Key pairs destroyed"),
    EventKind.METER_PAIRED: Event(10500, _CALIBRATION, _INFO, "Meter [Meter] paired", tell=True),
    EventKind.METER_REFUSED: Event(10501, _SYSTEM, _ERROR, "Meter [Meter] does not take its key", tell=True),
    EventKind.METER_LOST: Event(10502, _CALIBRATION, _ERROR, "Meter [Meter] does not answer", tell=True),
    EventKind.METER_BACK: Event(10503, _CALIBRATION, _INFO, "Meter [Meter] answers again", tell=True),
    EventKind.METER_TAMPERED: Event(10504, _CALIBRATION, _ERROR, "Meter [Meter] reports tampering", tell=True),
    EventKind.SELF_TEST_PASSED: Event(10600, _SYSTEM, _INFO, "Self-test passed"),
    EventKind.SELF_TEST_FAILED: Event(10601, _SYSTEM, _FATAL, "Self-test failed: [Reason]", tell=True),
    EventKind.CONSUMER_WIPED: Event(10700, _CALIBRATION, _INFO, "Consumer data deleted"),
    EventKind.READINGS_SENT: Event(
        16001, _CALIBRATION, _INFO, "[Count] readings transmitted to [Recipient]", tell=True
    ),
    EventKind.READINGS_FAILED: Event(
        16002, _SYSTEM, _ERROR, "Readings not transmitted to [Recipient]: [Reason]", tell=True
    ),
    EventKind.CALIBRATION_LOG_FULL: Event(17001, _SYSTEM, _FATAL, "Calibration log is full", tell=True),
    EventKind.ALARM_TEST: Event(19001, _SYSTEM, _ERROR, "Alarm [Number]", tell=True),
    EventKind.FIRMWARE_ACTIVATED: Event(10800, _CALIBRATION, _INFO, "Firmware [Version] activated", tell=True),
    EventKind.FIRMWARE_REFUSED: Event(10801, _SYSTEM, _ERROR, "Firmware refused: [Reason]", tell=True),
}
"""Every kind has exactly one row (tested)."""
