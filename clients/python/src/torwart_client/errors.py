"""What can go wrong: problem documents (RFC 9457) as exceptions, and what never became an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class TorwartError(Exception):
    """Anything this package raises about the interface."""


class Unreachable(TorwartError):
    """No answer within the patience; with a key, repeat with the same one: whether it was done is not known."""


class StillRunning(TorwartError):
    """The order has not ended within the time given to ``wait``."""


class BadSignature(TorwartError):
    """A webhook that is not from the interface, was changed, or is too old."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request. ``pointer``: a JSON pointer as fragment, ``#/melo``."""

    pointer: str
    code: str
    detail: str
    type: str


class Problem(TorwartError):
    """The interface has refused. ``side``: whose fault; ``retry``: ``never``, ``later`` or ``after_change``."""

    def __init__(self, status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.status = status
        self.code = str(document.get("code", ""))
        self.title = str(document.get("title", ""))
        self.detail = str(document.get("detail", ""))
        self.type = str(document.get("type", "about:blank"))
        self.side = str(document.get("side", ""))
        self.retry = str(document.get("retry", ""))
        self.errors = tuple(
            FieldError(*(str(each.get(name, "")) for name in ("pointer", "code", "detail", "type")))
            for each in document.get("errors", ())
        )
        self.request_id = headers.get("x-request-id", "")
        wait = headers.get("retry-after", "")
        self.retry_after = float(wait) if wait.isdigit() else None
        super().__init__(f"{status} {self.code} {self.detail or self.title}".strip())


class NotIdentified(Problem):
    """401: no certificate, or not one of an EMT."""


class NotAllowed(Problem):
    """403."""


class Suspended(NotAllowed):
    """The coupling is suspended because the software does not fit (R-4); ``detail`` names the form."""


class OnlyByForm(NotAllowed):
    """This process does not go over the interface; ``detail`` names the form."""


class NotFound(Problem):
    """404: nothing of that name for this client."""


class Conflict(Problem):
    """409: not possible in the present state."""


class KeyReused(Conflict):
    """The key has been used for another request."""


class Invalid(Problem):
    """400, 413, 415 or 422: ``errors`` lists what is wrong."""


class TooManyRequests(Problem):
    """429, longer than the patience."""


class Unavailable(Problem):
    """5xx, longer than the patience."""


_BY_CODE: Mapping[str, type[Problem]] = {
    "interface.suspended": Suspended,
    "order.not_over_interface": OnlyByForm,
    "interface.key_reused": KeyReused,
}
_BY_STATUS: Mapping[int, type[Problem]] = {
    400: Invalid,
    401: NotIdentified,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}


def problem(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Problem:
    """The exception for an answer."""
    chosen = _BY_CODE.get(str(document.get("code", ""))) or _BY_STATUS.get(status)
    return (chosen or (Unavailable if status >= 500 else Problem))(status, document, headers)
