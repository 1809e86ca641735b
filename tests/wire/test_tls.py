"""TLS by TR-03116-3 chapter 4: what is negotiated, what is refused and with which alert – judged by foreign peers."""

import contextlib
import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import HEADEND_BLOCKED
from torwart.kernel.refusals.tls import TLS_BAD_CERTIFICATE, TLS_REVOKED, TLS_UNKNOWN_CA, TLS_WRONG_USE
from torwart.sim.pki import Credential, Fault, TestPki
from torwart.wire import tls
from torwart.wire.certificate import Role
from torwart.wire.tls import Chain, Credentials, Negotiated, Offer, TlsContext, TlsEngine, Verdict

DEVICE = "EPPC0212345678"


def willing(chain: Chain) -> Refusal | None:
    return None


def unwilling(refusal: Refusal) -> Verdict:
    return lambda chain: refusal


def credentials(pki: TestPki, credential: Credential) -> Credentials:
    chain = pki.chain_of(credential.certificate)[:2]
    return Credentials(tuple(c.public_bytes(Encoding.DER) for c in chain), credential.key)


def ders(certificates: list[x509.Certificate]) -> list[bytes]:
    return [c.public_bytes(Encoding.DER) for c in certificates]


def server(pki: TestPki, verdict: Verdict = willing, offer: Offer | None = None) -> TlsContext:
    return tls.server_context(credentials(pki, pki.gwa.tls), ders(pki.trust_chain), verdict, offer=offer)


def client(pki: TestPki, verdict: Verdict = willing, offer: Offer | None = None) -> TlsContext:
    mine = credentials(pki, pki.operational_triple(DEVICE).tls)
    return tls.client_context(mine, ders(pki.trust_chain), verdict, offer=offer)


def shake(one: TlsEngine, other: TlsEngine) -> None:
    """Carry bytes between two engines until both are complete, or one refuses (the other then gets its alert)."""
    for _ in range(8):
        for engine, peer in ((one, other), (other, one)):
            try:
                engine.handshake()
            finally:
                peer.receive_data(engine.data_to_send())
        if one.complete and other.complete:
            return
    raise AssertionError("no handshake")


