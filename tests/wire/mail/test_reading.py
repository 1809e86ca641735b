"""Foreign mail read safely: ordinary ones rightly, hostile ones without harm, loops recognised."""

import zipfile
import zlib
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.mail import LIMITS, Attachment, Letter, Limits, Paragraph, compose, read

HEAD = b"From: Erika M\xc3\xbcller <Erika@Stadtwerk.example>\r\nTo: service@torwart.example\r\n"
MIXED = HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
COMPOSED = compose(
    Letter("[#T-123456782] Grüße", (Paragraph("Guten Tag"),)),
    sender="a@b.example",
    recipient="c@d.example",
    message_id="<1@b.example>",
    date=datetime(2026, 3, 10, tzinfo=UTC),
    attachments=[Attachment("ü.xml", "text/xml", b"<x/>")],
)


HTML = b"Content-Type: text/html\r\n\r\n"


def part(content: bytes, *lines: bytes) -> bytes:
    return b"--b\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + content + b"\r\n"


def test_an_ordinary_mail_is_read() -> None:
    """Every field of an everyday mail with text, HTML and attachments."""
    mail = read(
        HEAD + b"Cc: x@y.example, Z <z@y.example>\r\nSubject: =?iso-8859-1?q?R=FCckfrage?= zu [#T-123456782]\r\n"
        b"Date: Tue, 10 Mar 2026 10:12:00 +0100\r\nMessage-ID: <m@stadtwerk.example>\r\n"
        b"References: <a@t.example>\r\n <b@t.example>\r\nIn-Reply-To: <b@t.example>\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n"
        b"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
        b"--c\r\nContent-Type: text/plain; charset=windows-1252\r\n\r\nKosten: 5 \x80\r\n--c\r\n"
        b"Content-Type: text/html\r\n\r\n<p>Kosten</p>\r\n--c--\r\n"
        + part(b"PD94Pw==", b'Content-Type: text/xml; name="l.xml"', b"Content-Transfer-Encoding: base64",
               b"Content-Disposition: attachment; filename*0*=utf-8''Liefer; filename*1*=schein%20%C3%BC.xml")
        + b"--b--\r\nepilogue"
    )  # fmt: skip

    assert (mail.from_address, mail.from_name) == ("erika@stadtwerk.example", "Erika Müller")
    assert mail.to == ("service@torwart.example", "x@y.example", "z@y.example")
    assert (mail.subject, mail.ticket) == ("Rückfrage zu [#T-123456782]", "T-123456782")
    assert (mail.message_id, mail.references) == ("<m@stadtwerk.example>", ("<a@t.example>", "<b@t.example>"))
    assert mail.date == datetime(2026, 3, 10, 9, 12, tzinfo=UTC)
    assert mail.text == "Kosten: 5 €"
    assert mail.attachments == (Attachment("Lieferschein ü.xml", "text/xml", b"<?x?"),)
    assert mail.nesting == 0
    assert mail.wants_answer


@pytest.mark.requirement("C-2")
@pytest.mark.parametrize(
    ("field", "flag"),
    [
        (b"Auto-Submitted: auto-replied", "auto_submitted"),
        (b"Auto-Submitted: auto-generated; x=y", "auto_submitted"),
        (b"X-Autoreply: yes", "auto_submitted"),
        (b"List-Id: <l.example>", "from_list"),
        (b"List-Unsubscribe: <https://l.example>", "from_list"),
        (b"Precedence: bulk", "from_list"),
        (b"Return-Path: <>", "bounce"),
        (b"Content-Type: multipart/report; boundary=b", "bounce"),
    ],
)
def test_loops_are_recognised(field: bytes, flag: str) -> None:
    """Mail of programs, lists and bounces never wants an answer (RFC 3834), and says which of them it is."""
    mail = read(field + b"\r\n" + HEAD + b"\r\nx")

    assert [name for name in ("auto_submitted", "from_list", "bounce") if getattr(mail, name)] == [flag]
    assert not mail.wants_answer


def test_bounces_are_known_by_their_sender_too() -> None:
    """MAILER-DAEMON gets no answer; a person whose mail says "Auto-Submitted: no" does."""
    assert read(b"From: MAILER-DAEMON@mx.example\r\n\r\nx").bounce
    assert read(b"Auto-Submitted: no\r\n" + HEAD + b"\r\nx").wants_answer


