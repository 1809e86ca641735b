"""Bodies as this interface reads them: JSON that can be read in one way only (RFC 8259)."""

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

MEDIA_TYPE = "application/json"
_MOST_MEMBERS = 200
"""No body has half as many; a hundred thousand would cost seconds to complain about, which others would wait for."""


class StrictJson(Parser):
    """UTF-8, each member once, numbers that are numbers; what cannot be read is told by ninja with 400."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return json.loads(request.body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
        except RecursionError:
            raise ValueError("too deep") from None


def readable(request: HttpRequest) -> bool:
    """Whether what a call brings is JSON by its own word, and not packed; a call may bring nothing."""
    brings = request.META.get("CONTENT_LENGTH", "") not in ("", "0") and request.method not in ("GET", "HEAD")
    packed = request.headers.get("Content-Encoding", "identity") != "identity"
    return not brings or (request.content_type == MEDIA_TYPE and not packed)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 8259 §4: "The names within an object SHOULD be unique"; which of two counts is not guessed."""
    if len(pairs) > _MOST_MEMBERS:
        raise ValueError(f"more than {_MOST_MEMBERS} members")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")