def refused(call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value


# --- what is negotiated ----------------------------------------------------------------------------------------


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize("suite", tls.SUITES_1_2)
def test_every_suite_of_tls_1_2_is_spoken_and_cbc_only_with_encrypt_then_mac(pki: TestPki, suite: str) -> None:
    """Tables 7 and 8 suite by suite; the CBC suites negotiate encrypt-then-MAC (§4.2.2.2, MUST from 2025)."""
    offer = Offer(maximum="1.2", suites=(suite,))
    one, other = TlsEngine(client(pki, offer=offer)), TlsEngine(server(pki))
    shake(one, other)
    mac = None if "GCM" in suite else True
    assert one.negotiated == other.negotiated == Negotiated("1.2", suite, "brainpoolP256r1", mac, True)


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize(
    ("first", "version", "group"),
    [
        ("brainpoolP256r1", "1.2", "brainpoolP256r1"),
        ("P-256", "1.2", "secp256r1"),
        ("brainpoolP384r1", "1.2", "brainpoolP384r1"),
        ("brainpoolP512r1", "1.2", "brainpoolP512r1"),
        ("P-384", "1.2", "secp384r1"),
        ("brainpoolP256r1tls13", "1.3", "brainpoolP256r1tls13"),
        ("brainpoolP384r1tls13", "1.3", "brainpoolP384r1tls13"),
        ("brainpoolP512r1tls13", "1.3", "brainpoolP512r1tls13"),
        ("P-256", "1.3", "secp256r1"),
        ("P-384", "1.3", "secp384r1"),
    ],
)
def test_every_group_is_spoken(pki: TestPki, first: str, version: str, group: str) -> None:
    """Tables 7, 8, 13 and 14 group by group, both TLS versions, with brainpoolP256r1 certificates."""
    offer = Offer(minimum=version, maximum=version, groups=(first, *(g for g in tls.GROUPS if g != first)))
    one, other = TlsEngine(client(pki, offer=offer)), TlsEngine(server(pki, offer=offer))
    shake(one, other)
    assert (one.negotiated.version, one.negotiated.group) == (version, group)
    assert other.negotiated == one.negotiated


@pytest.mark.requirement("WAN-2")
def test_two_of_ours_speak_tls_1_3_on_brainpool(pki: TestPki) -> None:
    """Version 1.3 is taken where both ends can, with the first suite of Table 11 and the first group of Table 13."""
    one, other = TlsEngine(client(pki)), TlsEngine(server(pki))
    shake(one, other)
    assert one.negotiated == Negotiated("1.3", "TLS_AES_128_GCM_SHA256", "brainpoolP256r1tls13", None, True)


@pytest.mark.parametrize(
    "offer",
    [
        {"minimum": "1.1"},
        {"suites": ("ECDHE-ECDSA-CHACHA20-POLY1305",)},
        {"suites": ("ECDHE-RSA-AES128-GCM-SHA256",)},
        {"groups": ("X25519", "brainpoolP256r1")},
        {"groups": ("secp521r1",)},
    ],
)
@pytest.mark.requirement("WAN-2")
def test_nothing_outside_the_tables_can_be_configured(offer: dict[str, object]) -> None:
    """ "Andere Cipher Suites oder elliptische Kurven … DÜRFEN NICHT … unterstützt werden" (§4.2.1)."""
    assert refused(lambda: Offer(**offer)).code == "tls.not_allowed"  # type: ignore[arg-type]


def test_data_passes_both_ways_and_ends_in_good_order(pki: TestPki) -> None:
    """More than a record in each direction, then close_notify from one end is seen as the end by the other."""
    one, other = TlsEngine(client(pki)), TlsEngine(server(pki))
    shake(one, other)
    other.forget_handshake()
    for sender, receiver in ((one, other), (other, one)):
        sender.write(bytes(range(256)) * 400)
        receiver.receive_data(sender.data_to_send())
        assert receiver.read(1_000_000) == bytes(range(256)) * 400
        assert receiver.read() == b""
    one.close_notify()
    other.receive_data(one.data_to_send())
    assert (other.read(), other.closed) == (b"", True)
    other.receive_eof()
    assert refused(one.receive_eof).code == "tls.truncated"


def test_each_end_knows_the_other(pki: TestPki) -> None:
    """The verified chain is there after the handshake, own certificate first, and forgotten when told to."""
    asked: list[Chain] = []
    one, other = TlsEngine(client(pki)), TlsEngine(server(pki, verdict=lambda chain: asked.append(chain)))
    shake(one, other)
    assert one.peer[0] == pki.gwa.tls.certificate_der
    assert [x509.load_der_x509_certificate(der).subject for der in other.peer[1:]] == [pki.sub_ca.certificate.subject]
    assert asked == [other.peer]
    other.forget_handshake()
    assert other.peer == ()


def test_a_chain_by_an_unlisted_sub_ca_is_verified_up_to_the_root(pki: TestPki) -> None:
    """With the root alone trusted, the Sub-CA the peer sends is proved in the handshake."""
    context = tls.server_context(credentials(pki, pki.gwa.tls), ders([pki.root.certificate]), willing)
    one, other = TlsEngine(client(pki)), TlsEngine(context)
    shake(one, other)
    assert len(other.peer) == 3
    assert other.peer[2] == pki.root.certificate.public_bytes(Encoding.DER)


def test_many_gateways_can_share_a_context(pki: TestPki) -> None:
    """A connection may have credentials of its own: a fleet then costs one context, not thousands."""
    context = client(pki)
    other_device = pki.operational_triple("EPPC0287654321").tls
    one, other = TlsEngine(context, credentials=credentials(pki, other_device)), TlsEngine(server(pki))
    shake(one, other)
    assert other.peer[0] == other_device.certificate_der
    mismatched = Credentials((other_device.certificate_der,), pki.emt.tls.key)
    assert refused(lambda: TlsEngine(context, credentials=mismatched)).code == "tls.credentials"


def test_a_sub_ca_proved_at_the_start_still_expires(pki: TestPki) -> None:
    """Only its signature is taken as proved; its validity counts in every handshake."""
    old = pki.sub_ca.certificate
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    builder = x509.CertificateBuilder(old.issuer, old.subject, old.public_key(), 4711)
    builder = builder.not_valid_before(old.not_valid_before_utc).not_valid_after(end)
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    short = builder.sign(pki.root.credential.key, hashes.SHA384()).public_bytes(Encoding.DER)
    root = pki.root.credential.certificate_der
    ours = tls.server_context(credentials(pki, pki.gwa.tls), [root, short], willing)
    own = pki.operational_triple(DEVICE).tls
    theirs = tls.client_context(Credentials((own.certificate_der, short), own.key), ders(pki.trust_chain), willing)
    shake(TlsEngine(theirs), TlsEngine(ours))
    time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds() + 1.1))
    assert refused(lambda: shake(TlsEngine(theirs), TlsEngine(ours))).code == "tls.expired"


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_refusal_of_the_verdict_ends_the_handshake_on_both_sides(pki: TestPki, version: str) -> None:
    """The server knows its reason, the client gets the alert that fits, in both versions."""
    no = TLS_REVOKED(serial="1f")
    one = TlsEngine(client(pki, offer=Offer(minimum=version, maximum=version)))
    other = TlsEngine(server(pki, verdict=unwilling(no)))
    assert refused(lambda: shake(one, other)) is no
    one.receive_data(other.data_to_send())
    seen = refused(lambda: one.read() if one.complete else one.handshake())
    assert (seen.code, seen.details["alert"]) == ("tls.alert", "certificate revoked")


