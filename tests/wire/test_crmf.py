"""Certificate request packages: their layout judged by OpenSSL, each signature checked on its own."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki, Triple, new_key
from torwart.wire.certificate import Role, Subject, Use, subject_for
from torwart.wire.cms import LocalSigner
from torwart.wire.cms.der import SEQUENCE, Reader, explicit, oid, tlv
from torwart.wire.crmf import (
    Action,
    CertificateReference,
    LocalKey,
    add_authorisation,
    add_outer_signature,
    build_package,
    parse_device_admin,
    parse_package,
    parse_revocation,
    sign_device_admin,
    sign_revocation,
    signature_of,
)
from torwart.wire.crmf.orders import REASONS

pytestmark = pytest.mark.requirement("WAN-3.5")

OpenSsl = Callable[..., bytes]
USES = (Use.TLS, Use.SIG, Use.ENC)
DEVICE = "EPPC0212345678"
GATEWAY = subject_for(Role.SMGW, DEVICE, organisation="SM-Test-PKI-DE", unit="Torwart Test.GWA")


def _signer(triple: Triple) -> LocalSigner:
    return LocalSigner(triple.sig.key, triple.sig.certificate)


def _believing(*triples: Triple) -> dict[bytes, ec.EllipticCurvePublicKey]:
    return {_signer(triple).ski: triple.sig.key.public_key() for triple in triples}


@pytest.fixture(scope="module")
def keys() -> Mapping[Use, LocalKey]:
    return {use: LocalKey(new_key()) for use in USES}


@pytest.fixture(scope="module")
def seal(pki: TestPki) -> Triple:
    return pki.seal_triple(DEVICE)


@pytest.fixture(scope="module")
def initial(keys: Mapping[Use, LocalKey]) -> bytes:
    return build_package(GATEWAY, keys)


@pytest.fixture(scope="module")
def authorised(pki: TestPki, seal: Triple, initial: bytes) -> bytes:
    """A gateway's package with all three kinds of signature."""
    renewal = add_outer_signature(initial, signer=_signer(seal), chain=pki.chain_of(seal.sig.certificate))
    return add_authorisation(renewal, signer=_signer(pki.gwa), chain=[pki.gwa.sig.certificate])


# -- layout, judged by OpenSSL -----------------------------------------------------------------------------------------


def _parse(openssl: OpenSsl, der: bytes) -> list[str]:
    return openssl("asn1parse", "-inform", "DER", stdin=der).decode().splitlines()


def test_initial_package_has_the_observed_layout(openssl: OpenSsl, initial: bytes) -> None:
    """ContentInfo …1.1.1, [0], three messages; template only [5] subject, [6] publicKey, [9] extensions; POP [1]."""
    lines = _parse(openssl, initial)
    shape = [re.sub(r"^ *\d+:d=(\d+) .*?: ?", r"\1 ", line).strip() for line in lines]
    tags = [(int(line[0]), line[2:]) for line in shape]

    assert tags[1] == (1, "OBJECT            :0.4.0.127.0.7.4.1.1.1")
    assert [text for depth, text in tags if depth == 6 and text.startswith("cont")] == [
        "cont [ 5 ]",
        "cont [ 6 ]",
        "cont [ 9 ]",
    ] * 3
    assert [text for depth, text in tags if depth == 4] == ["SEQUENCE", "cont [ 1 ]"] * 3
    assert sum("ecdsa-with-SHA256" in text for _, text in tags) == 3
    assert sum("brainpoolP256r1" in text for _, text in tags) == 3


def test_requests_come_in_the_observed_order(openssl: OpenSsl, initial: bytes) -> None:
    """ENC, SIG, TLS; KeyUsage critical, ExtendedKeyUsage only for TLS, no SAN for a gateway."""
    text = "\n".join(_parse(openssl, initial))

    assert re.findall(r"HEX DUMP\]:(03020\w+)", text) == ["03020328", "03020780", "03020780"]
    assert text.count("X509v3 Extended Key Usage") == 1
    assert text.index("X509v3 Extended Key Usage") > text.rindex("03020780")
    assert "X509v3 Subject Alternative Name" not in text


