"""Files that people save: never shown in our origin, never kept on the way, under harmless names."""

from collections.abc import Iterable
from typing import TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

R = TypeVar("R", bound=HttpResponseBase)


def saved(content: bytes | str, name: str, media_type: str = "application/octet-stream") -> HttpResponse:
    """An answer to be saved under ``name``, of which only harmless characters remain."""
    return _under(name, HttpResponse(content, content_type=media_type))


def streamed(lines: Iterable[str], name: str, media_type: str) -> StreamingHttpResponse:
    """The same for what is sent while it is read."""
    return _under(name, StreamingHttpResponse(lines, content_type=media_type))


def _under(name: str, answer: R) -> R:
    plain = "".join(c if c.isalnum() or c in "-._ " else "_" for c in name).strip(". ") or "datei"
    answer["Content-Disposition"] = content_disposition_header(True, plain) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    return answer