def test_a_verdict_that_fails_is_a_no(pki: TestPki) -> None:
    """A fault of ours while judging a peer must never let it in."""

    def broken(chain: Chain) -> Refusal | None:
        raise ZeroDivisionError

    def raising(chain: Chain) -> Refusal | None:
        raise TLS_REVOKED(serial="1")

    for verdict, code in ((broken, "tls.bad_certificate"), (raising, "tls.revoked")):
        one, other = TlsEngine(client(pki)), TlsEngine(server(pki, verdict=verdict))
        assert refused(lambda one=one, other=other: shake(one, other)).code == code  # type: ignore[misc]
        assert not other.complete


def test_a_server_we_do_not_want_is_refused_too(pki: TestPki) -> None:
    """A gateway's own verdict about its administrator counts just the same."""
    no = HEADEND_BLOCKED(device="x")
    one, other = TlsEngine(client(pki, verdict=unwilling(no))), TlsEngine(server(pki))
    assert refused(lambda: shake(one, other)) is no


@pytest.mark.parametrize("end", [b"", b"\x15\x03\x03\x00\x02\x01\x00"])
def test_a_connection_that_ends_in_the_handshake_is_told(pki: TestPki, end: bytes) -> None:
    """TCP ending, or a close_notify, amid the handshake is a refusal, never silence."""
    one, other = TlsEngine(client(pki)), TlsEngine(server(pki))
    one.handshake()
    other.receive_data(one.data_to_send())
    assert not other.handshake()
    if end:
        other.receive_data(end)
        assert refused(other.handshake).code in ("tls.protocol", "tls.truncated")
    else:
        assert refused(other.receive_eof).code == "tls.truncated"


def test_credentials_that_do_not_fit_are_refused(pki: TestPki) -> None:
    """Wrong key, RSA and garbage are named before anything listens."""
    wrong = Credentials(credentials(pki, pki.gwa.tls).chain, pki.emt.tls.key)
    assert refused(lambda: tls.server_context(wrong, ders(pki.trust_chain), willing)).code == "tls.credentials"
    garbage = Credentials((b"\x30\x00",), pki.emt.tls.key)
    assert refused(lambda: tls.server_context(garbage, ders(pki.trust_chain), willing)).code == "tls.credentials"
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert refused(lambda: Credentials.from_pem(pki.gwa.tls.certificate_pem, pem)).code == "tls.credentials"
    assert refused(lambda: Credentials.from_pem(b"", pki.gwa.tls.key_pem)).code == "tls.credentials"
    good = Credentials.from_pem(pki.gwa.tls.certificate_pem, pki.gwa.tls.key_pem)
    assert good.chain == (pki.gwa.tls.certificate_der,)


def test_a_trust_list_must_hang_together(pki: TestPki) -> None:
    """No root, or a Sub-CA that another root issued, is refused at the start."""
    mine = credentials(pki, pki.gwa.tls)
    for trust in (
        [],
        ders([pki.sub_ca.certificate]),
        ders([pki.root.certificate, pki.foreign.sub_ca.certificate]),
        [b"garbage"],
    ):
        assert refused(lambda trust=trust: tls.server_context(mine, trust, willing)).code == "tls.trust"  # type: ignore[misc]


