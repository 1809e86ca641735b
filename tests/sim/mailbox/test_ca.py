"""The test CA for mail, judged by OpenSSL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.sim.mailbox import MailCa
from torwart.wire.smime import addresses

NOW = datetime.now(UTC)


@pytest.mark.parametrize("key", ["rsa3072", "p256", "p384", "brainpool"])
@pytest.mark.parametrize("use", ["sign", "encrypt", "both"])
def test_openssl_accepts_the_chain(key: str, use: str, openssl: Callable[..., bytes], tmp_path: Path) -> None:
    """Root, issuing CA and end user hold together, with revocation lists, strictly and for mail."""
    ca = MailCa.create(NOW)
    credential = ca.issue("a@client.test", key=key, use=use)
    files = {"root": ca.root.certificate, "issuing": ca.issuing.certificate, "own": credential.certificate}
    for name, certificate in files.items():
        (tmp_path / name).write_bytes(certificate.public_bytes(Encoding.PEM))
    lists = tmp_path / "lists"
    lists.write_bytes(ca.crl().public_bytes(Encoding.PEM) + ca.root_crl().public_bytes(Encoding.PEM))
    # OpenSSL's smimeencrypt knows RSA only; RFC 5480 3 forbids keyEncipherment, which it wants, in EC certificates.
    purpose = {"encrypt": "smimeencrypt" if key == "rsa3072" else "any"}.get(use, "smimesign")
    openssl(
        "verify", "-x509_strict", "-crl_check_all", "-CRLfile", lists, "-purpose", purpose,
        "-CAfile", tmp_path / "root", "-untrusted", tmp_path / "issuing", tmp_path / "own",
    )  # fmt: skip


def test_openssl_sees_the_revocation(openssl: Callable[..., bytes]) -> None:
    """Who is on the list is named there, nobody else; the list says until when it holds."""
    ca = MailCa.create(NOW)
    revoked, good = ca.issue("a@client.test"), ca.issue("b@client.test")
    crl = ca.crl([revoked.certificate], days=3)
    printed = openssl("crl", "-noout", "-text", stdin=crl.public_bytes(Encoding.PEM)).decode()

    assert f"{revoked.certificate.serial_number:X}".zfill(2) in printed
    assert f"{good.certificate.serial_number:X}" not in printed
    assert crl.next_update_utc == NOW.replace(microsecond=0) + timedelta(days=3)


def test_people_have_two_certificates() -> None:
    """An identity signs with one and decrypts with another, and its signature names the other."""
    person = MailCa.create(NOW).identity("a@client.test")
    signing, encrypting = person.certificates

    assert signing != encrypting
    assert addresses(signing) == addresses(encrypting) == ("a@client.test",)
    assert person.signer.encryption == encrypting