def test_request_id_is_the_ski_as_positive_integer(
    openssl: OpenSsl, initial: bytes, keys: Mapping[Use, LocalKey]
) -> None:
    """certReqId as in the field: the SKI value, positive also where its first bit is set."""
    found = re.findall(r"INTEGER +:([0-9A-F]+)", "\n".join(_parse(openssl, initial)))
    wanted = []
    for use in (Use.ENC, Use.SIG, Use.TLS):
        point = keys[use].public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        digest = hashes.Hash(hashes.SHA1())
        digest.update(point)
        wanted.append(int.from_bytes(digest.finalize(), "big"))

    assert [int(each, 16) for each in found] == wanted


def test_openssl_verifies_every_inner_signature(
    openssl: OpenSsl, initial: bytes, keys: Mapping[Use, LocalKey], tmp_path: Path
) -> None:
    """The proof of possession is ECDSA-SHA256 over DER(CertRequest), with the ENC key, too."""
    for use, request in parse_package(initial).requests.items():
        key, signature, signed = tmp_path / "key", tmp_path / "signature", tmp_path / "signed"
        key.write_bytes(keys[use].public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        signature.write_bytes(request.signature)
        signed.write_bytes(request.signed)

        said = openssl("dgst", "-sha256", "-verify", key, "-signature", signature, signed)

        assert said.strip() == b"Verified OK"


def _as_plain_cms(package: bytes) -> bytes:
    """The same SignedData under the general content type, which OpenSSL knows."""
    fields = Reader(package).enter(SEQUENCE)
    fields.raw(0x06)
    signed = fields.enter(explicit(0)).raw(SEQUENCE)
    return tlv(SEQUENCE, oid("1.2.840.113549.1.7.2") + tlv(explicit(0), signed))


def _authorities(pki: TestPki, tmp_path: Path) -> Path:
    """All authorities: openssl cms takes missing Sub-CAs from there, too, and still goes up to the root."""
    path = tmp_path / "authorities.pem"
    path.write_bytes(b"".join(authority.credential.certificate_pem for authority in pki.authorities))
    return path


def test_openssl_verifies_the_outer_signature_with_its_chain(
    pki: TestPki, openssl: OpenSsl, initial: bytes, seal: Triple, tmp_path: Path
) -> None:
    """SignedData v3 with SKI, chain attached; what it signs is the CertReqMessages of the initial package."""
    package = add_outer_signature(initial, signer=_signer(seal), chain=pki.chain_of(seal.sig.certificate))
    requests = Reader(initial).enter(SEQUENCE)
    requests.raw(0x06)

    content = openssl(
        *("cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-CAfile", _authorities(pki, tmp_path)),
        stdin=_as_plain_cms(package),
    )

    assert content == requests.enter(explicit(0)).raw(SEQUENCE)
    assert "0.4.0.127.0.7.4.1.1.2" in _parse(openssl, package)[1]


def test_openssl_verifies_the_authorisation_signature(
    pki: TestPki, openssl: OpenSsl, authorised: bytes, tmp_path: Path
) -> None:
    """The GWA signs the whole renewal package: its content type and its SignedData."""
    content = openssl(
        *("cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any"),
        *("-CAfile", _authorities(pki, tmp_path)),
        stdin=_as_plain_cms(authorised),
    )
    printed = openssl("cms", "-cmsout", "-print", "-inform", "DER", stdin=_as_plain_cms(authorised)).decode()

    assert content[:1] == b"\x30"
    assert "eContentType: undefined (0.4.0.127.0.7.4.1.1.2)" in printed
    assert "0.4.0.127.0.7.4.1.1.3" in _parse(openssl, authorised)[1]


# -- both ways ---------------------------------------------------------------------------------------------------------


def test_package_of_a_market_participant_comes_back(pki: TestPki, keys: Mapping[Use, LocalKey]) -> None:
    """Name, addresses and keys arrive as they were asked for."""
    subject = Subject("Straße.EMT", "SM-Test-PKI-DE", 7, "9900000000004")
    contact = pki.contact(Role.EMT, "Strasse")

    package = parse_package(build_package(subject, keys, contact=contact))

    package.check_inner()
    assert (package.subject, package.contact) == (subject, contact)
    assert package.public_keys == {use: key.public_key for use, key in keys.items()}
    assert (package.outer, package.authorisation) == (None, None)


def test_all_three_signatures_hold_and_name_their_signers(pki: TestPki, seal: Triple, authorised: bytes) -> None:
    """Inner by the new keys, outer by the old SIG key, authorisation by the GWA."""
    package = parse_package(authorised)

    package.check_inner()
    package.check_outer(_believing(seal))
    package.check_authorisation(_believing(pki.gwa))
    assert package.outer is not None
    assert package.outer.ski == _signer(seal).ski
    assert set(package.outer.certificates) == set(pki.chain_of(seal.sig.certificate))


def test_authorisation_may_stand_without_outer_signature(pki: TestPki, initial: bytes) -> None:
    """For a gateway's first certificates, which only its maker can vouch for."""
    package = parse_package(add_authorisation(initial, signer=_signer(pki.gwh)))

    package.check_authorisation(_believing(pki.gwh))
    with pytest.raises(Refusal) as caught:
        package.check_outer(_believing(pki.gwh))
    assert caught.value.code == "crmf.outer_signature"


def test_wrapping_in_the_wrong_order_is_refused(pki: TestPki, authorised: bytes) -> None:
    """An outer signature goes around requests only, an authorisation not around another."""
    for wrap in (add_outer_signature, add_authorisation):
        with pytest.raises(Refusal) as caught:
            wrap(authorised, signer=_signer(pki.gwa))
        assert caught.value.code == "crmf.malformed"


def _indefinite(der: bytes) -> bytes:
    """The BER twin with indefinite length of every constructed element, as streaming writers emit it."""
    twin, reader = b"", Reader(der)
    while reader.tag != -1:
        tag = reader.tag
        content = reader.value(tag)
        constructed = tag & 0x20
        twin += bytes([tag, 0x80]) + _indefinite(content) + b"\0\0" if constructed else tlv(tag, content)
    return twin


@pytest.mark.parametrize("outer", [False, True])
def test_ber_of_streaming_writers_is_read(pki: TestPki, seal: Triple, initial: bytes, outer: bool) -> None:
    """ "BER indefinite length occurs in the sample -> parser must accept BER"; signatures still hold."""
    package = add_outer_signature(initial, signer=_signer(seal)) if outer else initial
    fields = Reader(package).enter(SEQUENCE)
    kind, inner = fields.raw(0x06), fields.enter(explicit(0)).raw(SEQUENCE)
    head = bytes([SEQUENCE, 0x80]) + kind + bytes([explicit(0), 0x80])
    streamed = head + (inner if outer else _indefinite(inner)) + b"\0\0\0\0"

    read = parse_package(streamed)

    read.check_inner()
    if outer:
        read.check_outer(_believing(seal))
    assert read.subject == GATEWAY


# -- each signature fails alone ----------------------------------------------------------------------------------------


class _Liar:
    """Asks for one key and signs with another."""

    def __init__(self) -> None:
        self.public_key = new_key().public_key()
        self._other = LocalKey(new_key())

    def sign(self, message: bytes) -> bytes:
        return self._other.sign(message)


@pytest.mark.parametrize("use", USES)
def test_missing_possession_is_an_inner_signature_failure(keys: Mapping[Use, LocalKey], use: Use) -> None:
    """Whoever cannot sign with the key gets no certificate for it."""
    package = parse_package(build_package(GATEWAY, {**keys, use: _Liar()}))

    with pytest.raises(Refusal) as caught:
        package.check_inner()

    assert (caught.value.code, caught.value.details["use"]) == ("crmf.inner_signature", use)


def test_outer_and_authorisation_signature_fail_separately(pki: TestPki, seal: Triple, authorised: bytes) -> None:
    """A stranger's key behind one signature leaves the other one standing."""
    package = parse_package(authorised)
    stranger = {_signer(seal).ski: new_key().public_key(), _signer(pki.gwa).ski: new_key().public_key()}

    package.check_inner()
    with pytest.raises(Refusal) as caught:
        package.check_outer(stranger)
    assert caught.value.code == "crmf.outer_signature"
    with pytest.raises(Refusal) as caught:
        package.check_authorisation(stranger)
    assert caught.value.code == "crmf.authorisation_signature"
    with pytest.raises(Refusal) as caught:
        package.check_authorisation({})
    assert caught.value.code == "crmf.authorisation_signature"


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.BrainpoolP384R1()])
def test_other_curves_are_a_domain_parameter_failure(keys: Mapping[Use, LocalKey], curve: ec.EllipticCurve) -> None:
    """TR-03129-4 §2.2.2: "a wrong named curve has been chosen"."""
    package = parse_package(build_package(GATEWAY, {**keys, Use.SIG: LocalKey(ec.generate_private_key(curve))}))

    with pytest.raises(Refusal) as caught:
        package.check_domain_parameters()

    assert caught.value.code == "crmf.domain_parameters"


