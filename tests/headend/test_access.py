"""Who is let in and who is not: certificate, seal, revocation, blocklist, policy – with openssl as a foreign peer."""

import asyncio
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.headend.config import Scenario
from torwart.kernel.refusals import Refusal
from torwart.ports.gateway_link import Policy
from torwart.sim.pki import Credential, Fault, TestPki
from torwart.sim.pki.pki import _sub_ca
from torwart.wire.certificate import Role
from torwart.wire.tls import Credentials

DEVICE = "EPPC0212345678"
OTHER = "EPPC0287654321"


async def s_client(world: Any, pki: TestPki, shown: Credential, directory: Path) -> str:
    """Debian's openssl, typing nothing and waiting for the end; what it prints."""
    (directory / "own.pem").write_bytes(shown.certificate_pem)
    (directory / "key.pem").write_bytes(shown.key_pem)
    (directory / "sub.pem").write_bytes(pki.authority(shown.certificate).credential.certificate_pem)
    command = ["openssl", "s_client", "-ign_eof", "-tls1_2", "-curves", "brainpoolP256r1", "-verify", "3"]
    command += ["-connect", f"127.0.0.1:{world.headend.ports[Scenario.MANAGEMENT]}"]
    for option, name in (("-cert", "own"), ("-key", "key"), ("-cert_chain", "sub")):
        command += [option, str(directory / f"{name}.pem")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=20, input="")
    return str(done.stdout + done.stderr)


def alert_in(output: str) -> int:
    found = re.search(r"SSL alert number (\d+)", output)
    return int(found[1]) if found else 0


