"""What every key store owes: the contract of ``ports.KeyStore``, run against each store we have."""

import hashlib
import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from torwart.adapters.key_store import FileKeyStore, Pkcs11KeyStore
from torwart.kernel.refusals import Refusal
from torwart.ports.key_store import KeyStore
from torwart.sim.pki import TestPki, new_key
from torwart.wire.certificate import Role, Use
from torwart.wire.cms import ski_of

pytestmark = pytest.mark.requirement("KLSR-2")

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
_SHA256 = ec.ECDSA(hashes.SHA256())
_BAD_LABELS = ["", "A", ".hidden", "-x", "a/b", "../../etc/passwd", "a b", "ä", "x" * 97, "a\n", "a\0b"]


def _file_store(directory: Path) -> KeyStore:
    key = directory / "store.key"
    if not key.exists():
        key.touch(0o600)
        key.write_bytes(bytes(range(32)))
    return FileKeyStore.open(directory / "keys", key_file=key)


def _token_store(directory: Path) -> KeyStore:
    """A token of its own for each test, in one SoftHSM for all of them: a library reads its configuration once."""
    label, pin = hashlib.sha256(str(directory).encode()).hexdigest()[:24], directory / "pin"
    if not pin.exists():
        pin.touch(0o600)
        pin.write_text("123456\n")
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "123456", "--so-pin", "123456"]
        subprocess.run(command, check=True, capture_output=True)
        pkcs11.lib(str(SOFTHSM)).reinitialize()
    return Pkcs11KeyStore.open(SOFTHSM, token=label, pin_file=pin)


OPENERS: dict[str, Callable[[Path], KeyStore]] = {"file": _file_store}
"""How the store of a directory is opened, the same each time. Tokens join where python-pkcs11 and SoftHSM are there."""

if importlib.util.find_spec("pkcs11") and SOFTHSM.exists():
    import pkcs11

    OPENERS["pkcs11"] = _token_store
    _tokens = tempfile.mkdtemp(prefix="softhsm-")
    Path(_tokens, "softhsm2.conf").write_text(f"directories.tokendir = {_tokens}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = f"{_tokens}/softhsm2.conf"


@pytest.fixture(params=OPENERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], KeyStore]]:
    """Opens the same store anew at each call, as another process would."""
    return lambda: OPENERS[request.param](tmp_path)  # type: ignore[return-value]


@pytest.fixture
def store(opened: Callable[[], KeyStore]) -> KeyStore:
    return opened()


