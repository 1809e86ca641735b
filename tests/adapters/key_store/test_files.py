"""The encrypted directory: what lies on disk, who can open it, what happens when it is damaged or shared."""

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torwart.adapters.key_store import FileKeyStore
from torwart.kernel.refusals import Refusal

pytestmark = pytest.mark.requirement("KLSR-2.4")


def _private(path: Path, content: bytes) -> Path:
    path.touch(0o600)
    path.write_bytes(content)
    return path


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return _private(tmp_path / "store.key", os.urandom(32))


@pytest.fixture
def store(tmp_path: Path, key_file: Path) -> FileKeyStore:
    return FileKeyStore.open(tmp_path / "keys", key_file=key_file)


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.entry"))


def test_nothing_on_disk_tells_a_key_or_secret(store: FileKeyStore, tmp_path: Path) -> None:
    """Neither the secret nor the private key lies in any file, in no common encoding."""
    store.generate("sig")
    store.put_secret("mk0", b"very-secret-meter")
    key = store._key("sig")
    number = key.private_numbers().private_value.to_bytes(32, "big")
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    disk = b"".join(path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file())

    for telling in (number, der, b"very-secret", b"dmVyeS1zZWNyZXQ", number.hex().encode()):
        assert telling not in disk


def test_files_are_for_their_owner_only(store: FileKeyStore, tmp_path: Path) -> None:
    """Directory 0700, entries 0600, no temporary file left."""
    store.generate("sig")

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in _entries(tmp_path / "keys")} == {0o600}
    assert list((tmp_path / "keys").rglob("*.tmp")) == []


def _with_passphrase(tmp_path: Path, words: bytes) -> FileKeyStore:
    return FileKeyStore.open(tmp_path / "keys", passphrase_file=_private(tmp_path / "words", words))


def test_a_passphrase_opens_what_it_closed(tmp_path: Path) -> None:
    """The same words (with or without a line end) open the store, others do not, nor does a key file."""
    public = _with_passphrase(tmp_path, b"korrekt pferd batterie\n").generate("sig")

    assert _with_passphrase(tmp_path, b"korrekt pferd batterie").public_key("sig") == public
    with pytest.raises(Refusal) as caught:
        _with_passphrase(tmp_path, b"falsch")
    assert caught.value.code == "keys.locked"
    with pytest.raises(Refusal) as caught:
        FileKeyStore.open(tmp_path / "keys", key_file=_private(tmp_path / "key", bytes(32)))
    assert caught.value.code == "keys.locked"