def test_other_signature_algorithms_are_a_domain_parameter_failure(initial: bytes) -> None:
    """TR-03129-4 §2.2.2: "a wrong signature algorithm"; here ecdsa-with-SHA384."""
    package = parse_package(initial.replace(oid("1.2.840.10045.4.3.2"), oid("1.2.840.10045.4.3.3")))

    with pytest.raises(Refusal) as caught:
        package.check_inner()

    assert caught.value.code == "crmf.domain_parameters"


def test_three_requests_with_one_name_and_three_keys(keys: Mapping[Use, LocalKey], initial: bytes) -> None:
    """A package is a triple: no use twice, no name apart, no key shared."""
    same = LocalKey(new_key())
    other = build_package(Subject("Andere.EMT", "X"), keys)
    first, *_ = _messages(other)
    shared = build_package(GATEWAY, {**keys, Use.TLS: same, Use.SIG: same})
    for package in (
        shared,
        _of([*_messages(initial)[:2]]),
        _of([*_messages(initial)[:2], _messages(initial)[0]]),
        _of([first, *_messages(initial)[1:]]),
        _of([]),
    ):
        with pytest.raises(Refusal) as caught:
            parse_package(package)
        assert caught.value.code == "crmf.triple"


def _messages(package: bytes) -> list[bytes]:
    fields = Reader(package).enter(SEQUENCE)
    fields.raw(0x06)
    return fields.enter(explicit(0)).enter(SEQUENCE).each(SEQUENCE)