@pytest.mark.requirement("P-1")
@pytest.mark.parametrize(
    "lines",
    [
        b"From: a@b.example\r\nFrom: c@d.example",
        b"From: a@b.example, c@d.example",
        b"From: <a@b.example> <c@d.example>",
        b"From: a@b.example <c@d.example> x",
        b'From: "a@b.example" <c@d.example',
        b'From: "x <c@d.example>',
        b"From: a@b.example@c.example",
        b"From: group: a@b.example;",
        b"From: ",
        b"X: y",
    ],
)
def test_an_ambiguous_sender_is_nobody(lines: bytes) -> None:
    """A From that two programs could read as two people names none, so it is nobody's contact."""
    mail = read(lines + b"\r\n\r\nx")

    assert mail.from_address == ""
    assert not mail.wants_answer


@pytest.mark.parametrize(
    ("line", "address", "name"),
    [
        (b"A@B.Example", "a@b.example", ""),
        (b'"evil@x.example" <a@b.example>', "a@b.example", "evil@x.example"),
        (b"=?utf-8?q?=3Cevil=40x=2Eexample=3E?= <a@b.example>", "a@b.example", "<evil@x.example>"),
        (b"=?utf-8?q?x=2C_y?= <a@b.example>", "a@b.example", "x, y"),
        (b'"M\\"x, \\\\" <a@b.example> (Stadtwerk (Nord))', "a@b.example", 'M"x, \\'),
    ],
)
def test_a_sender_is_the_address_not_the_name(line: bytes, address: str, name: str) -> None:
    """Whatever the name pretends, the address is what stands in the angle brackets."""
    mail = read(b"From: " + line + b"\r\n\r\nx")

    assert (mail.from_address, mail.from_name) == (address, name)


@pytest.mark.parametrize(
    ("subject", "references", "ticket"),
    [
        (b"Re: AW: [#T-123456782] x", b"<T-000000000.a@t.example>", "T-123456782"),
        (b"Re: [ # t-123456782 ]", b"", "T-123456782"),
        (b"Re: x", b"<T-000000000.a@t.example> <T-123456782.b@t.example> <z@y.example>", "T-123456782"),
        (b"T-123456782", b"<T-1234.a@t.example>", None),
        (b"[#A-123456782]", b"<xT-123456782.a@t.example>", None),
    ],
)
def test_the_ticket_is_found(subject: bytes, references: bytes, ticket: str | None) -> None:
    """In brackets in the subject, else in the latest reference that carries one."""
    raw = HEAD + b"Subject: " + subject + b"\r\nReferences: " + references + b"\r\n\r\nx"

    assert read(raw).ticket == ticket


def nested(levels: int) -> bytes:
    raw = HEAD + b"Subject: innen\r\n\r\nx"
    for _ in range(levels):
        raw = HEAD + b"Subject: aussen\r\nContent-Type: message/rfc822\r\n\r\n" + raw
    return raw


def test_nested_mails_are_counted_and_limited() -> None:
    """A mail in the mail is one attachment, whole; five levels are read, six are refused by name."""
    mail = read(nested(5))
    assert mail.nesting == 5
    assert mail.attachments == (Attachment("aussen.eml", "message/rfc822", nested(4)),)

    for levels in (6, 60):
        with pytest.raises(Refusal) as caught:
            read(nested(levels))
        assert caught.value.code == "mail.nested"


def test_sizes_are_limited() -> None:
    """A mail of the allowed size is read, one octet more is refused with both figures."""
    limits = Limits(size=1000)
    raw = HEAD + b"\r\n"
    assert read(raw + b"x" * (1000 - len(raw)), limits).text.startswith("xxx")

    with pytest.raises(Refusal) as caught:
        read(raw + b"x" * (1001 - len(raw)), limits)
    assert (caught.value.code, caught.value.details) == ("mail.too_large", {"size": 1001, "limit": 1000})
    assert LIMITS.size == 25 * 2**20


