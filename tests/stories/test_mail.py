"""A client without any program of ours: the test of secure mail and a delivery passed with openssl and swaks alone."""

import base64
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from foreign import need
from mail_stage import WORD, MailStage

from torwart.config import mail_site
from torwart.config.mail_site import MailSite
from torwart.config.mailroom import MailRoom, MailRoomConfig
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.sim.mailbox import ClientMailbox, MailCa
from torwart.store.models import Attachment, Contact, MailIn, Ticket

SERVICE, ANNA = "service@torwart.example", "anna@stadtwerk.test"
OpenSsl = Callable[..., bytes]
_SIGNING = {"p256": (), "rsa3072": ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32")}
_SEALING = ("-keyopt", "ecdh_kdf_md:sha256")


@dataclass
class Person:
    """Anna at her shell: PEM files in ``home``, ``openssl`` and ``swaks``; a mail server that only keeps her mail."""

    home: Path
    openssl: OpenSsl
    kind: str
    port: int = 0

    def sign(self, text: str) -> bytes:
        return self.openssl(
            "cms", "-sign", "-text", "-md", "sha256", "-signer", self.home / "sign.pem", "-inkey",
            self.home / "sign.key", *_SIGNING[self.kind], "-certfile", self.home / "others.pem",
            "-from", ANNA, "-to", SERVICE, "-subject", "Zertifikat", stdin=text.encode(),
        )  # fmt: skip

    def seal(self, entity: bytes, subject: str) -> bytes:
        return self.openssl(
            "cms", "-encrypt", "-aes-128-gcm", "-from", ANNA, "-to", SERVICE, "-subject", subject,
            "-recip", self.home / "service.pem", *_SEALING, stdin=entity,
        )  # fmt: skip

    def read(self, raw: bytes) -> str:
        """Decrypted and verified: what the service says."""
        key = ("-recip", self.home / "encrypt.pem", "-inkey", self.home / "encrypt.key")
        signed = self.openssl("cms", "-decrypt", *key, stdin=raw)
        return self.openssl("cms", "-verify", "-CAfile", self.home / "ca.pem", stdin=signed).decode()

    def send(self, mail: bytes) -> None:
        file = self.home / "out.eml"
        file.write_bytes(mail)
        command = [need("swaks"), "--server", "127.0.0.1", "--port", str(self.port), "--from", ANNA, "--to", SERVICE]
        done = subprocess.run([*command, "--data", f"@{file}"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(params=["p256", "rsa3072"])
def anna(request: pytest.FixtureRequest, tmp_path: Path, openssl: OpenSsl) -> Person:
    return Person(tmp_path, openssl, request.param)


@pytest.fixture
def box(own_database: str) -> Iterator[ClientMailbox]:
    now = datetime.now(UTC)
    client = clients.create("Stadtwerk", actor="test")
    contacts.add(client, first_name="Anna", name="Muster", phone="+49 261 1234", email=ANNA, actor="test", now=now)
    ca = MailCa.create(now)
    with ClientMailbox(ca, [ca.identity(ANNA)]) as made:
        yield made


def _equip(anna: Person, site: MailSite) -> None:
    """Certificates from the CA everybody believes, as files."""
    made = {use: site.ca.issue(ANNA, use=use, key=anna.kind) for use in ("sign", "encrypt")}
    for use, credential in made.items():
        (anna.home / f"{use}.pem").write_bytes(credential.certificate.public_bytes(Encoding.PEM))
        key = credential.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (anna.home / f"{use}.key").write_bytes(key)
    issuing, root = (each.certificate.public_bytes(Encoding.PEM) for each in (site.ca.issuing, site.ca.root))
    (anna.home / "others.pem").write_bytes((anna.home / "encrypt.pem").read_bytes() + issuing)
    (anna.home / "ca.pem").write_bytes(root)
    (anna.home / "service.pem").write_bytes(site.certificates[1].public_bytes(Encoding.PEM))


def _eventually(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, [(row.state, row.code, row.why) for row in MailIn.objects.all()]
        time.sleep(0.05)


def _multipart(text: str, name: str, content: bytes) -> str:
    return (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\n'
        f'{text}\n--b\nContent-Type: application/pkcs7-mime\nContent-Disposition: attachment; filename="{name}"\n'
        f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(content).decode()}--b--\n"
    )


@pytest.mark.requirement("S-MAIL-1", "S-MAIL-2", "S-MAIL-3", "P01", "O-7")
def test_openssl_and_swaks_are_enough(own_database: str, anna: Person, box: ClientMailbox, tmp_path: Path) -> None:
    """Sign a first mail; read the test mail; answer it signed and encrypted: tested. Then reply to an import ticket
    with a file, signed and encrypted: it is taken as secure. All on Anna's side is made and read by OpenSSL."""
    site = mail_site.create(tmp_path, datetime.now(UTC), deliver_to=box.port)
    _equip(anna, site)
    with MailRoom(MailRoomConfig.load(site.config), poll=0.05) as room:
        anna.port = room.port
        anna.send(anna.sign("hier ist unser Zertifikat"))
        box.wait(ANNA, lambda got: b"enveloped-data" in got.raw or b"authEnveloped-data" in got.raw, timeout=20)
        test = next(got.raw for got in box.mails(ANNA) if b"smime-type=auth" in got.raw)
        word = WORD.search(anna.read(test))
        assert word is not None

        anna.send(anna.seal(anna.sign(f"Das Wort ist {word[0]}."), "Re: Testmail"))
        _eventually(lambda: Contact.objects.get().mail_state == "tested")

        ticket = _import_ticket(Contact.objects.get().client_id)
        note = b"\x30\x82 ein Lieferschein " * 5000
        (anna.home / "body").write_text(_multipart("anbei", "LS-2026-0001.p7m", note))
        signed = anna.openssl(
            "cms", "-sign", "-md", "sha256", "-signer", anna.home / "sign.pem", "-inkey", anna.home / "sign.key",
            *_SIGNING[anna.kind], "-certfile", anna.home / "others.pem", "-in", anna.home / "body",
        )  # fmt: skip
        anna.send(anna.seal(signed, f"Re: [#{ticket}] Import"))
        _eventually(lambda: Attachment.objects.exists())

    file = Attachment.objects.get()
    assert (file.ticket.number, file.name, file.secure) == (ticket, "LS-2026-0001.p7m", True)
    assert bytes(file.content) == note
    security = MailIn.objects.get(ticket__number=ticket).security
    assert (security["order"], security["cautions"]) == (["encrypted", "signed"], ["no_crl"])
    assert re.fullmatch(r"[0-9a-f]{64}", security["signer"])


def _import_ticket(client: int) -> str:
    stage = MailStage.__new__(MailStage)
    stage.now = datetime.now(UTC)
    ticket: Ticket = stage.import_order(client)
    return ticket.number