def _of(messages: list[bytes]) -> bytes:
    listed = tlv(SEQUENCE, b"".join(messages))
    return tlv(SEQUENCE, oid("0.4.0.127.0.7.4.1.1.1") + tlv(explicit(0), listed))


def test_requests_in_any_order_are_accepted(initial: bytes) -> None:
    """The order is observed, not demanded."""
    parse_package(_of(list(reversed(_messages(initial))))).check_inner()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_packages_raise_nothing_but_refusals(pki: TestPki, authorised: bytes, data: st.DataObject) -> None:
    """Cut or flipped, a package is refused, or proves exactly what the whole one proves; no reader breaks."""
    damaged = bytearray(authorised)
    damaged[data.draw(st.integers(0, len(authorised) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for package in (bytes(damaged), authorised[: data.draw(st.integers(0, len(authorised) - 1))]):
        try:
            read = parse_package(package)
            read.check_inner()
            read.check_authorisation(_believing(pki.gwa))
        except Refusal:
            continue
        # Only the attached certificates lie outside the authorisation signature; what is proven has not changed.
        whole = parse_package(authorised)
        assert (read.requests, read.outer) == (whole.requests, whole.outer)


# -- orders ------------------------------------------------------------------------------------------------------------

_GOOD_REASONS = sorted(REASONS.keys() - {"certificateHold", "removeFromCRL"})


@pytest.mark.parametrize("reason", _GOOD_REASONS)
def test_revocation_orders_come_back(pki: TestPki, seal: Triple, reason: str) -> None:
    """Action, reason and certificates of a revocation, by issuer and serial number."""
    message = sign_revocation(Action.REVOKE, seal.certificates, reason=reason, signer=_signer(pki.gwa))

    order = parse_revocation(message, signers=_believing(pki.gwa))

    assert (order.action, order.reason, order.signer) == (Action.REVOKE, reason, _signer(pki.gwa).ski)
    assert order.certificates == tuple(CertificateReference.of(each) for each in seal.certificates)


@pytest.mark.parametrize(
    ("action", "reason"), [(Action.SUSPEND, "certificateHold"), (Action.UNSUSPEND, "removeFromCRL")]
)
def test_suspending_is_a_hold_and_its_end_a_removal(pki: TestPki, seal: Triple, action: Action, reason: str) -> None:
    """spec/04 §3.3: "Suspension = CRL reason certificateHold"; RFC 5280 §5.3.1 removeFromCRL ends it."""
    message = sign_revocation(action, seal.certificates, signer=_signer(pki.gwa), reason="superseded")

    assert parse_revocation(message, signers=_believing(pki.gwa)).reason == reason


@pytest.mark.parametrize("reason", ["", "certificateHold", "removeFromCRL", "boredom"])
def test_revoking_needs_a_reason_of_its_own(pki: TestPki, seal: Triple, reason: str) -> None:
    """TR-03129-4 §2.3.5: "Each revocation request MUST include a revocation reason"."""
    with pytest.raises(Refusal) as caught:
        sign_revocation(Action.REVOKE, seal.certificates, reason=reason, signer=_signer(pki.gwa))

    assert caught.value.code == "crmf.malformed"


_names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=70)


@given(_names, st.lists(_names, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_device_admin_orders_come_back(pki: TestPki, admin: str, gateways: list[str]) -> None:
    """The new GWA and the gateways, in order."""
    message = sign_device_admin(admin, gateways, signer=_signer(pki.gwa))

    order = parse_device_admin(message, signers=_believing(pki.gwa))

    assert (order.new_admin, order.gateways) == (admin, tuple(gateways))


def test_orders_of_strangers_and_mixed_up_orders_are_refused(pki: TestPki, seal: Triple) -> None:
    """Only believed signers give orders, and an order of one kind is not taken for the other."""
    revocation = sign_revocation(Action.SUSPEND, seal.certificates, signer=_signer(pki.emt))

    with pytest.raises(Refusal) as caught:
        parse_revocation(revocation, signers=_believing(pki.gwa))
    assert caught.value.code == "crmf.order_signature"
    with pytest.raises(Refusal) as caught:
        parse_device_admin(revocation, signers=_believing(pki.emt))
    assert caught.value.code == "crmf.malformed"
    with pytest.raises(Refusal) as caught:
        sign_device_admin("Neu.GWA", [], signer=_signer(pki.gwa))
    assert caught.value.code == "crmf.malformed"


def test_openssl_verifies_an_order(pki: TestPki, openssl: OpenSsl, seal: Triple, tmp_path: Path) -> None:
    """Orders are plain CMS SignedData with the signer's certificate."""
    order = sign_revocation(
        Action.SUSPEND, seal.certificates, signer=_signer(pki.gwa), certificate=pki.gwa.sig.certificate
    )
    content = openssl(
        *("cms", "-verify", "-inform", "DER", "-binary", "-purpose", "any"),
        *("-CAfile", _authorities(pki, tmp_path)),
        stdin=order,
    )

    assert "ENUMERATED        :01" in openssl("asn1parse", "-inform", "DER", stdin=content).decode()
    assert signature_of(order).certificates == (pki.gwa.sig.certificate,)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_orders_raise_nothing_but_refusals(pki: TestPki, data: st.DataObject) -> None:
    """Cut or flipped, an order is refused."""
    whole = _ORDERS.setdefault(id(pki), sign_revocation(Action.SUSPEND, pki.gwh.certificates, signer=_signer(pki.gwa)))
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for message in (bytes(damaged), whole[: data.draw(st.integers(0, len(whole) - 1))]):
        with pytest.raises(Refusal):
            parse_revocation(message, signers=_believing(pki.gwa))


_ORDERS: dict[int, bytes] = {}
