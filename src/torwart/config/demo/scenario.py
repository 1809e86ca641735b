"""Who plays in the demonstration and what must become of each: the cast with its faults and expected outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass

from torwart.kernel.words import Words
from torwart.sim.gateway.fault import Fault


@dataclass(frozen=True, slots=True)
class Part:
    """One gateway's part. ``state`` is the run state its commissioning must reach; ``code`` and ``side`` of a refusal
    where it must not succeed; ``hint``: what the head-end must have refused meanwhile.
    """

    fault: Fault | None
    meters: int
    state: str
    words: Words
    code: str = ""
    side: str = ""
    hint: str = ""


_GOOD = Words("kommt in Betrieb", "gets into operation")
_SILENT = Words("wird geweckt, schweigt", "is woken, stays silent")
_REVOKED = Words("Zertifikat gesperrt: Head-End weist ab", "certificate revoked: turned away by the head-end")
_FOREIGN = Words("fremde CA: Head-End weist ab", "foreign CA: turned away by the head-end")
_WRONG_CN = Words("fremder Name im Zertifikat: abgewiesen", "another name in the certificate: turned away")
_FORGETS = Words("nimmt Profile an und vergisst sie", "takes profiles and forgets them")
_CLOCK = Words("Uhr geht 20 s vor und lässt sich nicht stellen", "clock 20 s ahead and cannot be set")
_CLOCK_5 = Words("Uhr geht 5 s vor: erlaubt", "clock 5 s ahead: allowed")
_REBOOTS = Words("startet mitten im Schreiben neu", "reboots in the middle of a write")
_REFUSES = Words("lehnt Profile ab", "refuses profiles")
_CBC = Words("sendet AES-CBC-CMAC statt GCM: erlaubt", "sends AES-CBC-CMAC instead of GCM: allowed")
_MAC = Words("Nachrichten mit falschem MAC", "messages with a wrong MAC")
_METER = Words("Zähler nicht am LMN", "meter not on the LMN")
_KEYS = Words("kann keine Schlüssel erzeugen", "cannot make keys")

FAULTS = (
    Part(Fault.SILENT, 1, "waiting", _SILENT, "gateway.not_connected", "gateway"),
    Part(Fault.REVOKED_CERTIFICATE, 1, "waiting", _REVOKED, "gateway.not_connected", "gateway", "tls.revoked"),
    Part(Fault.FOREIGN_CA, 1, "waiting", _FOREIGN, "gateway.not_connected", "gateway"),
    Part(Fault.WRONG_CN, 1, "waiting", _WRONG_CN, "gateway.not_connected", "gateway"),
    Part(Fault.FORGET_PROFILE, 1, "failed", _FORGETS, "process.read_back_differs", "gateway"),
    Part(Fault.CLOCK_20S, 1, "failed", _CLOCK, "process.clock_off", "gateway"),
    Part(Fault.CLOCK_5S, 1, "succeeded", _CLOCK_5),
    Part(Fault.REBOOT_IN_WRITE, 1, "succeeded", _REBOOTS),
    Part(Fault.REFUSE_PROFILE_4XX, 1, "failed", _REFUSES, "process.step_refused", "gateway"),
    Part(Fault.CMS_CBC_CMAC, 1, "succeeded", _CBC),
    Part(Fault.CMS_FLIPPED_MAC, 1, "failed", _MAC, "cms.mac_wrong", "gateway"),
    Part(Fault.METER_ABSENT, 1, "failed", _METER, "process.meter_not_seen", "gateway"),
    Part(Fault.KEY_GENERATION, 1, "failed", _KEYS, "cosem.application", "gateway"),
)


ORDINARY = Part(None, 1, "succeeded", _GOOD)
"""A gateway that does what it should."""


def cast(count: int) -> Iterator[Part]:
    """``count`` parts: a good half well-behaved, every fifth of them with more meters; the faults spread among them.

    With 25 gateways there are 30 meters.
    """
    faults = list(FAULTS[: (count + 1) // 2 if count >= 25 else (count - 1) // 2])
    good = count - len(faults)
    for number in range(count):
        if number % 2 and faults:
            yield faults.pop(0)
        elif good > 0:
            good -= 1
            yield Part(None, 2 if good % 12 in (1, 3, 5, 7, 9) else 1, "succeeded", _GOOD)
        else:
            yield faults.pop(0)


EXTRAS = (
    Part(None, 1, "planned", Words("Termin nächste Woche", "ordered for next week")),
    Part(None, 1, "refused", Words("Zählertyp nicht freigegeben", "meter type not approved")),
)
"""Two more gateways that are delivered but not commissioned today: one is ordered for later, one cannot be."""