def _certificate(pki: TestPki, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
    keys = dict.fromkeys((Use.TLS, Use.SIG, Use.ENC), key)
    return pki.issue_triple(Role.GWA, "Kontrakt", public_keys=keys).sig.certificate


def test_a_key_signs_and_its_signature_verifies(store: KeyStore) -> None:
    """ECDSA with SHA-256 over the message, DER encoded, by the key whose public half was given out."""
    public = store.generate("client-7.gwa.sig.1")

    public.verify(store.sign("client-7.gwa.sig.1", b"message"), b"message", _SHA256)
    with pytest.raises(InvalidSignature):
        public.verify(store.sign("client-7.gwa.sig.1", b"another"), b"message", _SHA256)
    assert store.public_key("client-7.gwa.sig.1") == public
    assert public.curve.name == "brainpoolP256r1"


@pytest.mark.parametrize("curve", ["brainpoolP384r1", "brainpoolP512r1", "secp256r1", "secp384r1"])
def test_other_curves_of_the_standard_can_be_chosen(store: KeyStore, curve: str) -> None:
    """TR-03116-3 §2.2 table 4 lists more curves than the default."""
    public = store.generate("other", curve=curve)

    public.verify(store.sign("other", b"m"), b"m", _SHA256)
    assert public.curve.name == curve


def test_curves_outside_the_standard_are_refused(store: KeyStore) -> None:
    """No key is made on a curve the standard does not know."""
    with pytest.raises(Refusal) as caught:
        store.generate("x", curve="secp256k1")

    assert caught.value.code == "keys.curve"
    assert store.labels() == []


def test_both_ends_agree_on_the_same_secret(store: KeyStore) -> None:
    """ECDH gives the x-coordinate the other end computes with our public key."""
    other = new_key()
    public = store.generate("enc")
    point = other.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    assert store.agree("enc", point) == other.exchange(ec.ECDH(), public)


@pytest.mark.parametrize("damage", ["compressed", "off the curve", "short", "empty", "infinity"])
def test_points_that_are_none_are_refused(store: KeyStore, damage: str) -> None:
    """An invalid point never meets the private key."""
    store.generate("enc")
    point = new_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    bad = {
        "compressed": b"\x02" + point[1:33],
        "off the curve": point[:-1] + bytes([point[-1] ^ 1]),
        "short": point[:-1],
        "empty": b"",
        "infinity": b"\0",
    }[damage]

    with pytest.raises(ValueError):
        store.agree("enc", bad)


def test_a_label_is_given_once(store: KeyStore) -> None:
    """A second key under the same label is refused and the first one stays."""
    first = store.generate("once")

    for again in (lambda: store.generate("once"), lambda: store.put_secret("once", b"s")):
        with pytest.raises(Refusal) as caught:
            again()
        assert caught.value.code == "keys.exists"
    assert store.public_key("once") == first


def test_unknown_labels_are_refused_by_every_use(store: KeyStore) -> None:
    """Nothing is invented for a label nobody made."""
    uses: list[Callable[[], object]] = [
        lambda: store.public_key("nobody"),
        lambda: store.sign("nobody", b"m"),
        lambda: store.agree("nobody", b"\x04" + bytes(64)),
        lambda: store.certificate("nobody"),
        lambda: store.secret("nobody"),
    ]
    for use in uses:
        with pytest.raises(Refusal) as caught:
            use()
        assert caught.value.code == "keys.unknown"


@pytest.mark.parametrize("label", _BAD_LABELS)
def test_labels_keep_to_their_form(store: KeyStore, label: str) -> None:
    """A label never becomes a path, and is refused in every use."""
    for use in (store.generate, store.public_key, store.secret, store.destroy):
        with pytest.raises(Refusal) as caught:
            use(label)
        assert caught.value.code == "keys.label"


def test_a_certificate_stays_with_its_key(pki: TestPki, store: KeyStore, opened: Callable[[], KeyStore]) -> None:
    """Stored beside the key, found again by another process, replaced by a renewed one."""
    public = store.generate("sig")
    certificates = [_certificate(pki, public) for _ in range(2)]
    for certificate in certificates:
        store.store_certificate("sig", certificate)

        assert store.certificate("sig") == certificate
        assert opened().certificate("sig") == certificate
    public.verify(store.sign("sig", b"m"), b"m", _SHA256)
    assert ski_of(certificates[0]) == ski_of(certificates[1])


@pytest.mark.requirement("SIM-wrong-key")
def test_a_certificate_for_another_key_is_refused(pki: TestPki, store: KeyStore) -> None:
    """What a Sub-CA certifies by mistake does not get beside our key."""
    store.generate("sig")

    with pytest.raises(Refusal) as caught:
        store.store_certificate("sig", _certificate(pki, new_key().public_key()))

    assert caught.value.code == "keys.mismatch"
    with pytest.raises(Refusal) as caught:
        store.certificate("sig")
    assert caught.value.code == "keys.unknown"


def test_many_secrets_at_once_replace_what_was_there(store: KeyStore, opened: Callable[[], KeyStore]) -> None:
    """All of a delivery's secrets are kept in one go, also over those that an import which died has left behind."""
    store.put_secret("meter-1.mk0", b"left behind")
    secrets = {f"meter-{number}.mk0": bytes([number]) * 16 for number in range(20)}
    store.put_secrets(secrets)
    store.put_secrets({})

    again = opened()
    assert {label: again.secret(label) for label in again.labels("meter-")} == secrets


@pytest.mark.parametrize("secret", [b"", b"\0" * 16, bytes(range(256)) * 8])
def test_secrets_come_back_as_they_went_in(store: KeyStore, opened: Callable[[], KeyStore], secret: bytes) -> None:
    """A meter's key is kept octet by octet, and is no key pair."""
    store.put_secret("meter.mk0", secret)

    assert opened().secret("meter.mk0") == secret
    with pytest.raises(Refusal) as caught:
        store.sign("meter.mk0", b"m")
    assert caught.value.code == "keys.unknown"


def test_destroyed_is_gone_everywhere_and_twice_is_no_error(store: KeyStore, opened: Callable[[], KeyStore]) -> None:
    """A store that has used the key already forgets it when another process destroys it."""
    other = opened()
    store.generate("old")
    other.sign("old", b"m")

    store.destroy("old")
    store.destroy("old")

    for each in (store, other):
        with pytest.raises(Refusal) as caught:
            each.sign("old", b"m")
        assert caught.value.code == "keys.unknown"
    assert store.generate("old") == other.public_key("old")


def test_labels_are_listed_by_prefix_and_sorted(store: KeyStore) -> None:
    """Keys and secrets of one client, nothing of another's."""
    for label in ("client-7.gwa.tls.1", "client-7.gwa.sig.1", "client-70.gwa.sig.1"):
        store.generate(label)
    store.put_secret("client-7.meter.mk0", b"s")

    assert store.labels("client-7.") == ["client-7.gwa.sig.1", "client-7.gwa.tls.1", "client-7.meter.mk0"]
    assert len(store.labels()) == 4
    assert store.labels("client-8") == []
