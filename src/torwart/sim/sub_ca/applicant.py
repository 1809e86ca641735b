"""What applicants send to a Sub-CA: request packages as gateways, makers and participants make them.

For tests and benchmarks that need many packages without running gateways.
"""

from collections.abc import Mapping

from torwart.sim.pki import TestPki, Triple, new_key
from torwart.sim.pki.pki import ORGANISATION, TRIPLE
from torwart.wire.certificate import Contact, Role, Subject, Use, identify, subject_for
from torwart.wire.cms import LocalSigner
from torwart.wire.crmf import KeyHolder, LocalKey, add_authorisation, add_outer_signature, build_package

Keys = Mapping[Use, KeyHolder]


def fresh_keys() -> dict[Use, KeyHolder]:
    """Three new key pairs in memory."""
    return {use: LocalKey(new_key()) for use in TRIPLE}


def signer_of(triple: Triple) -> LocalSigner:
    """The SIG key of a triple as CMS signer."""
    return LocalSigner(triple.sig.key, triple.sig.certificate)


def gateway_subject(pki: TestPki, device: str, sequence: int = 1) -> Subject:
    """The name of a gateway's operational certificates under the PKI's GWA."""
    return subject_for(Role.SMGW, device, organisation=ORGANISATION, unit=f"{pki.name}.GWA", sequence=sequence)


def bare_package(pki: TestPki, device: str, *, sequence: int = 1, keys: Keys | None = None) -> bytes:
    """A gateway's three requests with nothing but their inner signatures."""
    return build_package(gateway_subject(pki, device, sequence), keys or fresh_keys())


def outer_package(
    pki: TestPki, device: str, *, sequence: int = 1, keys: Keys | None = None, old: Triple | None = None
) -> bytes:
    """The same, signed by the gateway's present SIG key: that of ``old``, or of fresh seal certificates."""
    old = old or pki.seal_triple(device)
    package = bare_package(pki, device, sequence=sequence, keys=keys)
    return add_outer_signature(package, signer=signer_of(old), chain=[old.sig.certificate])


def gateway_package(
    pki: TestPki,
    device: str,
    *,
    sequence: int = 1,
    keys: Keys | None = None,
    old: Triple | None = None,
    by: Triple | None = None,
) -> bytes:
    """The whole package for operational certificates: authorised ``by`` the PKI's GWA or another."""
    by = by or pki.gwa
    package = outer_package(pki, device, sequence=sequence, keys=keys, old=old)
    return add_authorisation(package, signer=signer_of(by), chain=[by.sig.certificate])


def seal_package(pki: TestPki, device: str) -> bytes:
    """A maker's request for a gateway's seal certificates: no outer signature yet, authorised by the maker."""
    package = bare_package(pki, device)
    return add_authorisation(package, signer=signer_of(pki.gwh), chain=[pki.gwh.sig.certificate])


def participant_package(triple: Triple, contact: Contact, *, sequence: int = 2, keys: Keys | None = None) -> bytes:
    """A participant's renewal: same name, next sequence, signed by the present SIG key."""
    identity = identify(triple.sig.certificate)
    subject = Subject(identity.common_name, identity.organisation, sequence, identity.unit)
    package = build_package(subject, keys or fresh_keys(), contact=contact)
    return add_outer_signature(package, signer=signer_of(triple), chain=[triple.sig.certificate])
