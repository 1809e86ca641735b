"""The mail room wired: receivers that keep, one reader, one sender, one watch, each in a thread of its own.

Several rooms may work on one database. A room that loses its database goes on by itself when it is back; until then
its receiver answers "later", so that nothing is lost.
"""

import logging
import ssl
import threading
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from torwart.adapters.engine import AbsurdEngine
from torwart.adapters.key_store import FileKeyStore
from torwart.adapters.mail import ImapAccount, ImapFetcher, SmtpReceiver, SmtpSender, StartTls
from torwart.config import apart
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.installation import CONFIGURATION_INVALID
from torwart.ports.clock import Clock
from torwart.ports.mailbox import Keep, MailIn
from torwart.ports.process_engine import ProcessEngine
from torwart.services import contact_watch, delivery, mail_in, present
from torwart.services.delivery import Desk
from torwart.wire.certificate import load_certificates
from torwart.wire.smime import (
    Decrypter,
    EcDecrypter,
    EcSigner,
    LocalDecrypter,
    LocalSigner,
    Signer,
    SmimeIdentity,
    TrustStore,
)

_log = logging.getLogger("torwart.mailroom")
_GRACE = 2
"""Times the limit of a mail that is still received: whoever exceeds the limit by less gets a mail that says so."""
_LIMIT = 25 * 2**20
POLL_SECONDS = 1.0
WATCH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One of our certificates, followed by its chain in the same file, and its key: a PEM file, or a label of the
    key store.
    """

    certificate: Path
    key: Path | None = None
    label: str = ""

    @property
    def chain(self) -> list[x509.Certificate]:
        return load_certificates(self.certificate.read_bytes())


@dataclass(frozen=True, slots=True)
class MailRoomConfig:
    """What a mail room is told at its start (TOML; relative paths are relative to the file).

    ``decrypt``: the current encryption certificate first, then those whose mail may still come. ``trust``: files of
    anchors, intermediates and revocation lists; they are read again when they change. ``listen``: where the embedded
    SMTP receiver takes mail, ``None``: nowhere; ``imap``: the account to fetch from, if any.
    """

    address: str
    sign: KeyFile
    decrypt: tuple[KeyFile, ...]
    anchors: tuple[Path, ...]
    intermediates: tuple[Path, ...]
    crls: tuple[Path, ...]
    sender: SmtpSender
    listen: tuple[str, int] | None = None
    hostname: str = "localhost"
    listen_tls: ssl.SSLContext | None = None
    domains: tuple[str, ...] = ()
    imap: ImapAccount | None = None
    key_store: tuple[Path, Path] | None = None

    @classmethod
    def load(cls, path: Path) -> "MailRoomConfig":
        try:
            return _from_toml(tomllib.loads(path.read_text()), path.parent)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CONFIGURATION_INVALID(path=path, why=f"{type(error).__name__}: {error}") from error

    def desk(self) -> Desk:
        """Our identity and whom we believe, as the files say now; refuses ``smime.own_key`` if they do not fit."""
        encryption = self.decrypt[0].chain[0]
        identity = SmimeIdentity(
            self.address, self._signer(encryption), tuple(self._decrypter(each) for each in self.decrypt)
        )
        return Desk(identity, self._trust())

    def stamp(self) -> tuple[float, ...]:
        """Changes when a file of certificates or lists does."""
        files = (*self.anchors, *self.intermediates, *self.crls, self.sign.certificate)
        files += tuple(each.certificate for each in self.decrypt)
        return tuple(file.stat().st_mtime for file in files)

    def _trust(self) -> TrustStore:
        def pem(files: Sequence[Path]) -> tuple[x509.Certificate, ...]:
            return tuple(each for file in files for each in load_certificates(file.read_bytes()))

        return TrustStore(pem(self.anchors), pem(self.intermediates), tuple(map(_crl, self.crls)))

    def _signer(self, encryption: x509.Certificate) -> Signer:
        certificate, *chain = self.sign.chain
        if self.sign.key is not None:
            return LocalSigner(_private(self.sign.key), certificate, chain, encryption)
        return EcSigner(certificate, partial(self._store().sign, self.sign.label), tuple(chain), encryption)

    def _decrypter(self, own: KeyFile) -> Decrypter:
        if own.key is not None:
            return LocalDecrypter(_private(own.key), own.chain[0])
        return EcDecrypter(own.chain[0], partial(self._store().agree, own.label))

    def _store(self) -> FileKeyStore:
        assert self.key_store is not None
        return FileKeyStore.open(apart.require_directory(self.key_store[0]), key_file=self.key_store[1])


def _crl(path: Path) -> x509.CertificateRevocationList:
    data = path.read_bytes()
    return x509.load_pem_x509_crl(data) if data.startswith(b"-----") else x509.load_der_x509_crl(data)


def _private(path: Path) -> Any:
    return load_pem_private_key(path.read_bytes(), None)


# -- the file ---------------------------------------------------------------------------------------------------------


def _from_toml(document: dict[str, Any], here: Path) -> MailRoomConfig:
    identity, trust, receive = document["identity"], document["trust"], document.get("receive", {})
    store = document.get("keys")
    address = identity.get("address", settings.TORWART_SERVICE_MAIL).lower()
    config = MailRoomConfig(
        address=address,
        sign=_key_file(identity["sign"], here),
        decrypt=tuple(_key_file(each, here) for each in identity["decrypt"]),
        anchors=_paths(trust["anchors"], here),
        intermediates=_paths(trust.get("intermediates", []), here),
        crls=_paths(trust.get("crls", []), here),
        sender=_sender(document["send"], here),
        listen=_address(receive["listen"]) if "listen" in receive else None,
        hostname=receive.get("hostname", "localhost"),
        listen_tls=_server_tls(receive, here),
        domains=tuple(receive.get("domains", [address.rpartition("@")[2]])),
        imap=_imap(document["imap"], here) if "imap" in document else None,
        key_store=(here / store["directory"], here / store["key_file"]) if store else None,
    )
    if config.listen is None and config.imap is None:
        raise ValueError("neither receive.listen nor imap: no mail could come in")
    if config.key_store is None and any(own.key is None for own in (config.sign, *config.decrypt)):
        raise ValueError("a label needs the key store: keys.directory and keys.key_file")
    return config


def _key_file(table: dict[str, str], here: Path) -> KeyFile:
    key, label = table.get("key"), table.get("label", "")
    if (key is None) == (not label):
        raise ValueError("a certificate of ours has either key (a PEM file) or label (in the key store)")
    return KeyFile(here / table["certificate"], here / key if key else None, label)


def _paths(names: Sequence[str], here: Path) -> tuple[Path, ...]:
    return tuple(here / name for name in names)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _sender(table: dict[str, Any], here: Path) -> SmtpSender:
    host, port = _address(table["server"])
    return SmtpSender(
        host,
        port,
        starttls=StartTls(table.get("starttls", "offered")),
        tls=_client_tls(table, here),
        user=table.get("user", ""),
        password=_password(table, here),
        hostname=table.get("hostname", "localhost"),
        timeout=float(table.get("timeout", 30.0)),
    )


def _imap(table: dict[str, Any], here: Path) -> ImapAccount:
    host, port = _address(table["server"])
    return ImapAccount(
        host,
        table["user"],
        _password(table, here),
        port,
        tls=table.get("tls", "implicit"),
        context=_client_tls(table, here),
        inbox=table.get("inbox", "INBOX"),
        done=table.get("done", "Torwart"),
    )


def _password(table: dict[str, Any], here: Path) -> str:
    return (here / table["password_file"]).read_text().strip() if "password_file" in table else ""


def _client_tls(table: dict[str, Any], here: Path) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=str(here / table["ca"])) if "ca" in table else None


def _server_tls(table: dict[str, Any], here: Path) -> ssl.SSLContext | None:
    if "tls_chain" not in table:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here / table["tls_chain"], here / table["tls_key"])
    return context


# -- the room ---------------------------------------------------------------------------------------------------------


class MailRoom:
    """One mail room; between ``start`` and ``stop`` it may be used as a context. Django must be up.

    ``engine`` makes runs look again when mail has come for them; ``clock`` is everybody's time here. ``poll``: seconds
    between two looks at an empty queue.
    """

    def __init__(
        self,
        config: MailRoomConfig,
        *,
        engine: ProcessEngine | None = None,
        clock: Clock | None = None,
        poll: float = POLL_SECONDS,
    ) -> None:
        self.config = config
        self.engine = engine or AbsurdEngine()
        self.clock = clock or present.Clock()
        self._poll = poll
        self._desk, self._stamp = config.desk(), config.stamp()
        self._stop, self._arrived = threading.Event(), threading.Event()
        self._receivers = self._made_receivers()
        self._threads = [
            threading.Thread(target=self._repeat, args=(do, wake, pause), name=name, daemon=True)
            for name, do, wake, pause in (
                ("mail-reader", self._read, self._arrived, poll),
                ("mail-sender", self._send, self._stop, poll),
                ("mail-watch", self._watch, self._stop, WATCH_SECONDS),
            )
        ]

    def _made_receivers(self) -> list[MailIn]:
        receivers: list[MailIn] = []
        if self.config.listen is not None:
            host, port = self.config.listen
            receivers.append(
                SmtpReceiver(
                    self._keeper("smtp"),
                    domains=self.config.domains,
                    host=host,
                    port=port,
                    hostname=self.config.hostname,
                    size_limit=_GRACE * _LIMIT,
                    tls=self.config.listen_tls,
                )
            )
        if self.config.imap is not None:
            receivers.append(ImapFetcher(self._keeper("imap"), self.config.imap, size_limit=_LIMIT))
        return receivers

    @property
    def port(self) -> int:
        """Where the SMTP receiver listens; 0 if there is none."""
        return next((each.port for each in self._receivers if isinstance(each, SmtpReceiver)), 0)

    def start(self) -> None:
        for receiver in self._receivers:
            receiver.start()
        for thread in self._threads:
            thread.start()
        _log.info("mail room open: smtp port %s, imap %s", self.port or "-", self.config.imap or "-")

    def stop(self) -> None:
        """Take no more mail, end what is being done, then return."""
        for receiver in self._receivers:
            receiver.stop()
        self._stop.set()
        self._arrived.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        _log.info("mail room closed")

    def __enter__(self) -> "MailRoom":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- what the threads do ------------------------------------------------------------------------------------------

    def _keeper(self, via: str) -> Keep:
        def keep(raw: bytes, envelope_from: str, envelope_to: Sequence[str]) -> None:
            now = self.clock.now()
            write = partial(mail_in.keep, raw, via=via, envelope_from=envelope_from, envelope_to=envelope_to, now=now)
            try:
                pk = write()
            except (OperationalError, InterfaceError):
                connection.close()
                pk = write()  # on a new connection; if the database is away the sender hears "later"
            _log.info("mail %s kept: %s bytes by %s from <%s>", pk, len(raw), via, envelope_from)
            self._arrived.set()

        return keep

    def _read(self) -> int:
        self._arrived.clear()
        return mail_in.work(self.engine, self._desk, now=self.clock.now())

    def _send(self) -> int:
        return delivery.deliver(self.config.sender, self._desk, now=self.clock.now())

    def _watch(self) -> int:
        stamp = self.config.stamp()
        if stamp != self._stamp:
            self._desk, self._stamp = self.config.desk(), stamp
            _log.info("certificates and revocation lists read again")
        contact_watch.watch(self.clock.now(), self._desk.trust)
        return 0

    def _repeat(self, do: Callable[[], int], wake: threading.Event, pause: float) -> None:
        """``do`` again and again, at once while there is something to do; trouble is logged and waited out."""
        try:
            while not self._stop.is_set():
                if not self._done(do):
                    wake.wait(pause)
        finally:
            connection.close()

    def _done(self, do: Callable[[], int]) -> int:
        try:
            return do()
        except (OperationalError, InterfaceError) as error:
            _log.warning("the database is away: %s", error)
            connection.close()
        except (Refusal, OSError) as trouble:
            _log.error("%s", trouble)
        except Exception:  # noqa: BLE001  a room that stands still helps nobody
            _log.exception("the mail room goes on, but this must not happen")
            connection.close()
        return 0
