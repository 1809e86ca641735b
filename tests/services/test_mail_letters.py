"""Letters of the mail room: complete in German and English, print and page alike, no data where none may be."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
from lxml import html

from torwart.kernel.refusals.contact import TEST_TOO_LATE, TEST_UNSIGNED
from torwart.kernel.refusals.smime import SMIME_REVOKED
from torwart.services.letter import account, contact, interface, mail
from torwart.wire.mail import Letter, write

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
URL = "https://portal.torwart.example/portal/"
CERTIFICATE = "CN=anna@stadtwerk.test (0123456789abcdef)"
REVOKED = SMIME_REVOKED(name="anna@stadtwerk.test", since="2026-11-20")
NUMBER = "T-123456782"
SYSTEM = interface.About("Stadtwerk Musterstadt.EMT", "EMT Pro 3.1", "3.1 ist zu alt")

LETTERS: Mapping[str, Callable[[str], Letter]] = {
    "notice about a ticket": lambda to: mail.notice(to, ticket=NUMBER, url=URL),
    "notice": lambda to: mail.notice(to, ticket="", url=URL),
    "receipt": lambda to: mail.receipt(to, ticket=NUMBER, given="", url=URL),
    "receipt for another number": lambda to: mail.receipt(to, ticket=NUMBER, given="T-000000018", url=URL),
    "refused": lambda to: mail.refused(to, reasons=[REVOKED, TEST_UNSIGNED()], at=AT, ticket=NUMBER),
    "refused without ticket": lambda to: mail.refused(to, reasons=[REVOKED], at=AT, ticket=""),
    "test": lambda to: contact.test(to, certificate=CERTIFICATE, word="ABCD-EFGH-JKLM", until=AT, sign_only=False),
    "test of a signature": lambda to: contact.test(
        to, certificate=CERTIFICATE, word="ABCD-EFGH-JKLM", until=AT, sign_only=True
    ),
    "changed": lambda to: account.changed(to, change=account.Change.PASSKEY_ADDED, at=AT, url=URL),
    "tested": lambda to: contact.tested(to, certificate=CERTIFICATE, end=AT),
    "test refused": lambda to: contact.test_refused(to, reasons=[TEST_TOO_LATE(end="…")], url=URL),
    "encryption missing": lambda to: contact.encryption_missing(to, url=URL),
    "reminder": lambda to: contact.reminder(to, certificate=CERTIFICATE, end=AT, days=30, url=URL),
    "last reminder": lambda to: contact.reminder(to, certificate=CERTIFICATE, end=AT, days=1, url=URL),
    "expired": lambda to: contact.ended(to, how="expired", certificate=CERTIFICATE, reason=None, url=URL),
    "revoked": lambda to: contact.ended(to, how="revoked", certificate=CERTIFICATE, reason=None, url=URL),
    "untrusted": lambda to: contact.ended(to, how="untrusted", certificate=CERTIFICATE, reason=REVOKED, url=URL),
    "activated": lambda to: contact.activated(to, url=URL),
    "user data": lambda to: account.user_data(
        to, name="Anna Muster", email="anna@stadtwerk.test", phone="", roles=["contact", "reader"], url=URL
    ),
    "password link": lambda to: account.password_link(to, url=URL, until=AT, reset=False),
    "interface suspended": lambda to: interface.suspended(to, SYSTEM, since=AT, forms=URL),
    "interface resumed": lambda to: interface.resumed(to, SYSTEM, page=URL),
    "password reset": lambda to: account.password_link(to, url=URL, until=AT, reset=True),
}
every_letter = pytest.mark.parametrize("make", LETTERS.values(), ids=LETTERS.keys())


@every_letter
def test_both_languages_say_the_same(make: Callable[[str], Letter]) -> None:
    """Both have the same blocks; subject and text differ; no field is open; every sentence ends."""
    german, english = make("de"), make("en")

    assert (german.language, english.language) == ("de", "en")
    assert [type(block) for block in german.blocks] == [type(block) for block in english.blocks]
    assert german.subject != english.subject
    for each in (german, english):
        written = write(each)
        assert written.text.strip()
        assert not {"{", "}"} & set(written.text + each.subject)
        assert len(each.subject) <= 78
    assert write(german).text != write(english).text


@every_letter
def test_print_and_page_say_the_same(make: Callable[[str], Letter]) -> None:
    """Every word of the plain text stands on the page too, which loads nothing from elsewhere."""
    for language in ("de", "en"):
        written = write(make(language))
        page = html.document_fromstring(written.html)
        shown = "".join(page.text_content().split())
        words = {word.rstrip(":") for word in written.text.split() if any(c.isalnum() for c in word)}
        assert not {word for word in words if word not in shown}
        assert page.get("lang") == language
        assert not page.xpath("//@src | //img | //link | //script")


@pytest.mark.requirement("P-4")
def test_the_link_never_comes_with_the_user_data() -> None:
    """P-4: who has one of the two mails does not have the other."""
    for language in ("de", "en"):
        data = write(LETTERS["user data"](language)).text
        link = write(account.password_link(language, url=f"{URL}konto/einladung/1/geheim/", until=AT, reset=False)).text
        assert "einladung" not in data
        assert "geheim" in link
        assert "Anna" not in link


@pytest.mark.requirement("C-2")
def test_a_stranger_reads_both_languages() -> None:
    """The receipt for somebody unknown is German first, English after it, with one link."""
    text = write(mail.receipt_for_stranger(ticket=NUMBER, given="", url=URL)).text

    assert text.index("Ihre Mail ist angekommen") < text.index("your mail has arrived")
    assert text.count(URL) == 1
