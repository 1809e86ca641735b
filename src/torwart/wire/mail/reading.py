"""A received mail, read safely: whatever the octets are, out comes a ``ReadMail`` or a refusal by name.

Nothing is unpacked, fetched or rendered; HTML is only ever turned into plain text; names of files are bare names.
What is returned is free of NUL, control characters and lone surrogates, so that it can be stored and shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from torwart.kernel.refusals.mail import MAIL_MALFORMED, MAIL_NESTED, MAIL_TOO_LARGE
from torwart.wire.mail.address import read_addresses, read_sender
from torwart.wire.mail.mime import LIMITS, Attachment, Entity, Limits, parts, split
from torwart.wire.mail.stripping import strip_html
from torwart.wire.mail.words import clean, decode, decode_words

_TICKET = re.compile(r"\[\s*#\s*(T-[0-9]{9})\s*\]", re.IGNORECASE)
_TICKET_REFERENCE = re.compile(r"<(T-[0-9]{9})\.[^<>@]*@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe", "list-help", "list-owner", "mailing-list")
_DAEMONS = re.compile(r"(mailer-daemon|postmaster|double-bounce)@.*")


@dataclass(frozen=True, slots=True)
class ReadMail:
    """What a mail says. ``from_address``: "" unless the mail has exactly one author. ``references``: message ids of
    References and In-Reply-To, oldest first. ``ticket``: ``T-123456782`` from the subject, else from the references;
    who may join it is not decided here. ``nesting``: how many mails lie within each other, 0 for none.
    """

    message_id: str
    from_address: str
    from_name: str
    to: tuple[str, ...]
    subject: str
    date: datetime | None
    references: tuple[str, ...]
    auto_submitted: bool
    from_list: bool
    bounce: bool
    text: str
    attachments: tuple[Attachment, ...]
    ticket: str | None
    nesting: int

    @property
    def wants_answer(self) -> bool:
        """Whether a program may answer (C-2: loops are cut; RFC 3834 section 2)."""
        return bool(self.from_address) and not (self.auto_submitted or self.from_list or self.bounce)


def read(raw: bytes, limits: Limits = LIMITS) -> ReadMail:
    """Read a whole mail. Refuses ``mail.too_large``, ``mail.nested`` and ``mail.malformed``, nothing else."""
    if len(raw) > limits.size:
        raise MAIL_TOO_LARGE(size=len(raw), limit=limits.size)
    entity = split(raw, limits)
    if not entity.fields:
        raise MAIL_MALFORMED(why="no header")
    found = _Collector(limits)
    found.take(entity, 0, 0)
    sender = read_sender(entity.all("from"))
    subject = _line(entity.get("subject"))
    references = _references(entity)
    ids = _MESSAGE_ID.findall(entity.get("message-id"))
    return ReadMail(
        message_id=ids[0] if ids else "",
        from_address=sender.address if sender else "",
        from_name=sender.name if sender else "",
        to=tuple(address.address for name in ("to", "cc") for address in read_addresses(entity.get(name))),
        subject=subject,
        date=_date(entity.get("date")),
        references=references,
        auto_submitted=_automatic(entity),
        from_list=_from_list(entity),
        bounce=_bounce(entity, sender.address if sender else ""),
        text=found.text(),
        attachments=tuple(found.attachments),
        ticket=_ticket(subject, references),
        nesting=found.nesting,
    )


def _line(value: str) -> str:
    return " ".join(clean(decode_words(value)).split())[:500]


def _references(entity: Entity) -> tuple[str, ...]:
    lines = f"{entity.get('references')} {entity.get('in-reply-to')}"
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(lines)))[-100:]


def _ticket(subject: str, references: tuple[str, ...]) -> str | None:
    match = _TICKET.search(subject)
    if match is None:
        found = (_TICKET_REFERENCE.match(reference) for reference in reversed(references))
        match = next((hit for hit in found if hit), None)
    return match[1].upper() if match else None


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value[:200])
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _automatic(entity: Entity) -> bool:
    # RFC 3834 5: "Auto-Submitted" with any value but "no"; the others are what programs sent before there was one.
    value = entity.get("auto-submitted").partition(";")[0].strip().lower()
    return (value or "no") != "no" or any(entity.get(name) for name in ("x-autoreply", "x-autorespond"))


def _from_list(entity: Entity) -> bool:
    bulk = entity.get("precedence").strip().lower() in {"bulk", "list", "junk"}
    return bulk or any(entity.get(name) for name in _LIST_FIELDS)


def _bounce(entity: Entity, sender: str) -> bool:
    # RFC 5321 4.5.5: bounces have the null reverse-path; RFC 3462: multipart/report.
    empty = any(value.strip() == "<>" for value in entity.all("return-path"))
    return empty or entity.content_type == "multipart/report" or bool(_DAEMONS.fullmatch(sender))


@dataclass(slots=True)
class _Collector:
    """One walk over the parts of a mail; counts what an attacker could pile up."""

    limits: Limits
    count: int = 0
    nesting: int = 0
    attachments: list[Attachment] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    rich: list[str] = field(default_factory=list)

    def take(self, entity: Entity, depth: int, nested: int) -> None:
        self.count += 1
        if self.count > self.limits.parts:
            raise MAIL_MALFORMED(why=f"> {self.limits.parts} parts")
        kind = entity.content_type
        children = parts(entity, self.limits.parts) if kind.startswith("multipart/") else []
        if children:
            if depth == self.limits.depth:
                raise MAIL_MALFORMED(why=f"> {depth} levels")
            for child in children:
                self.take(split(child, self.limits), depth + 1, nested)
        elif kind == "message/rfc822":
            self._nested(entity, depth, nested)
        elif not nested:
            self._leaf(entity, kind)

    def _nested(self, entity: Entity, depth: int, nested: int) -> None:
        """A mail within the mail is an attachment as a whole; it is only walked to see how deep it goes."""
        if nested == self.limits.nested:
            raise MAIL_NESTED(limit=self.limits.nested)
        self.nesting = max(self.nesting, nested + 1)
        content = entity.content()
        inner = split(content, self.limits)
        if not nested:
            name = entity.file_name or _line(inner.get("subject"))[:100].replace("/", "_") or f"mail-{self.count}"
            name = name if name.lower().endswith(".eml") else f"{name}.eml"
            self.attachments.append(Attachment(name, "message/rfc822", content))
        if depth == self.limits.depth:
            raise MAIL_MALFORMED(why=f"> {depth} levels")
        self.take(inner, depth + 1, nested + 1)

    def _leaf(self, entity: Entity, kind: str) -> None:
        name = entity.file_name
        if kind in {"text/plain", "text/html"} and not name and entity.disposition != "attachment":
            content = decode(entity.content(), entity.parameter("charset") or "utf-8")
            (self.plain if kind == "text/plain" else self.rich).append(content)
        else:
            self.attachments.append(Attachment(name or f"anlage-{self.count}", kind, entity.content()))

    def text(self) -> str:
        """Plain parts, or else HTML turned into plain text; line ends are ``\\n``."""
        most = self.limits.text
        pieces = self.plain if any(piece.strip() for piece in self.plain) else [*self._stripped()]
        whole = clean("\n\n".join(piece.strip("\r\n") for piece in pieces)[: 2 * most])
        return re.sub(r"\r\n?", "\n", whole)[:most]

    def _stripped(self) -> Iterator[str]:
        left = self.limits.text
        for piece in self.rich:
            yield strip_html(piece[:left])
            left -= min(left, len(piece))
