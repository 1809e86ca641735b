"""Foreign programs that judge our work: where they are, or a clear word on how to get them.

On a machine that lacks one, the tests that need it are left out and the summary says so. Where every test has to run
(``TORWART_EVERY_TEST``, set by ``.ci/run``), a missing program fails them instead.
"""

import os
import shutil
import subprocess
from typing import NoReturn

import pytest

PACKAGES = {
    "chromium": "chromium",
    "postfix": "postfix",
    "dovecot": "dovecot-imapd dovecot-lmtpd",
    "swaks": "swaks",
    "openssl": "openssl",
    "nginx": "nginx-light",
    "curl": "curl",
}
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def need(program: str, *names: str) -> str:
    """The path of ``program``, or of another of its ``names``; else this test is left out or fails."""
    for name in (program, *names):
        found = shutil.which(name, path=_PATH)
        if found:
            return found
    return _without(f"{program} is missing on this machine: sudo apt-get install -y {PACKAGES[program]}")


def need_root(what: str) -> list[str]:
    """What to put before a command that only root may give: nothing, or ``sudo -n`` where that works."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return _without(f"{what} wants to be started by root: run the tests as root, or allow sudo -n")


def _without(sentence: str) -> NoReturn:
    if os.environ.get("TORWART_EVERY_TEST"):
        pytest.fail(sentence)
    pytest.skip(sentence)
