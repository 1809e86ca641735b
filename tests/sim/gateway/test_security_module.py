"""The security module: keys are used, never handed out; sessions end; sets follow each other."""

import gc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from torwart.kernel.refusals import Refusal
from torwart.sim.gateway.security_module import KEY_USES, ModuleAgreer, ModuleSigner, SecurityModule, Standing
from torwart.wire.certificate import Use

pytestmark = pytest.mark.requirement("WAN-2", "WAN-3.3")

PIN = b"1234567890"


class Hand:
    """A clock a test moves by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


def module(clock: Hand | None = None, path: Path | None = None) -> SecurityModule:
    made = SecurityModule(clock or Hand(), pin=PIN, path=path)
    if not made.has(Standing.SEAL):
        made.inject({use: ec.generate_private_key(ec.BrainpoolP256R1()) for use in KEY_USES})
    made.open_session(PIN)
    return made


def code(refusal: pytest.ExceptionInfo[Refusal]) -> str:
    return refusal.value.code


def test_nothing_public_gives_a_private_key_away() -> None:
    """No attribute and no result of any public method is a private key."""
    safe = module()
    safe.generate()
    results = [getattr(safe, name) for name in dir(safe) if not name.startswith("_")]
    point = safe.public_key(Standing.SEAL, Use.ENC).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    for standing in (Standing.SEAL, Standing.NEXT):
        results += [safe.public_key(standing, use) for use in KEY_USES]
        results += [safe.sign(standing, Use.SIG, b""), safe.agree(standing, Use.ENC, point)]
    signer, agreer = ModuleSigner(safe, Standing.SEAL, b""), ModuleAgreer(safe, Standing.SEAL, b"")
    results += [getattr(o, n) for o in (signer, agreer) for n in dir(o) if not n.startswith("_")]

    assert not any(isinstance(result, ec.EllipticCurvePrivateKey) for result in results)


def test_signatures_verify_with_the_public_key() -> None:
    """What the module signs, its public key verifies."""
    safe = module()
    signature = ModuleSigner(safe, Standing.SEAL, b"ski").sign(b"message")

    safe.public_key(Standing.SEAL, Use.SIG).verify(signature, b"message", ec.ECDSA(hashes.SHA256()))


def test_agreement_is_ecdh() -> None:
    """Both sides of an agreement come to the same Z; a point off the curve is refused."""
    safe = module()
    peer = ec.generate_private_key(ec.BrainpoolP256R1())
    point = peer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    agreer = ModuleAgreer(safe, Standing.SEAL, b"ski")

    assert agreer.agree(point) == peer.exchange(ec.ECDH(), safe.public_key(Standing.SEAL, Use.ENC))
    with pytest.raises(ValueError):
        agreer.agree(point[:-1] + bytes([point[-1] ^ 1]))


def test_sets_follow_each_other_and_replaced_keys_are_destroyed() -> None:
    """NEXT becomes CURRENT; the old CURRENT and, once retired, SEAL are gone for good."""
    safe = module()
    safe.generate()
    first = safe.public_key(Standing.NEXT, Use.SIG)
    safe.activate()
    assert safe.public_key(Standing.CURRENT, Use.SIG) == first
    safe.generate()
    safe.activate()
    assert safe.public_key(Standing.CURRENT, Use.SIG) != first
    with pytest.raises(Refusal) as refusal:
        safe.activate()
    assert code(refusal) == "sim.module_slot_empty"

    safe.destroy(Standing.SEAL)
    safe.destroy(Standing.SEAL)
    with pytest.raises(Refusal) as refusal:
        safe.sign(Standing.SEAL, Use.SIG, b"")
    assert code(refusal) == "sim.module_slot_empty"
    gc.collect()


def test_use_needs_a_session_of_at_most_48_hours() -> None:
    """Without PIN, after 48 h and after a power cut the module does nothing; keys stay."""
    clock = Hand()
    safe = module(clock)
    clock.at += timedelta(hours=48)
    safe.sign(Standing.SEAL, Use.SIG, b"")
    clock.at += timedelta(seconds=1)
    for cause in ("age", "power"):
        if cause == "power":
            safe.open_session(PIN)
            safe.power_off()
        with pytest.raises(Refusal) as refusal:
            safe.sign(Standing.SEAL, Use.SIG, b"")
        assert code(refusal) == "sim.module_locked"
    with pytest.raises(Refusal):
        safe.open_session(b"0000000000")
    assert not safe.unlocked
    safe.open_session(PIN)
    safe.sign(Standing.SEAL, Use.SIG, b"")


@pytest.mark.requirement("SIM-key-generation-fails")
def test_a_failing_module_makes_no_keys() -> None:
    """Key generation fails by name and leaves what was there."""
    safe = module()
    safe.failing = True
    with pytest.raises(Refusal) as refusal:
        safe.generate()

    assert code(refusal) == "sim.module_failed"
    assert safe.has(Standing.SEAL)
    assert not safe.has(Standing.NEXT)


def test_the_modules_own_memory_survives_the_process(tmp_path: Path) -> None:
    """A module with a memory file is the same module after a restart, readable by its owner only."""
    path = tmp_path / "module.json"
    safe = module(path=path)
    safe.generate()
    again = module(path=path)

    assert again.public_key(Standing.NEXT, Use.TLS) == safe.public_key(Standing.NEXT, Use.TLS)
    assert path.stat().st_mode & 0o077 == 0