@settings(max_examples=80, deadline=None)
@given(
    bent_flight=st.integers(0, 2), where=st.floats(0, 0.999), flip=st.integers(1, 255), cut=st.none() | st.floats(0, 1)
)
def test_bent_bytes_never_raise_anything_but_a_refusal(
    pki: TestPki, bent_flight: int, where: float, flip: int, cut: float | None
) -> None:
    """Whatever a peer sends, in the handshake or after, ends in a refusal or in waiting for more."""
    one, other = TlsEngine(client(pki, offer=Offer(maximum="1.2"))), TlsEngine(server(pki))
    with contextlib.suppress(Refusal):
        for flight in range(3):
            if one.handshake():
                one.write(b"hello")
            sent = bytearray(one.data_to_send())
            if flight == bent_flight:
                sent[int(len(sent) * where)] ^= flip
                sent = sent if cut is None else sent[: int(len(sent) * cut)]
            other.receive_data(bytes(sent))
            if other.handshake():
                other.read()
            one.receive_data(other.data_to_send())
        other.receive_eof()


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=400))
def test_noise_is_refused(pki: TestPki, noise: bytes) -> None:
    """A peer that does not speak TLS at all is refused or waited for, nothing else."""
    engine = TlsEngine(server(pki))
    with contextlib.suppress(Refusal):
        engine.receive_data(noise)
        assert not engine.handshake()


# --- foreign peers ---------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What our server saw of one connection."""

    negotiated: Negotiated | None = None
    refusal: Refusal | None = None


class BlockingServer:
    """Our server side on a real socket, one connection after the other: greets and says close_notify, or listens."""

    def __init__(self, context: TlsContext, *, greet: bool = True) -> None:
        self._context = context
        self._greet = greet
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.seen: list[Seen] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "BlockingServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.seen.append(self._one(connection))

    def _one(self, connection: socket.socket) -> Seen:
        engine, seen = TlsEngine(self._context), Seen()
        connection.settimeout(5)
        try:
            while not engine.handshake():
                connection.sendall(engine.data_to_send())
                data = connection.recv(65536)
                engine.receive_data(data) if data else engine.receive_eof()
            seen.negotiated = engine.negotiated
            while not self._greet and not engine.closed:
                connection.sendall(engine.data_to_send())
                engine.receive_data(connection.recv(65536))
                engine.read()
            engine.write(b"welcome")
            engine.close_notify()
        except Refusal as refusal:
            seen.refusal = refusal
        try:
            connection.sendall(engine.data_to_send())
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65536)  # let the alert arrive before the reset of a closed socket with unread data
        except OSError:
            pass
        return seen


def s_client(
    server: BlockingServer,
    tmp_path: Path,
    pki: TestPki,
    shown: Credential | None,
    *options: str,
    root: Credential | None = None,
    typed: str = "",
) -> str:
    """Debian's openssl as the peer that shows a certificate and types something; everything it prints."""
    command = ["openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{server.port}"]
    if "-tls1_1" not in options:
        command.append("-tls1_2")
    if "-curves" not in options:
        options = (*options, "-curves", "brainpoolP256r1")
    if shown is not None:
        (tmp_path / "own.pem").write_bytes(shown.certificate_pem)
        (tmp_path / "key.pem").write_bytes(shown.key_pem)
        (tmp_path / "sub.pem").write_bytes(pki.authority(shown.certificate).credential.certificate_pem)
        command += ["-cert", str(tmp_path / "own.pem"), "-key", str(tmp_path / "key.pem")]
        command += ["-cert_chain", str(tmp_path / "sub.pem")]
    (tmp_path / "root.pem").write_bytes((root or pki.root.credential).certificate_pem)
    command += ["-CAfile", str(tmp_path / "root.pem"), "-verify_return_error", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, input=typed)
    return done.stdout + done.stderr


