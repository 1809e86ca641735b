"""One directory of encrypted entries: sealed bytes by label, written atomically, shared by several processes.

``store.json`` says how the store is opened: with a key file (32 random bytes, mode 0600) or with a passphrase
through scrypt, and holds a sealed known text that tells a wrong key at once. Each entry is one file,
nonce ‖ AES-256-GCM(content), its label authenticated beside it, so that swapped files are noticed. Secrets that came
together lie in one file that has a name (hard link) for each of them, each sealed for itself.
"""

import ctypes
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from torwart.kernel.refusals.keys import KEYS_DAMAGED, KEYS_EXISTS, KEYS_LABEL, KEYS_LOCKED, KEYS_UNKNOWN

_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
_SETTINGS = "store.json"
_SUFFIX = ".entry"
_BUNDLE = b"torwart\1"
"""How a file of several entries begins; one of a single entry begins with random octets."""
_BUNDLE_SIZE = 64
_MARK = 16
_NONCE = 12
_KEY = 32
_KNOWN_TEXT = b"torwart key store"
# Cost of guessing a passphrase: 64 MiB and about 0.2 s a try (RFC 7914 §2: N a power of two, r = 8, p = 1).
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}

Stamp = tuple[int, int, int]
"""Which file an entry was read from: inode, time of change in ns, size."""


class Vault:
    """Sealed entries by label. ``open_with_key_file`` and ``open_with_passphrase`` make the store if there is none."""

    def __init__(self, directory: Path, key: bytes) -> None:
        self._directory = directory
        self._cipher = AESGCM(key)
        for shard in range(256):
            (directory / f"{shard:02x}").mkdir(mode=0o700, exist_ok=True)

    @classmethod
    def open_with_key_file(cls, directory: Path, key_file: Path) -> "Vault":
        """``keys.locked`` if the file cannot be read, is no 32 bytes, is readable by others, or is the wrong one."""
        key = private_bytes(directory, key_file)
        if len(key) != _KEY:
            raise KEYS_LOCKED(store=directory, why=f"{key_file}: {len(key)} ≠ {_KEY} bytes")
        return cls._unlock(directory, lambda _: key, {"key": "file"})

    @classmethod
    def open_with_passphrase(cls, directory: Path, passphrase_file: Path) -> "Vault":
        """``keys.locked`` if the file cannot be read, is empty, is readable by others, or holds another passphrase."""
        passphrase = private_bytes(directory, passphrase_file).rstrip(b"\r\n")
        if not passphrase:
            raise KEYS_LOCKED(store=directory, why=f"{passphrase_file}: –")

        def derive(settings: dict[str, Any]) -> bytes:
            kdf = Scrypt(bytes.fromhex(settings["salt"]), _KEY, settings["n"], settings["r"], settings["p"])
            return kdf.derive(passphrase)

        return cls._unlock(directory, derive, {"key": "scrypt", "salt": os.urandom(16).hex(), **_SCRYPT})

    @classmethod
    def _unlock(cls, directory: Path, derive: Callable[[dict[str, Any]], bytes], fresh: dict[str, Any]) -> "Vault":
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(directory):
                path = directory / _SETTINGS
                if not path.exists():
                    _write(path, json.dumps({**fresh, "check": _sealed_check(derive(fresh))}).encode())
                settings = json.loads(path.read_bytes())
            if settings["key"] != fresh["key"]:
                raise KEYS_LOCKED(store=directory, why=f"{settings['key']} ≠ {fresh['key']}")
            key = derive(settings)
            check = bytes.fromhex(settings["check"])
            AESGCM(key).decrypt(check[:_NONCE], check[_NONCE:], _KNOWN_TEXT)
            return cls(directory, key)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KEYS_LOCKED(store=directory, why=error) from error
        except InvalidTag as error:
            raise KEYS_LOCKED(store=directory, why="wrong key or passphrase") from error

    # -- entries --------------------------------------------------------------------------------------------------

    def create(self, label: str, content: bytes) -> None:
        """Write a new entry; ``keys.exists`` if the label is in use, also by another process at this instant."""
        path = self._path(label)
        temporary = _write_temporary(path, self._seal(label, content))
        try:
            os.link(temporary, path)
        except FileExistsError as error:
            raise KEYS_EXISTS(label=label) from error
        finally:
            temporary.unlink()
        _sync_directory(path.parent)

    def put_all(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Write many entries, each in place of what its label held; all are on the disk when it returns.

        Some share a file, under a name each: making a file costs ten times what a further name costs.
        """
        waiting = iter(entries)
        while bundle := dict(islice(waiting, _BUNDLE_SIZE)):
            self._put_bundle({label: self._seal(label, content) for label, content in bundle.items()})
        _sync_file_system(self._directory)

    def _put_bundle(self, sealed: Mapping[str, bytes]) -> None:
        locations = {label: self._location(label) for label in sealed}
        temporary = _write_temporary(self._directory / "bundle", _bundle(sealed))
        try:
            for label, location in locations.items():
                try:
                    os.link(temporary, location)
                except FileExistsError:
                    self.destroy(label)
                    os.link(temporary, location)
        finally:
            temporary.unlink()

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Hold off other processes that want to replace an entry they have read."""
        with _locked(self._directory):
            yield

    def replace(self, label: str, content: bytes) -> None:
        """Write an entry anew, atomically; call inside ``replacing``."""
        _write(self._path(label), self._seal(label, content))

    def read(self, label: str, *, what: str = "") -> tuple[bytes, Stamp]:
        """Content and stamp of an entry; ``keys.unknown``, or ``keys.damaged`` if it is not what we wrote."""
        path = self._path(label)
        try:
            with path.open("rb") as file:
                stamp = _stamp(os.fstat(file.fileno()))
                sealed = file.read()
        except FileNotFoundError as error:
            raise KEYS_UNKNOWN(what=what, label=label) from error
        try:
            sealed = sealed if not sealed.startswith(_BUNDLE) else sealed[slice(*_found(sealed, label))]
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], label.encode()), stamp
        except (InvalidTag, ValueError) as error:
            raise KEYS_DAMAGED(label=label) from error

    def stamp(self, label: str) -> Stamp | None:
        """Which file the entry lies in now; ``None`` if there is none."""
        try:
            return _stamp(os.stat(self._location(label)))
        except FileNotFoundError:
            return None

    def destroy(self, label: str) -> None:
        """Overwrite and remove an entry; none is no error.

        Key Lifecycle Security Requirements §2.7, level 1: "Private keys MUST be destroyed by zeroization/overwriting
        with suitable software." Copy-on-write file systems and backups keep older blocks: what remains there is
        sealed, and destroyed with the key of the store.
        """
        path = self._path(label)
        with suppress(FileNotFoundError):
            with path.open("r+b", buffering=0) as file:
                begin, end = 0, os.fstat(file.fileno()).st_size
                if file.read(len(_BUNDLE)) == _BUNDLE:
                    file.seek(0)
                    begin, end = _found(file.read(), label)
                file.seek(begin)
                file.write(bytes(end - begin))
                os.fsync(file.fileno())
            path.unlink()
            _sync_directory(path.parent)

    def labels(self, prefix: str) -> list[str]:
        """All labels with this prefix, sorted."""
        found = (
            entry.name.removesuffix(_SUFFIX)
            for shard in os.scandir(self._directory)
            if shard.is_dir()
            for entry in os.scandir(shard.path)
            if entry.name.endswith(_SUFFIX) and entry.name.startswith(prefix)
        )
        return sorted(found)

    def _path(self, label: str) -> Path:
        return Path(self._location(label))

    def _location(self, label: str) -> str:
        shard = hashlib.sha256(check_label(label).encode()).hexdigest()[:2]
        return f"{self._directory}/{shard}/{label}{_SUFFIX}"

    def _seal(self, label: str, content: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, label.encode())


