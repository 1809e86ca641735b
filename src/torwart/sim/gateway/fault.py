"""Every way a simulated gateway can misbehave (spec/08), as one closed list."""

from enum import StrEnum

from torwart.sim.gateway.meter import MeterTrouble


class Fault(StrEnum):
    """A fault, switchable per device at start and while it runs. ``.explanation`` says what the device then does."""

    def __new__(cls, word: str, explanation: str) -> "Fault":
        member = str.__new__(cls, word)
        member._value_ = word
        member.explanation = explanation
        return member

    explanation: str

    SILENT = "silent", "Hears no wake-up, opens no connection, answers nothing."
    LATE = "late", "Reacts to wake-ups and schedules only after hours (6 h of simulated time)."
    DROP_HANDSHAKE = "drop-handshake", "Resets TCP after its first TLS flight."
    DROP_REQUEST = "drop-request", "Resets TCP when a request has begun to arrive, before it acts on it."
    DROP_BODY = "drop-body", "Acts on a request, then resets TCP in the middle of the response body."
    SLOW = "slow", "Answers every request only after three seconds."
    SLOW_LORIS = "slow-loris", "Sends its responses one byte at a time, slower than any time limit."
    WRONG_CERTIFICATE = "wrong-certificate", "Shows its SIG certificate where the TLS certificate belongs."
    EXPIRED_CERTIFICATE = "expired-certificate", "Shows a TLS certificate of the right CA whose time is over."
    REVOKED_CERTIFICATE = "revoked-certificate", "Shows a TLS certificate its CA has revoked."
    FOREIGN_CA = "foreign-ca", "Shows a TLS certificate of a CA nobody trusts."
    WRONG_CN = "wrong-cn", "Shows a valid TLS certificate that belongs to another device id."
    SEAL_CERTIFICATE = "seal-instead-of-operational", "Shows its seal certificate although operational ones are active."
    CLOCK_5S = "clock-5s", "Its clock is 5 s ahead, whatever it is set to."
    CLOCK_20S = "clock-20s", "Its clock is 20 s ahead, whatever it is set to."
    CLOCK_2H = "clock-2h", "Its clock is 2 h ahead, whatever it is set to."
    NTP_LATE = "ntp-late", "Time answers reach it 12 s after its question, so it must ignore them."
    REFUSE_PROFILE_4XX = "refuse-profile-4xx", "Refuses every profile with 400."
    REFUSE_PROFILE_COSEM = "refuse-profile-cosem", "Refuses every profile with 500 and a COSEM error status."
    FORGET_PROFILE = "forget-profile", "Accepts profiles but keeps what it had before."
    REBOOT_IN_WRITE = "reboot-in-write", "Reboots once in the middle of the next write; nothing of it is kept."
    REBOOT_IN_FIRMWARE = "reboot-in-firmware-write", "Reboots once while a firmware image is being written."
    FIRMWARE_HASH = "firmware-hash-wrong", "Computes a wrong hash over the firmware image and refuses it."
    FIRMWARE_SIGNATURE = "firmware-signature-wrong", "Finds the maker's signature of the firmware image wrong."
    FIRMWARE_OLD = "firmware-old-version", "Comes back with the old version after activating new firmware."
    KEY_GENERATION = "key-generation-fails", "Its security module cannot make key pairs."
    CMS_FLIPPED_MAC = "cms-flipped-mac", "One bit of the MAC of its CMS messages is wrong."
    CMS_WRONG_RECIPIENT = "cms-wrong-recipient", "Encrypts its CMS messages for a key nobody has."
    CMS_WRONG_SIGNER = "cms-wrong-signer", "Signs its CMS messages with a key that is not certified."
    CMS_CBC_CMAC = "cms-cbc-cmac", "Uses AES-CBC-CMAC where the profile asks for GCM; receivers must take it."
    CMS_UNCOMPRESSED = "cms-uncompressed", "Leaves out compression in its CMS messages; receivers must take it."
    CMS_BOMB = "cms-bomb", "Its CMS messages unpack to a thousand times their size."
    CMS_INDEFINITE = "cms-indefinite-ber", "Its CMS messages are BER of indefinite length."
    PIPELINING = "pipelining", "Sends its next request before the answer to the last one came."
    CHUNKED = "chunked", "Sends bodies chunked, without Content-Length."
    HEADER_FLOOD = "header-flood", "Sends thousands of header lines."
    LONG_URI = "long-uri", "Uses request targets of more than 4000 characters."
    DUPLICATE_EVENTS = "duplicate-events", "Sends every event twice."
    REORDER_EVENTS = "reorder-events", "Sends its waiting events in reverse order."
    ALARM_STORM = "alarm-storm", "Raises 10,000 alarms in one minute."
    FROZEN_VALUE = "frozen-value", "Its meters' registers stand still."
    MISSING_EXPORT = "missing-2.8.0", "Its meters know no 2.8.0."
    METER_ABSENT = "meter-not-seen", "Its meters are not seen on the LMN."
    METER_WRONG_KEY = "meter-wrong-key", "Its meters have another key than the delivery note says."
    LOG_FULL = "log-full", "Its calibration log is full, so metering has stopped."


CLOCK_FAULTS = {Fault.CLOCK_5S: 5.0, Fault.CLOCK_20S: 20.0, Fault.CLOCK_2H: 7200.0}
"""Seconds each adds to the clock."""

METER_FAULTS = {
    Fault.FROZEN_VALUE: MeterTrouble.FROZEN,
    Fault.MISSING_EXPORT: MeterTrouble.NO_EXPORT,
    Fault.METER_ABSENT: MeterTrouble.ABSENT,
    Fault.METER_WRONG_KEY: MeterTrouble.WRONG_KEY,
}
"""What each does to every meter of the device."""

CREDENTIAL_FAULTS = frozenset({Fault.EXPIRED_CERTIFICATE, Fault.REVOKED_CERTIFICATE, Fault.FOREIGN_CA, Fault.WRONG_CN})
"""Faults that need a certificate somebody must have issued wrongly for them."""
