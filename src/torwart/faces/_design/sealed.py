"""Addresses that name rows: ``path("ansprechpartner/<contact:pk>/", …)``. The view gets the number, the address carries
a sealed token of it (``services.sealed``), and ``reverse`` and ``{% url %}`` seal by themselves.

A token that does not open means the row 0, which does not exist: the answer is that of any unknown number. Forms and
questions carry ``{{ row.pk|sealed:"user" }}``, read back by ``services.sealed.opened``.
"""

from django.urls import register_converter

from torwart.services.sealed import LENGTH, opened, seal

KINDS = ("attachment", "contact", "delivery_note", "draft", "passkey", "user")
"""Kinds of things that outsiders meet in addresses; each is the name of a path converter."""


class Sealed:
    """A path converter; ``kind`` is said by its subclasses."""

    kind: str
    regex = rf"[A-Za-z0-9_-]{{{LENGTH}}}"

    def to_python(self, value: str) -> int:
        return opened(self.kind, value) or 0

    def to_url(self, value: int) -> str:
        return seal(self.kind, value)


def register() -> None:
    """Make the kinds known to urlconfs; once, before the first is read."""
    for kind in KINDS:
        register_converter(type(f"Sealed_{kind}", (Sealed,), {"kind": kind}), kind)
