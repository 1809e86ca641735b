"""Refusals about NTP messages (TR-03109-1 Detailspezifikation ch. 14): each rule „MUSS … ignorieren“ is a kind."""

from torwart.kernel.refusals import Retry, Side, kind

_DS = "TR-03109-1 DS 2.0 14.3"

NTP_REQUEST = kind(
    "ntp.request",
    de="Die NTP-Anfrage wird nicht beantwortet: {why}. Das Gateway muss Version 4, Modus 3, 48 Bytes senden.",
    en="The NTP request is not answered: {why}. The gateway has to send version 4, mode 3, 48 bytes.",
    side=Side.GATEWAY,
    source=f"{_DS}.3.1 REQ.TA.NTP.ProcessRequest.10",
)
NTP_RESPONSE = kind(
    "ntp.response",
    de="Die NTP-Antwort ist keine: {why}. Zeitserver prüfen.",
    en="The NTP response is none: {why}. Check the time server.",
    side=Side.OURS,
    retry=Retry.LATER,
    source=f"{_DS}.2 REQ.TA.NTP.ProcessResponse.51 and .52",
)
NTP_DELAYED = kind(
    "ntp.delayed",
    de="Die NTP-Antwort kam nach {seconds} s, erlaubt sind 9 s. Verbindung prüfen; die nächste Abfrage kann gelingen.",
    en="The NTP response took {seconds} s, 9 s are allowed. Check the connection; the next poll may succeed.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source=f"{_DS}.2 REQ.TA.NTP.ProcessResponse.10",
)
NTP_ORIGIN = kind(
    "ntp.origin",
    de="Die NTP-Antwort gehört nicht zur letzten Anfrage. Sie wird verworfen; die nächste Abfrage abwarten.",
    en="The NTP response does not belong to the last request. It is dropped; wait for the next poll.",
    side=Side.OURS,
    retry=Retry.LATER,
    source=f"{_DS}.2 REQ.TA.NTP.ProcessResponse.30",
)
NTP_CONVERSION = kind(
    "ntp.conversion",
    de="Der Zeitstempel der NTP-Antwort liegt außerhalb des umrechenbaren Zeitraums. Zeitserver prüfen.",
    en="The NTP response's timestamp lies outside the convertible range. Check the time server.",
    side=Side.OURS,
    retry=Retry.LATER,
    source=f"{_DS}.2 REQ.TA.NTP.ProcessResponse.40",
)
NTP_UNSYNCHRONISED = kind(
    "ntp.unsynchronised",
    de="Der Zeitserver ist selbst nicht synchronisiert. Seine Zeitquelle prüfen.",
    en="The time server is not synchronised itself. Check its source of time.",
    side=Side.OURS,
    retry=Retry.LATER,
    source=f"{_DS}.2 REQ.TA.NTP.ProcessResponse.50",
)
NTP_STEP = kind(
    "ntp.step",
    de="Die NTP-Antwort weicht {seconds} s von der synchronisierten Uhr ab, erlaubt sind 1000 s. Zeitserver prüfen.",
    en="The NTP response is {seconds} s off the synchronised clock, 1000 s are allowed. Check the time server.",
    side=Side.OURS,
    retry=Retry.LATER,
    source=f"{_DS}.2 REQ.TA.NTP.ProcessResponse.110",
)