def check_label(label: str) -> str:
    """The label itself, if it keeps to the form ``ports.KeyStore`` demands; else ``keys.label``."""
    if not _LABEL.fullmatch(label):
        raise KEYS_LABEL(label=label[:200])
    return label


def _sealed_check(key: bytes) -> str:
    nonce = os.urandom(_NONCE)
    return (nonce + AESGCM(key).encrypt(nonce, _KNOWN_TEXT, _KNOWN_TEXT)).hex()


def private_bytes(store: Path, path: Path) -> bytes:
    """Content of a file that only its owner may read; anything else locks the store."""
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise KEYS_LOCKED(store=store, why=error) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KEYS_LOCKED(store=store, why=f"{path}: chmod 0600")
    return content


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{os.getpid()}-{os.urandom(8).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _bundle(sealed: Mapping[str, bytes]) -> bytes:
    """Several sealed contents as one file: magic, then for each the hash of its label, its size, and itself."""
    records = (_mark(label) + len(each).to_bytes(4, "big") + each for label, each in sealed.items())
    return _BUNDLE + b"".join(records)


def _found(bundle: bytes, label: str) -> tuple[int, int]:
    """Where the label's sealed content lies in a bundle; empty if it is not there."""
    mark, at = _mark(label), len(_BUNDLE)
    while at < len(bundle):
        begin = at + _MARK + 4
        size = int.from_bytes(bundle[at + _MARK : begin], "big")
        if bundle.startswith(mark, at):
            return begin, min(begin + size, len(bundle))
        at = begin + size
    return at, at


def _mark(label: str) -> bytes:
    return hashlib.sha256(label.encode()).digest()[:_MARK]


def _write(path: Path, content: bytes) -> None:
    """Atomically: a crash leaves the old content or the new, never half of one."""
    os.replace(_write_temporary(path, content), path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file_system(directory: Path) -> None:
    """Bring all that was written to the directory's file system to the disk (syncfs, where there is one)."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        os.sync()
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size