def alert_of(output: str) -> int:
    found = re.search(r"SSL alert number (\d+)", output)
    assert found, output
    return int(found[1])


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize("suite", tls.SUITES_1_2)
def test_openssl_3_is_let_in_with_each_suite(pki: TestPki, tmp_path: Path, suite: str) -> None:
    """A foreign stack verifies our chain, presents its certificate and reads our greeting."""
    with BlockingServer(server(pki)) as ours:
        out = s_client(ours, tmp_path, pki, pki.seal_triple(DEVICE).tls, "-cipher", suite)
    assert "Verify return code: 0 (ok)" in out
    assert "welcome" in out
    assert f"Cipher is {suite}" in out
    assert ours.seen[0].negotiated is not None
    assert ours.seen[0].negotiated.encrypt_then_mac is (None if "GCM" in suite else True)


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize(
    ("refusal", "alert"),
    [
        (TLS_REVOKED(serial="1"), 44),
        (TLS_UNKNOWN_CA(why="x"), 48),
        (TLS_WRONG_USE(why="SIG"), 43),
        (TLS_BAD_CERTIFICATE(why="x"), 42),
        (HEADEND_BLOCKED(device="x"), 42),
    ],
)
def test_openssl_3_is_told_the_right_alert(pki: TestPki, tmp_path: Path, refusal: Refusal, alert: int) -> None:
    """Each reason of ours arrives as the alert RFC 5246 §7.2.2 has for it."""
    with BlockingServer(server(pki, verdict=unwilling(refusal))) as ours:
        assert alert_of(s_client(ours, tmp_path, pki, pki.operational_triple(DEVICE).tls)) == alert
    assert ours.seen[0].refusal is refusal


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize(
    ("fault", "alert", "code"),
    [
        (Fault.EXPIRED, 45, "tls.expired"),
        (Fault.NOT_YET_VALID, 42, "tls.not_yet_valid"),
        (Fault.FOREIGN_CA, 48, "tls.unknown_ca"),
    ],
)
def test_openssl_3_with_an_expired_future_or_foreign_certificate(
    pki: TestPki, tmp_path: Path, fault: Fault, alert: int, code: str
) -> None:
    """What OpenSSL itself finds wrong with a chain has its alert and its refusal too."""
    shown = pki.faulty_triple(fault, Role.SMGW, DEVICE).tls
    issuer = pki.foreign if fault is Fault.FOREIGN_CA else pki
    with BlockingServer(server(pki)) as ours:
        assert alert_of(s_client(ours, tmp_path, issuer, shown, root=pki.root.credential)) == alert
    assert ours.seen[0].refusal is not None
    assert ours.seen[0].refusal.code == code


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize(
    ("options", "alert"),
    [
        (("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"), 70),
        (("-cipher", "ECDHE-ECDSA-AES128-SHA"), 40),
        (("-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"), 40),
        (("-cipher", "ECDHE-ECDSA-AES128-CCM"), 40),
        (("-curves", "secp521r1"), 40),
        (("-curves", "X25519"), 40),
    ],
)
def test_openssl_3_gets_nothing_outside_the_tables(
    pki: TestPki, tmp_path: Path, options: tuple[str, ...], alert: int
) -> None:
    """No older version, no other suite, no other curve: handshake_failure or protocol_version."""
    with BlockingServer(server(pki)) as ours:
        assert alert_of(s_client(ours, tmp_path, pki, pki.operational_triple(DEVICE).tls, *options)) == alert
    assert ours.seen[0].refusal is not None
    assert ours.seen[0].refusal.code == "tls.no_agreement"


@pytest.mark.requirement("WAN-2")
def test_a_peer_without_certificate_is_refused(pki: TestPki, tmp_path: Path) -> None:
    """Mutual means mutual (§4.1.1: "MUSS jede Partei ein TLS-Zertifikat … verwenden")."""
    with BlockingServer(server(pki)) as ours:
        assert alert_of(s_client(ours, tmp_path, pki, None)) == 40
    assert ours.seen[0].refusal is not None
    assert ours.seen[0].refusal.code == "tls.no_certificate"


@pytest.mark.requirement("WAN-2")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_session_is_never_resumed_so_every_call_is_judged(pki: TestPki, version: str) -> None:
    """A peer that offers its old session is judged anew: revoked meanwhile, it stays outside."""
    verdicts: list[Refusal | None] = [None, None, TLS_REVOKED(serial="1")]
    ours = server(pki, verdict=lambda chain: verdicts.pop(0))
    theirs = client(pki, offer=Offer(minimum=version, maximum=version))
    theirs.ssl.set_session_cache_mode(SSL.SESS_CACHE_CLIENT)
    first, answering = TlsEngine(theirs), TlsEngine(ours)
    shake(first, answering)
    first.receive_data(answering.data_to_send())
    first.read()
    session = first._connection.get_session()
    assert session is not None
    for code in ("", "tls.revoked"):
        again, answering = TlsEngine(theirs), TlsEngine(ours)
        again._connection.set_session(session)
        if code:
            assert refused(lambda one=again, other=answering: shake(one, other)).code == code  # type: ignore[misc]
        else:
            shake(again, answering)
            assert SSL._lib.SSL_session_reused(again._connection._ssl) == 0  # type: ignore[attr-defined]
    assert verdicts == []


