"""A mail as octets: MIME written by hand, so that the same letter always gives the same octets.

A mail sent again after a crash is then the same mail, and nothing a person typed can become a header.
"""

import hashlib
import quopri
import re
import secrets
from base64 import encodebytes
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from torwart.kernel.refusals.mail import MAIL_ADDRESS
from torwart.wire.mail.address import Address
from torwart.wire.mail.letter import Letter, Written, write
from torwart.wire.mail.mime import Attachment
from torwart.wire.mail.words import clean, encode_words

_CRLF = b"\r\n"
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,240}>")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,60}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,60}")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?")
_MOST_REFERENCES = 20


def new_message_id(domain: str, about: str = "") -> str:
    """A fresh ``<…@domain>``. ``about``: a ticket number, which replies then carry in their References header."""
    if not _DOMAIN.fullmatch(domain):
        raise MAIL_ADDRESS(address=clean(domain)[:80])
    return f"<{about + '.' if about else ''}{secrets.token_hex(12)}@{domain}>"


def compose(
    letter: Letter | Written,
    *,
    sender: Address | str,
    recipient: Address | str,
    message_id: str,
    date: datetime,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    attachments: Sequence[Attachment] = (),
    auto_submitted: bool = True,
) -> bytes:
    """One whole mail with CRLF line ends and 7-bit octets: text and HTML as alternatives, attachments beside them.

    The same arguments give the same octets. Refuses ``mail.address``; a ``message_id`` or reference that is none
    raises ``ValueError``. ``auto_submitted`` says that a program wrote it (RFC 3834 5), so that no other answers.
    """
    written = write(letter) if isinstance(letter, Letter) else letter
    sender, recipient = _address(sender), _address(recipient)
    fields = [
        ("From", sender.header()),
        ("To", recipient.header()),
        ("Subject", _unstructured(written.subject)),
        ("Date", format_datetime(date)),
        ("Message-ID", _checked_id(message_id)),
    ]
    thread = [*references, *([in_reply_to] if in_reply_to and in_reply_to not in references else [])]
    if in_reply_to:
        fields.append(("In-Reply-To", _checked_id(in_reply_to)))
    if thread:
        # RFC 5322 3.6.4 lets References grow without end; what matters is where it began and where it is.
        kept = thread if len(thread) <= _MOST_REFERENCES else [thread[0], *thread[1 - _MOST_REFERENCES :]]
        fields.append(("References", " ".join(_checked_id(reference) for reference in kept)))
    if auto_submitted:
        fields.append(("Auto-Submitted", "auto-replied" if in_reply_to else "auto-generated"))
        fields.append(("X-Auto-Response-Suppress", "All"))
    fields += [("MIME-Version", "1.0"), ("Content-Language", written.language)]
    return b"".join(_field(name, value) for name, value in fields) + body(written, attachments)


def body(written: Written, attachments: Sequence[Attachment] = ()) -> bytes:
    """The MIME entity alone: Content-Type and everything below it."""
    alternatives = multipart("alternative", [_text("plain", written.text), _text("html", written.html)])
    if not attachments:
        return alternatives
    return multipart("mixed", [alternatives, *(_attachment(attachment) for attachment in attachments)])


def multipart(subtype: str, parts: Sequence[bytes], parameters: str = "") -> bytes:
    """A multipart entity around whole parts. Its boundary is a hash of them, so they cannot contain it."""
    boundary = "=_" + hashlib.sha256(b"\0".join(parts)).hexdigest()[:40]
    kind = _field("Content-Type", f'multipart/{subtype}; {parameters}boundary="{boundary}"')
    delimiter = b"--" + boundary.encode()
    pieces = b"".join(delimiter + _CRLF + part + _CRLF for part in parts)
    return kind + _CRLF + pieces + delimiter + b"--" + _CRLF


def _address(given: Address | str) -> Address:
    return given if isinstance(given, Address) else Address(given)


def _checked_id(message_id: str) -> str:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError(f"not a message id: {message_id!r}")
    return message_id


def _unstructured(text: str) -> str:
    line = " ".join(clean(text).split())
    # An ASCII text that looks like an encoded word would be decoded by whoever reads it.
    words = line.split(" ")
    first = next((at for at, word in enumerate(words) if not word.isascii() or "=?" in word), len(words))
    # What can stay readable without decoding does: the ticket's number comes first.
    return " ".join([*words[:first], *([encode_words(" ".join(words[first:]))] if words[first:] else [])])


def _field(name: str, value: str) -> bytes:
    """One field, folded before a word that would pass column 76; values hold no line ends any more."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > 76 and not lines[-1].endswith(":"):
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines).encode("ascii") + _CRLF


def _text(subtype: str, text: str) -> bytes:
    # RFC 2046 4.1.1: line ends are CRLF; quoted-printable then keeps lines short and signatures whole.
    plain = re.sub(r"\r\n?", "\n", clean(text))
    encoded = _CRLF.join(quopri.encodestring(line.encode("utf-8", "replace")) for line in plain.split("\n"))
    # RFC 4880 and MTAs of old: a line "From " grows a ">" and a line "." ends the mail.
    encoded = re.sub(rb"(?m)^(From |\.)", lambda match: b"=%02X" % match[1][0] + match[1][1:], encoded)
    return (
        _field("Content-Type", f"text/{subtype}; charset=utf-8")
        + _field("Content-Transfer-Encoding", "quoted-printable")
        + _CRLF
        + encoded.replace(b"=\n", b"=\r\n")
    )


def _attachment(attachment: Attachment) -> bytes:
    media_type = attachment.media_type if _MEDIA_TYPE.fullmatch(attachment.media_type) else "application/octet-stream"
    if media_type.lower().startswith(("message/", "multipart/")):
        media_type = "application/octet-stream"  # RFC 2046 5.2: those must not be base64
    return (
        _field("Content-Type", media_type)
        + _field("Content-Transfer-Encoding", "base64")
        + _field("Content-Disposition", f"attachment; {_file_name(attachment.name)}")
        + _CRLF
        + encodebytes(attachment.content).replace(b"\n", _CRLF)
    )


def _file_name(name: str) -> str:
    name = " ".join(clean(name).split())[:150] or "datei"
    plain = re.fullmatch(r"[ !#-\[\]-~]+", name)
    # RFC 2231 4: "filename*=charset'language'percent-encoded"; MIME knows no second, plain one beside it.
    return f'filename="{name}"' if plain else f"filename*=UTF-8''{quote(name, safe='')}"
