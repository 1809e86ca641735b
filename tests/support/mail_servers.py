"""Debian's Postfix and Dovecot with configurations of their own in a temporary folder, on high ports of this machine.

They want to be started by root; whoever runs the tests as somebody else needs ``sudo -n``.
"""

import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from foreign import need, need_root

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.test
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
relay_domains = {domains}
transport_maps = inline:{{ {transports} }}
smtpd_tls_cert_file = {folder}/tls.pem
smtpd_tls_key_file = {folder}/tls.key
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtp_dns_support_level = disabled
smtp_host_lookup = native
message_size_limit = 41943040
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_DOVECOT = """\
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = yes
ssl_cert = <{folder}/tls.pem
ssl_key = <{folder}/tls.key
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%n
first_valid_uid = 1
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%n allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
"""


def certify(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and localhost, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(names, False).sign(key, hashes.SHA256())
    paths = folder / "tls.pem", folder / "tls.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A temporary folder that servers of other users can enter; it goes with all they have put in."""
    folder = Path(tempfile.mkdtemp(prefix="torwart-mail-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        subprocess.run([*as_root(), "rm", "-rf", str(folder)], check=False)


def as_root() -> list[str]:
    return need_root("Postfix and Dovecot")


@contextmanager
def postfix(folder: Path, routes: Mapping[str, str]) -> Iterator[int]:
    """A Postfix that takes mail for the domains of ``routes`` (domain → transport); answers its port."""
    need("postfix")
    (port,) = free_ports(1)
    transports = ", ".join(f"{{ {domain} = {transport} }}" for domain, transport in routes.items())
    (folder / "main.cf").write_text(_MAIN.format(folder=folder, domains=" ".join(routes), transports=transports))
    (folder / "master.cf").write_text(_MASTER.format(port=port))
    for name in ("spool", "data"):
        (folder / name).mkdir()
    subprocess.run([*as_root(), "chown", "postfix", str(folder / "data")], check=True)
    pid_file = folder / "spool/pid/master.pid"
    with _running([need("postfix"), "-c", str(folder), "start-fg"], port, folder / "log", pid_file):
        yield port


@contextmanager
def dovecot(folder: Path, ports: tuple[int, int, int]) -> Iterator[None]:
    """A Dovecot with IMAP, IMAPS and LMTP on ``ports``; every user's password is "secret"."""
    imap, imaps, lmtp = ports
    mail = folder / "mail"
    if not mail.exists():
        mail.mkdir()
        subprocess.run([*as_root(), "chown", "nobody:nogroup", str(mail)], check=True)
    config = folder / "dovecot.conf"
    config.write_text(_DOVECOT.format(folder=folder, imap=imap, imaps=imaps, lmtp=lmtp))
    with _running([need("dovecot"), "-F", "-c", str(config)], imap, folder / "log"):
        yield


@contextmanager
def _running(command: list[str], port: int, log: Path, pid_file: Path | None = None) -> Iterator[None]:
    """A server process until the block ends; it must listen within 10 s, else its log is told.

    ``pid_file``: where the process that has to be ended writes its number, if that is not the one we start.
    """
    process = subprocess.Popen(
        [*as_root(), *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        until = monotonic() + 10
        while not _listens(port):
            if process.poll() is not None or monotonic() > until:
                process.kill()
                said = (process.stderr.read() if process.stderr else b"").decode(errors="replace")
                pytest.fail(f"{command[0]} did not start: {said} {log.read_text() if log.exists() else ''}")
            sleep(0.02)
        yield
    finally:
        written = subprocess.run([*as_root(), "cat", str(pid_file)], capture_output=True, check=False).stdout.strip()
        # Dovecot's sessions would outlive it, so its whole group of processes is ended.
        _end(process, written.decode() or f"-{process.pid}")


def _end(process: "subprocess.Popen[bytes]", pid: str) -> None:
    subprocess.run([*as_root(), "kill", "--", pid], check=False)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        subprocess.run([*as_root(), "kill", "-9", str(process.pid)], check=False)
        process.wait(10)
    if process.stderr:
        process.stderr.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
