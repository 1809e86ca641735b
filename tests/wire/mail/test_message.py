"""Composed mails: judged by Python's own mail parser, and closed to whatever people type."""

import email
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.mail import Address, Attachment, Letter, Paragraph, Written, compose, html, new_message_id, read, text

DATE = datetime(2026, 3, 10, 9, 12, tzinfo=UTC)
LETTER = Letter("[#T-123456782] Ihr Auftrag: Grüße", (Paragraph("Guten Tag Frau Müller\n.\nFrom hier an"),))
FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version",
          "Content-Language", "Content-Type"]  # fmt: skip

# What people type: everything but lone surrogates, with line ends and header look-alikes more often than by chance.
_FRAGMENTS = ("\r\nBcc: x@y.example", "=?utf-8?q?a?=", '"', "\\", "\0")
_CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
typed = st.lists(st.one_of(_CHARACTERS, st.sampled_from(_FRAGMENTS)), max_size=6).map("".join)


def composed(letter: Letter | Written = LETTER, **changes: object) -> bytes:
    arguments = {
        "sender": Address("service@torwart.example", "Torwart Dienst"),
        "recipient": "mueller@stadtwerk.example",
        "message_id": "<1@torwart.example>",
        "date": DATE,
    }
    return compose(letter, **{**arguments, **changes})  # type: ignore[arg-type]


def judged(raw: bytes) -> EmailMessage:
    """As Python's parser understands it, without a single complaint."""
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    assert [part.defects for part in message.walk() if part.defects] == []
    assert [name for name, value in message.items() if getattr(value, "defects", ())] == []
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_foreign_parser_reads_what_was_written() -> None:
    """Subject, addresses, date, both prints and attachments come out of Python's parser as they went in."""
    files = [Attachment("Prüfbericht 1.pdf", "application/pdf", b"%PDF\0\xff"), Attachment("a;b.csv", "text/csv", b"x")]
    message = judged(composed(attachments=files))

    assert message["subject"] == LETTER.subject
    assert (message["from"], message["to"]) == ("Torwart Dienst <service@torwart.example>", "mueller@stadtwerk.example")
    assert message["date"].datetime == DATE
    assert (body(message, "plain"), body(message, "html")) == (text(LETTER), html(LETTER))
    found = [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
             for part in message.iter_attachments()]  # fmt: skip
    assert found == [(file.name, file.media_type, file.content) for file in files]


@pytest.mark.requirement("C-2")
def test_a_program_wrote_it_and_says_so() -> None:
    """Mails of programs carry Auto-Submitted (RFC 3834), mails of people do not."""
    assert judged(composed())["auto-submitted"] == "auto-generated"
    assert judged(composed(in_reply_to="<2@y>"))["auto-submitted"] == "auto-replied"
    assert judged(composed(auto_submitted=False))["auto-submitted"] is None


def test_a_thread_hangs_together() -> None:
    """In-Reply-To and References name what went before, oldest first; a long thread keeps its beginning and end."""
    message = judged(composed(in_reply_to="<b@y>", references=["<a@y>"]))
    assert (message["in-reply-to"], message["references"]) == ("<b@y>", "<a@y> <b@y>")

    long = judged(composed(references=[f"<{number}@y>" for number in range(100)]))["references"].split()
    assert (long[0], long[1], long[-1], len(long)) == ("<0@y>", "<81@y>", "<99@y>", 20)


@given(typed, typed, typed, typed)
def test_nothing_typed_becomes_a_header(subject: str, name: str, file: str, content: str) -> None:
    """Whatever stands in subject, name, file name and text, the fields are those of the form and the words arrive."""
    written = Written(subject, content, content, "de")
    raw = composed(written, sender=Address("a@b.example", name), attachments=[Attachment(file, "text/plain", b"x")])
    message = judged(raw)

    assert [str(key) for key in message] == FIELDS
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/plain"]  # fmt: skip
    mail = read(raw)
    assert mail.from_address == "a@b.example"
    assert (mail.subject, mail.from_name) == (seen(subject)[:500], seen(name)[:200])


def seen(typed_text: str) -> str:
    """A line as people see it: without control characters, blanks single."""
    unseen = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
    return " ".join(re.sub(unseen, "", typed_text).split())


@given(typed)
def test_the_octets_travel_unchanged(content: str) -> None:
    """7 bits, CRLF only, short lines, no line that a mail server would change (a dot, "From ")."""
    raw = composed(Written("s", content + "\n.\nFrom x", "", "de"))

    assert raw.isascii()
    assert raw.replace(b"\r\n", b"").count(b"\n") == raw.replace(b"\r\n", b"").count(b"\r") == 0
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not [line for line in lines if line == b"." or line.startswith(b"From ")]


def test_the_same_mail_is_the_same_octets() -> None:
    """A mail composed again after a crash is the same mail, so that receivers can drop the repeat."""
    assert composed() == composed()
    assert composed() != composed(message_id="<2@torwart.example>")


@pytest.mark.parametrize("address", ["", "x", "a@b@c", "a b@c.example", "a@b.example\r\nBcc: c@d.example", "<a@b>",
                                     "a@b.example,c@d.example", "ä@b.example", "a" * 250 + "@b.example"])  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    """Neither sender nor recipient can be anything but one bare address."""
    for changes in ({"recipient": address}, {"sender": address}):
        with pytest.raises(Refusal) as caught:
            composed(**changes)
        assert caught.value.code == "mail.address"


def test_a_strange_media_type_is_not_passed_on() -> None:
    """A media type that is none, or one that must not be encoded, goes as plain octets."""
    files = [Attachment("a", kind, b"From: x\r\n\r\n") for kind in ("text/plain\r\nX: y", "message/rfc822", "x", "")]
    message = judged(composed(attachments=files))

    assert [part.get_content_type() for part in message.iter_attachments()] == ["application/octet-stream"] * 4


def test_message_ids_are_unlike_and_carry_the_ticket() -> None:
    """Two ids never meet; the ticket in one is found in the references of the answer."""
    first, second = new_message_id("torwart.example", "T-123456782"), new_message_id("torwart.example", "T-123456782")

    assert first != second
    answer = composed(Written("Re: Hallo", "x", "x", "de"), in_reply_to=first)
    assert read(answer).ticket == "T-123456782"
    with pytest.raises(Refusal, match=r"mail\.address"):
        new_message_id("a>\r\nBcc: x")
    with pytest.raises(ValueError, match="message id"):
        composed(message_id="<a b>")
