"""``torwart web`` as an operator starts it."""

import http.client
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from torwart.config.children import Family


@pytest.fixture
def family(tmp_path: Path, stage_database: str) -> Family:
    environment = {"TORWART_DATABASE_URL": stage_database, "TORWART_STATE": str(tmp_path), "TORWART_HOSTS": "localhost"}
    return Family(tmp_path / "logs", environment)


def test_the_web_serves_pages_and_files_until_it_is_told_to_end(family: Family) -> None:
    """It says when it is ready and where; static files are cached for good; other host names are refused."""
    try:
        child = family.await_ready(family.start("web", "web", "--port", "0", "--threads", "2"), 60)
        connection = http.client.HTTPConnection("127.0.0.1", child.facts["port"], timeout=10)

        def get(path: str, host: str = "localhost") -> tuple[int, str, dict[str, str]]:
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders())

        status, page, _ = get("/konto/anmelden/")
        assert (status, "<h1" in page) == (200, True)
        for path in re.findall(r'(?:href|src)="(/static/[^"#]+)"', page):
            status, _, headers = get(path)
            assert (status, "immutable" in headers["cache-control"]) == (200, True), path
        assert get("/konto/anmelden/", "evil.example")[0] == 400
        assert get("/gibt/es/nicht/")[0] == 404
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(15) == 0
    finally:
        family.stop()


def test_a_database_without_the_web_tables_is_refused(tmp_path: Path, database_server: str) -> None:
    """The program says what to do instead of failing at the first page."""
    environment = os.environ | {
        "TORWART_DATABASE_URL": database_server.format("postgres"),
        "TORWART_STATE": str(tmp_path),
    }
    environment |= {"TORWART_LANGUAGE": "de"}
    command = [sys.executable, "-m", "torwart", "web", "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (3, 4)
    assert "database.not_migrated" in done.stderr


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions and links outlive a restart."""
    from torwart.config.installation import secret_key

    monkeypatch.setenv("TORWART_STATE", str(tmp_path))
    monkeypatch.delenv("TORWART_SECRET_KEY")
    first = secret_key()
    assert len(first) >= 50
    assert secret_key() == first
    assert (tmp_path / "web.key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ENVIRONMENT", "web.key"]
