"""Files that people save."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def saved(content: bytes | str, name: str, media_type: str = "application/octet-stream") -> HttpResponse:
    """An answer to be saved under ``name``, of which only harmless characters remain; never shown in our origin, never
    kept on the way.
    """
    answer = HttpResponse(content, content_type=media_type)
    plain = "".join(c if c.isalnum() or c in "-._ " else "_" for c in name).strip(". ") or "datei"
    answer["Content-Disposition"] = content_disposition_header(True, plain) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    return answer