@pytest.mark.requirement("WAN-2")
def test_no_ticket_and_no_compression_are_given(pki: TestPki, tmp_path: Path) -> None:
    """What openssl reports of a session of ours: nothing to resume it with, nothing compressed."""
    with BlockingServer(server(pki)) as ours:
        out = s_client(ours, tmp_path, pki, pki.operational_triple(DEVICE).tls)
    assert "TLS session ticket:" not in out
    assert "Compression: NONE" in out
    assert re.search(r"Session-ID: *\n", out)
    assert "Extended master secret: yes" in out


@pytest.mark.requirement("WAN-2")
def test_renegotiation_is_not_possible(pki: TestPki, tmp_path: Path) -> None:
    """ "Session Renegotiation DARF NICHT möglich sein" (§4.1.2): asked for it, we answer no_renegotiation."""
    with BlockingServer(server(pki), greet=False) as ours:
        out = s_client(ours, tmp_path, pki, pki.operational_triple(DEVICE).tls, "-no_ign_eof", typed="R\n")
    assert "RENEGOTIATING" in out
    assert "ssl3_read_bytes:no renegotiation" in out


@pytest.mark.requirement("WAN-2")
def test_the_standard_library_is_a_peer_too(pki: TestPki, tmp_path: Path) -> None:
    """Python's ssl on the system's OpenSSL 3.0 gets in with one brainpool curve, verifies us and reads."""
    device = pki.operational_triple(DEVICE).tls
    (tmp_path / "own.pem").write_bytes(device.certificate_pem + pki.sub_ca.credential.certificate_pem)
    (tmp_path / "key.pem").write_bytes(device.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ecdh_curve("brainpoolP256r1")
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "key.pem")
    context.load_verify_locations(cadata=pki.root.credential.certificate_pem.decode())
    with (
        BlockingServer(server(pki)) as ours,
        socket.create_connection(("127.0.0.1", ours.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.read(100) == b"welcome"
        assert secure.version() == "TLSv1.2"
        assert secure.compression() is None


def test_our_client_is_let_in_by_openssl_3(pki: TestPki, tmp_path: Path) -> None:
    """The simulated gateways' side against a foreign server that demands and verifies a certificate."""
    (tmp_path / "own.pem").write_bytes(pki.gwa.tls.certificate_pem)
    (tmp_path / "key.pem").write_bytes(pki.gwa.tls.key_pem)
    (tmp_path / "sub.pem").write_bytes(pki.sub_ca.credential.certificate_pem)
    (tmp_path / "root.pem").write_bytes(pki.root.credential.certificate_pem)
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-Verify", "3", "-quiet"]
    command += ["-verify_return_error", "-naccept", "1", "-curves", "brainpoolP256r1:P-256"]
    for option, name in (("-cert", "own"), ("-key", "key"), ("-cert_chain", "sub"), ("-CAfile", "root")):
        command += [option, str(tmp_path / f"{name}.pem")]
    foreign = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        with connect_when_ready(port) as plain:
            engine = TlsEngine(client(pki), server_name="management.example")
            while not engine.handshake():
                plain.sendall(engine.data_to_send())
                engine.receive_data(plain.recv(65536))
            engine.write(b"hello\n")
            engine.close_notify()
            plain.sendall(engine.data_to_send())
            assert engine.negotiated.suite in tls.SUITES_1_2
        foreign.wait(10)
        assert foreign.stdout is not None
        assert b"hello" in foreign.stdout.read()
    finally:
        foreign.kill()
        foreign.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def connect_when_ready(port: int) -> socket.socket:
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            threading.Event().wait(0.02)
    raise AssertionError("no server")


def test_the_certificate_curve_is_never_left_out_of_the_groups() -> None:
    """The preferred lists keep brainpoolP256r1, without which TLS 1.2 rejects the SM-PKI's own certificates."""
    assert "brainpoolP256r1" in tls.GROUPS
    assert ec.BrainpoolP256R1().name in tls.GROUPS_1_2