def test_the_passphrase_is_stretched(tmp_path: Path) -> None:
    """scrypt with at least 64 MiB and a salt of its own for each store."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _with_passphrase(tmp_path / name, b"same")
    settings = [json.loads((tmp_path / name / "keys/store.json").read_text()) for name in ("a", "b")]

    assert settings[0]["salt"] != settings[1]["salt"]
    assert all(each["n"] * each["r"] * 128 >= 64 * 2**20 for each in settings)


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_key_files_must_be_32_octets(tmp_path: Path, content: bytes) -> None:
    """A truncated key file does not quietly make a weak store."""
    with pytest.raises(Refusal) as caught:
        FileKeyStore.open(tmp_path / "keys", key_file=_private(tmp_path / "bad", content))

    assert caught.value.code == "keys.locked"


def test_key_files_others_can_read_are_refused(tmp_path: Path, key_file: Path) -> None:
    """A key file with mode 0640 locks the store, with the remedy in the text."""
    key_file.chmod(0o640)

    with pytest.raises(Refusal) as caught:
        FileKeyStore.open(tmp_path / "keys", key_file=key_file)

    assert caught.value.code == "keys.locked"
    assert "0600" in caught.value.text("de")


def test_missing_files_lock_the_store(tmp_path: Path) -> None:
    """No key file, no passphrase file, or an empty one: refused, not created."""
    for options in ({"key_file": tmp_path / "no"}, {"passphrase_file": _private(tmp_path / "empty", b"\n")}):
        with pytest.raises(Refusal) as caught:
            FileKeyStore.open(tmp_path / "keys", **options)  # type: ignore[arg-type]
        assert caught.value.code == "keys.locked"


def test_another_key_does_not_open_the_store(tmp_path: Path, store: FileKeyStore) -> None:
    """A wrong key is told when opening, not by damaged entries later."""
    store.generate("sig")

    with pytest.raises(Refusal) as caught:
        FileKeyStore.open(tmp_path / "keys", key_file=_private(tmp_path / "other", os.urandom(32)))

    assert caught.value.code == "keys.locked"


@pytest.mark.parametrize(
    "settings", [b"", b"{", b"[]", b"{}", b'{"key":"file","check":"zz"}', b'{"key":"file","check":""}']
)
def test_broken_settings_lock_the_store(tmp_path: Path, store: FileKeyStore, key_file: Path, settings: bytes) -> None:
    """Whatever happened to store.json, opening refuses by name."""
    store.generate("sig")
    (tmp_path / "keys/store.json").write_bytes(settings)

    with pytest.raises(Refusal) as caught:
        FileKeyStore.open(tmp_path / "keys", key_file=key_file)

    assert caught.value.code == "keys.locked"


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: b"",
        lambda sealed: sealed[:5],
        lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],
        lambda sealed: bytes(len(sealed)),
    ],
)
def test_damaged_entries_are_refused(tmp_path: Path, store: FileKeyStore, damage: Callable[[bytes], bytes]) -> None:
    """Cut, zeroed or flipped: ``keys.damaged``, also where the key had been opened before."""
    store.generate("sig")
    store.sign("sig", b"m")
    (path,) = _entries(tmp_path / "keys")
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(Refusal) as caught:
        store.sign("sig", b"m")

    assert caught.value.code == "keys.damaged"


def test_swapped_entries_are_noticed(tmp_path: Path, store: FileKeyStore) -> None:
    """One client's key file put in place of another's does not open under the wrong label."""
    store.generate("client-1.sig")
    store.generate("client-2.sig")
    one, two = _entries(tmp_path / "keys")
    one.write_bytes(two.read_bytes())

    with pytest.raises(Refusal) as caught:
        store.public_key(one.name.removesuffix(".entry"))

    assert caught.value.code == "keys.damaged"


def test_destroying_overwrites_before_removing(tmp_path: Path, store: FileKeyStore) -> None:
    """KLSR §2.7: "destroyed by zeroization/overwriting"; a second link to the file sees zeros."""
    store.generate("old")
    (path,) = _entries(tmp_path / "keys")
    witness = tmp_path / "witness"
    os.link(path, witness)
    size = witness.stat().st_size

    store.destroy("old")

    assert witness.read_bytes() == bytes(size)


def test_of_many_who_take_a_label_one_gets_it(tmp_path: Path, key_file: Path) -> None:
    """Eight processes' worth of stores generate the same label at once: one key, seven refusals."""
    stores = [FileKeyStore.open(tmp_path / "keys", key_file=key_file) for _ in range(8)]
    barrier = threading.Barrier(len(stores))

    def take(store: FileKeyStore) -> str:
        barrier.wait()
        try:
            return str(store.generate("contested").public_numbers().x)
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(stores)) as pool:
        outcomes = list(pool.map(take, stores))

    winners = [each for each in outcomes if each != "keys.exists"]
    assert winners == [str(stores[0].public_key("contested").public_numbers().x)]


def test_opened_keys_do_not_pile_up(store: FileKeyStore) -> None:
    """The memory of opened keys is bounded and refills itself."""
    small = FileKeyStore(store._vault, keep=2)
    labels = [f"k{number}" for number in range(5)]
    for label in labels:
        small.generate(label)
    for label in labels * 2:
        small.sign(label, b"m")

    assert len(small._opened) <= 2


def test_exactly_one_way_to_open(tmp_path: Path, key_file: Path) -> None:
    """Both files or none is a mistake of the installation, told at once."""
    for options in ({}, {"key_file": key_file, "passphrase_file": key_file}):
        with pytest.raises(TypeError):
            FileKeyStore.open(tmp_path / "keys", **options)


def test_destroying_one_of_many_leaves_the_others(tmp_path: Path, store: FileKeyStore) -> None:
    """Secrets that came together share a file: what is destroyed is overwritten in it, the rest stays as it was."""
    secrets = {f"meter-{number}.mk0": os.urandom(16) for number in range(100)}
    store.put_secrets(secrets)
    witness = tmp_path / "witness"
    os.link(next(path for path in _entries(tmp_path) if path.name == "meter-7.mk0.entry"), witness)
    before = witness.read_bytes()
    store.destroy("meter-7.mk0")
    del secrets["meter-7.mk0"]

    after = witness.read_bytes()
    changed = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert len(changed) > len(secrets["meter-8.mk0"])
    assert not any(after[changed[0] : changed[-1] + 1])
    assert {label: store.secret(label) for label in store.labels()} == secrets


def test_names_of_a_shared_file_cannot_be_swapped(tmp_path: Path, store: FileKeyStore) -> None:
    """A further name on a file of several secrets opens nothing that was not sealed under it."""
    store.put_secrets({"one": b"1" * 16, "two": b"2" * 16})
    store.put_secret("three", b"3" * 16)
    paths = {path.name: path for path in _entries(tmp_path)}
    paths["three.entry"].unlink()
    os.link(paths["one.entry"], paths["three.entry"])
    with pytest.raises(Refusal) as caught:
        store.secret("three")

    assert caught.value.code == "keys.damaged"