def test_bombs_stay_packed() -> None:
    """An archive is octets like any other: nothing unpacks it."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.txt", bytes(50_000_000))
    bomb = packed.getvalue()
    raw = MIXED + part(bomb, b"Content-Type: application/zip; name=a.zip") + part(
        zlib.compress(bytes(10**6)), b"Content-Type: text/plain", b"Content-Encoding: deflate") + b"--b--"  # fmt: skip
    mail = read(raw)

    assert mail.attachments == (Attachment("a.zip", "application/zip", bomb),)
    assert len(mail.text) < 3000


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (b"../../etc/passwd", "passwd"),
        (b"C:\\x\\l.xml", "l.xml"),
        (b"a\0b\x1b[31m.xml", "ab[31m.xml"),
        ("rechnung\u202efdp.exe".encode(), "rechnungfdp.exe"),
        (b"...", "anlage-2"),
        (b"x" * 400, "x" * 150),
        (b"=?utf-8?q?=C3=BC.xml?=", "ü.xml"),
    ],
)
def test_file_names_are_bare_and_harmless(name: bytes, kept: str) -> None:
    """No path, no control character, no reversed reading, no endless name."""
    quoted = name.replace(b"\\", b"\\\\")
    raw = MIXED + part(b"x", b'Content-Disposition: attachment; filename="' + quoted + b'"') + b"--b--"

    assert [attachment.name for attachment in read(raw).attachments] == [kept]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"Content-Type: text/plain; charset=klingon\r\n\r\n\xe4", "ä"),
        (b"Content-Type: text/plain; charset=punycode\r\n\r\nM\xc3\xbcller", "Müller"),
        (b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\u0041", "\\u0041"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\na\xff\xed\xa0\x80\0b", "a����b"),
        (b"Content-Type: text/plain; charset=us-ascii\r\n\r\n\xc3\xbc", "ü"),
        (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nSGFs!!bG8", "Hallo"),
        (b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=\r\n=C3=9Fe=", "Grüße"),
        (b"Content-Type: nonsense\r\n\r\nx", "x"),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", ""),
        (b"Content-Type: text/plain\n\nonly line feeds\n", "only line feeds"),
        (b"no colon here\r\n: no name\r\n\xff\xfe: x\r\n\r\nx", "x"),
        (HTML + b"<style>p{}</style><p>a &lt; b</p><script>x</script><ul><li>c</ul>", "a < b\n\n- c"),
        (HTML + b"1 < 2 <a href='x'>link</a><!-- <p>no</p> --> <br>end <unclosed", "1 < 2 link\nend <unclosed"),
    ],
)  # fmt: skip
def test_broken_forms_are_read_as_far_as_they_go(body: bytes, text: str) -> None:
    """Unknown charsets, wrong octets, broken encodings, missing boundaries: text comes out, clean and storable."""
    mail = read(HEAD.replace(b"\r\n", b"\n") + body)

    assert mail.text == text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\nno header",
        b"just text",
        HEAD + b"X: " + b"x" * 2**18 + b"\r\n\r\nx",
        MIXED + part(b"x") * 600 + b"--b--",
        MIXED + b"--b\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n"
        + b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(40)),
    ],
)  # fmt: skip
def test_what_is_no_mail_is_refused_by_name(raw: bytes) -> None:
    """No header, an endless header, a flood of parts or of levels: ``mail.malformed``."""
    with pytest.raises(Refusal) as caught:
        read(raw)
    assert caught.value.code == "mail.malformed"


def check(raw: bytes) -> None:
    """Reading ends in a storable mail or in a refusal of the subject, and in nothing else."""
    try:
        mail = read(raw)
    except Refusal as refusal:
        assert refusal.code in {"mail.malformed", "mail.nested"}  # noqa: PT017 -- either way is right
        return
    for shown in (mail.subject, mail.from_name, mail.text, *(attachment.name for attachment in mail.attachments)):
        assert "\0" not in shown
        shown.encode("utf-8")


@given(
    st.integers(0, len(COMPOSED)),
    st.lists(st.tuples(st.integers(0, len(COMPOSED) - 1), st.integers(0, 255)), max_size=8),
)
def test_cut_and_flipped_mails_do_no_harm(end: int, flips: list[tuple[int, int]]) -> None:
    """A mail cut anywhere, with any octets changed, is read or refused by name."""
    raw = bytearray(COMPOSED)
    for at, octet in flips:
        raw[at] = octet
    check(bytes(raw[:end]))


FRAGMENTS = [
    *b'From:,Content-Type:,multipart/mixed; boundary=b,message/rfc822,--b,--,text/html,<,=?utf-8?q?,?=,"'.split(b","),
    *b"\\,(,charset=,utf-16,filename*=,''%,Content-Transfer-Encoding: base64,a@b.example,;,&#x,Date:,Subject: ".split(
        b","
    ),
    *(b"\r\n", b"\n", b"\0", b"\xff", b"\x1b$B"),
]


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=60).map(b"".join))
def test_any_octets_do_no_harm(raw: bytes) -> None:
    """Whatever is put together from pieces of mail, it is read or refused by name."""
    check(raw)
    check(HEAD + raw)
