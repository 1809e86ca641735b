"""PEM files of the test PKI: one per certificate, key and revocation list, named by owner and use."""

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from torwart.sim.pki.authority import Authority
from torwart.sim.pki.credentials import Credential, Triple
from torwart.wire.certificate import Use, identify
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.certificate.trust import read_entries


def owner_slug(common_name: str) -> str:
    """A common name as file name: lower case, blanks as ``-``."""
    return "".join(c if c.isalnum() or c in ".-" else "-" for c in common_name.lower())


def write_file(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Write a file, keys readable by their owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def write_credential(directory: Path, stem: str, credential: Credential) -> None:
    """``<stem>.cert.pem`` and, where we have the key, ``<stem>.key.pem``."""
    write_file(directory / f"{stem}.cert.pem", credential.certificate_pem)
    if credential.private_key is not None:
        write_file(directory / f"{stem}.key.pem", credential.key_pem, secret=True)


def write_triple(directory: Path, triple: Triple, suffix: str = "") -> None:
    """``<owner>[.<suffix>].<use>.cert.pem`` and ``….key.pem`` for TLS, SIG and ENC."""
    for credential in triple:
        identity = identify(credential.certificate)
        parts = [owner_slug(identity.common_name), suffix, identity.use.value.lower()]
        write_credential(directory, ".".join(part for part in parts if part), credential)


def read_credential(directory: Path, stem: str) -> Credential:
    key = directory / f"{stem}.key.pem"
    return Credential.load((directory / f"{stem}.cert.pem").read_bytes(), key.read_bytes() if key.exists() else None)


def read_triple(directory: Path, owner: str) -> Triple:
    """The triple that ``write_triple`` wrote for this common name."""
    stem = owner_slug(owner)
    return Triple(*(read_credential(directory, f"{stem}.{use.value.lower()}") for use in (Use.TLS, Use.SIG, Use.ENC)))


def write_authority(directory: Path, authority: Authority, crl: x509.CertificateRevocationList) -> None:
    """Certificate, key and revocation list of a CA."""
    stem = owner_slug(authority.identity.common_name)
    write_credential(directory, stem, authority.credential)
    write_file(directory / f"{stem}.crl.pem", crl.public_bytes(serialization.Encoding.PEM))


def read_authority(
    directory: Path, owner: str, *, parent: Authority | None, crl_uri: str, crl_days: int, seal: bool
) -> Authority:
    """Read a CA back; what it had revoked comes from its revocation list."""
    stem = owner_slug(owner)
    crl = load_revocation_list((directory / f"{stem}.crl.pem").read_bytes())
    authority = Authority(read_credential(directory, stem), parent, crl_uri, crl_days, seal)
    authority.revocations.update(read_entries(crl))
    authority.crl_number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return authority


def write_chain(path: Path, certificates: list[x509.Certificate]) -> None:
    """Several certificates in one PEM file, in the given order."""
    write_file(path, b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates))


def write_crls(path: Path, crls: Mapping[str, x509.CertificateRevocationList]) -> None:
    """Several revocation lists in one PEM file, as TLS servers take them."""
    write_file(path, b"".join(crl.public_bytes(serialization.Encoding.PEM) for crl in crls.values()))