async def code_of(call: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await call
    refusal = caught.value
    return refusal.details["alert"] if refusal.code == "tls.alert" else refusal.code  # type: ignore[return-value]


@pytest.mark.requirement("P03", "WAN-2")
def test_a_seal_certificate_gets_a_session_while_its_device_is_commissioned(
    play: Any, pki: TestPki, tmp_path: Path
) -> None:
    """First contact: openssl with a gateway's seal certificate is in, and the workers learn that it was a seal."""
    policy = Policy(version=1, commissioning=[DEVICE])

    async def story(world: Any) -> None:
        peer = asyncio.create_task(s_client(world, pki, pki.seal_triple(DEVICE).tls, tmp_path))
        await world.until(lambda: world.count("connected") == 1)
        assert world.told("connected")[0].details["seal"] is True
        await world.change_policy(blocklist=[DEVICE])
        output = await peer
        assert "Cipher is ECDHE-ECDSA-AES128-GCM-SHA256" in output
        assert alert_in(output) == 0

    play(story, policy=policy)


@pytest.mark.requirement("P03", "WAN-2")
@pytest.mark.parametrize(
    ("shown", "alert", "why"),
    [
        ("seal", 42, "headend.seal_not_expected"),
        ("sig", 43, "pki.use"),
        ("enc", 43, "pki.use"),
        ("expired", 45, "tls.expired"),
        ("not_yet", 42, "tls.not_yet_valid"),
        ("foreign", 48, "tls.unknown_ca"),
        ("revoked", 44, "tls.revoked"),
        ("suspended", 44, "tls.revoked"),
        ("emt", 42, "headend.wrong_role"),
        ("gwa", 42, "headend.wrong_role"),
        ("blocked", 42, "headend.blocked"),
    ],
)
def test_who_stays_outside_and_hears_why(
    play: Any, fresh_pki: Callable[[], TestPki], tmp_path: Path, shown: str, alert: int, why: str
) -> None:
    """Each reason to refuse, shown to a foreign TLS stack: the right alert there, the right reason here."""
    pki = fresh_pki()
    credential = {
        "seal": lambda: pki.seal_triple(OTHER).tls,
        "sig": lambda: pki.operational_triple(OTHER).sig,
        "enc": lambda: pki.operational_triple(OTHER).enc,
        "expired": lambda: pki.faulty_triple(Fault.EXPIRED, Role.SMGW, OTHER).tls,
        "not_yet": lambda: pki.faulty_triple(Fault.NOT_YET_VALID, Role.SMGW, OTHER).tls,
        "foreign": lambda: pki.faulty_triple(Fault.FOREIGN_CA, Role.SMGW, OTHER).tls,
        "revoked": lambda: pki.faulty_triple(Fault.REVOKED, Role.SMGW, OTHER).tls,
        "suspended": lambda: pki.faulty_triple(Fault.SUSPENDED, Role.SMGW, OTHER).tls,
        "emt": lambda: pki.emt.tls,
        "gwa": lambda: pki.gwa.tls,
        "blocked": lambda: pki.operational_triple(DEVICE).tls,
    }[shown]()
    revoked = {known.issuer: [f"{serial:x}" for serial in known.entries] for known in pki.revocations().values()}
    policy = Policy(version=1, revoked=revoked, blocklist=[DEVICE], commissioning=[DEVICE])
    issuer = pki.foreign if shown == "foreign" else pki

    async def story(world: Any) -> None:
        output = await s_client(world, issuer, credential, tmp_path)
        assert alert_in(output) == alert, output
        await world.until(lambda: world.headend.metrics_text().count(f"refused_{why.replace('.', '_')} 1") == 1)
        if why.partition(".")[0] == "headend" or why == "tls.revoked":
            await world.until(lambda: world.count("refused") == 1)
            assert world.told("refused")[0].details["why"] == why
        assert world.count("connected") == 0

    play(story, pki=pki, policy=policy)


def test_a_revoked_sub_ca_takes_its_certificates_with_it(play: Any, fresh_pki: Callable[[], TestPki]) -> None:
    """The root's list counts as well: nothing of a revoked Sub-CA is let in."""
    pki = fresh_pki()
    root = pki.root.certificate.subject.rfc4514_string()
    policy = Policy(version=1, revoked={root: [f"{pki.seal_ca.certificate.serial_number:x}"]}, commissioning=None)

    async def story(world: Any) -> None:
        assert await code_of(world.connect(pki.seal_triple(DEVICE).tls)) == "certificate revoked"
        await world.connect(pki.operational_triple(DEVICE).tls)

    play(story, pki=pki, policy=policy)


@pytest.mark.requirement("WAN-2")
def test_a_certificate_on_another_curve_stays_outside(play: Any, pki: TestPki) -> None:
    """TLS certificates are on brainpoolP256r1 and nothing else (TR-03116-3 §4.1.1, Tabelle 6)."""
    key = ec.generate_private_key(ec.SECP256R1())
    good = pki.operational_triple(DEVICE).tls.certificate
    builder = x509.CertificateBuilder(good.issuer, good.subject, key.public_key(), 4711)
    builder = builder.not_valid_before(good.not_valid_before_utc).not_valid_after(good.not_valid_after_utc)
    for extension in good.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    forged = builder.sign(pki.sub_ca.credential.key, hashes.SHA256())

    async def story(world: Any) -> None:
        assert await code_of(world.connect(Credential(forged, key), served=False)) == "bad certificate"
        assert "refused_pki_curve 1" in world.headend.metrics_text()

    play(story)


def test_certificates_of_a_sub_ca_nobody_named_stay_outside(play: Any, fresh_pki: Callable[[], TestPki]) -> None:
    """Another Sub-CA of the same root might be a maker's: its seal certificates must not pass for operational ones."""
    pki = fresh_pki()
    unknown = _sub_ca("Other Guetesiegel", pki.root, pki.now, pki.terms, seal=True)
    triple = pki.issue_triple(Role.SMGW, DEVICE, ca=unknown)

    async def story(world: Any) -> None:
        chain = (triple.tls.certificate_der, unknown.credential.certificate_der)
        peer = await world.caller(pki.operational_triple(DEVICE).tls, Credentials(chain, triple.tls.key))
        assert await code_of(peer.shake()) == "unknown ca"

    play(story, pki=pki)


@pytest.mark.requirement("P19")
@pytest.mark.parametrize("change", ["blocked", "revoked", "root_revoked"])
def test_a_new_policy_drops_who_is_no_longer_wanted(play: Any, pki: TestPki, change: str) -> None:
    """Blocking or revoking ends the open connections of that device at once, and of no other."""
    credential = pki.operational_triple(DEVICE).tls
    issuer = credential.certificate.issuer.rfc4514_string()
    root = pki.root.certificate.subject.rfc4514_string()
    changes = {
        "blocked": {"blocklist": [DEVICE]},
        "revoked": {"revoked": {issuer: [f"{credential.certificate.serial_number:X}"]}},
        "root_revoked": {"revoked": {root: [f"{pki.sub_ca.certificate.serial_number:x}"]}},
    }[change]

    async def story(world: Any) -> None:
        gateway = await world.connect(credential)
        admin = await world.connect(credential, Scenario.ADMIN_SERVICE)
        other = await world.connect(pki.seal_triple(OTHER).tls)
        await world.change_policy(**changes)
        assert await gateway.ended() == ""
        assert await admin.ended() == ""
        await world.until(lambda: world.count("disconnected") == 2)
        code = "headend.blocked" if change == "blocked" else "tls.revoked"
        assert {fact.details["why"] for fact in world.told("disconnected")} == {code}
        with pytest.raises(Refusal):
            await world.connect(credential)
        assert [s.peer.device for s in world.headend.station.sessions if s.is_open] == [OTHER]
        await other.close()

    play(story)


@pytest.mark.requirement("P03")
def test_a_seal_session_ends_after_its_command_when_commissioning_is_over(play: Any, pki: TestPki) -> None:
    """What is under way is finished first: the last step of a commissioning must not be cut off by its own success."""
    from torwart.ports.gateway_link import Command
    from torwart.wire.cosem import Response

    async def story(world: Any) -> None:
        gateway = await world.connect(pki.seal_triple(DEVICE).tls)
        command = asyncio.create_task(world.command(DEVICE, Command("POST", "/last", timeout=5)))
        await gateway.request()
        await world.change_policy(commissioning=[])
        await gateway.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert (await command).status == Response(200).status
        assert await gateway.ended() == ""

    play(story, policy=Policy(version=1, commissioning=[DEVICE]))


@pytest.mark.requirement("WAN-2")
def test_without_a_policy_nobody_is_let_in(play: Any, pki: TestPki) -> None:
    """Fail closed: while no worker has told the revocations, every caller is turned away before TLS; then it works."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        with pytest.raises((Refusal, ConnectionError)):
            await world.connect(credential, served=False)
        assert "turned_away_no_policy 1" in world.headend.metrics_text()
        await world.serve()
        await asyncio.wait_for(world.headend.ready.wait(), 5)
        await world.connect(credential)

    play(story, policy=None)


def test_an_older_or_broken_policy_changes_nothing(play: Any, pki: TestPki) -> None:
    """Policies may overtake each other on the bus, and a worker of another version may send nonsense."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        from torwart.ports.gateway_link import SUBJECT_POLICY_CHANGED

        class Broken:
            def encode(self) -> bytes:
                return b"nonsense"

        for policy in (Policy(version=3, blocklist=[DEVICE]), Broken()):
            world.policy = policy
            await world.bus.publish(SUBJECT_POLICY_CHANGED, b"")
            await asyncio.sleep(0.1)
        assert world.headend.station.gatekeeper.version == 7
        await world.connect(credential)

    play(story, policy=Policy(version=7, commissioning=None))


def test_a_device_that_keeps_calling_is_slowed_down(play: Any, pki: TestPki) -> None:
    """Handshakes cost us milliseconds of CPU; a certificate that burns them is refused before they are complete."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        for _ in range(3):
            await (await world.connect(credential)).close()
        assert await code_of(world.connect(credential)) == "bad certificate"
        await world.until(lambda: world.count("refused") == 1)
        assert world.told("refused")[0].details["why"] == "headend.too_often"
        await world.connect(pki.operational_triple(OTHER).tls)

    play(story, limits={"certificate_burst": 3, "certificate_rate": 0.01})


def test_an_emt_may_call_as_often_as_the_interface_lets_it(play: Any, pki: TestPki) -> None:
    """Systems that open a connection for each call are no gateways gone wild; they have a limit of their own."""

    async def story(world: Any) -> None:
        for _ in range(8):
            await (await world.connect(pki.emt.tls, Scenario.EMT_SERVICE)).close()
        assert await code_of(world.connect(pki.emt.tls, Scenario.EMT_SERVICE)) == "bad certificate"

    play(story, limits={"certificate_burst": 3, "certificate_rate": 0.01, "emt_burst": 8, "emt_rate": 0.01})


def test_who_only_shows_a_certificate_cannot_use_up_its_owners_calls(play: Any, pki: TestPki) -> None:
    """A certificate is no secret. Shown without its key it must not count against the gateway it belongs to."""
    credential = pki.operational_triple(DEVICE).tls

    async def story(world: Any) -> None:
        for _ in range(5):
            thief = await world.caller(credential)
            thief.engine.handshake()
            await thief.flush()
            thief.engine.receive_data(await thief.reader.read(65536))
            thief.engine.handshake()
            flight = thief.engine.data_to_send()
            # The certificate, and then nothing that would take its private key (CertificateVerify).
            thief.writer.write(flight[: 5 + int.from_bytes(flight[3:5], "big")])
            await thief.writer.drain()
            await asyncio.sleep(0.02)
            thief.writer.close()
        await world.connect(credential)

    play(story, limits={"certificate_burst": 3, "certificate_rate": 0.01})
