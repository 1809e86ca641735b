"""Mail in and mail out, as ports: who receives keeps first, who sends says what became of it."""

from collections.abc import Callable, Sequence
from typing import Protocol

Keep = Callable[[bytes, str, Sequence[str]], None]
"""Takes (raw, envelope_from, envelope_to) and writes the mail down for good (C-2: stored before it is interpreted).

Only when it has returned is the mail ours: an SMTP receiver then answers 250, an IMAP fetcher marks it. Whatever it
raises makes the sender keep it and try again, so the same mail may come more than once and must be harmless.
``envelope_from`` is "" for bounces; the octets are as received, nothing added.
"""


class MailIn(Protocol):
    """A way mail comes in. Made with a ``Keep``; runs in threads of its own between ``start`` and ``stop``."""

    def start(self) -> None: ...

    def stop(self) -> None:
        """Take no more mail; one that is being kept is kept. A second time is no error."""
        ...


class MailOut(Protocol):
    """A way mail goes out."""

    def send(self, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        """Hand the mail over to a mail server; returned means taken over.

        ``sender`` is the envelope's ("" for none). Refuses ``mail.delayed`` and ``mail.unreachable`` (``Retry.LATER``),
        ``mail.refused`` (``Retry.NEVER``, with the server's words) and ``mail.login`` or ``mail.tls``
        (``Retry.AFTER_CHANGE``). A connection lost at the end counts as unreachable, so a mail may arrive twice.
        """
        ...
