"""Keeps the environments apart: which one this process is of, and that nothing it is given is another's.

Database, key store and state directory remember the environment that used them first; roots of the SM-PKI say theirs
by name. Whatever is another's is refused before anything of it is read.
"""

import os
from pathlib import Path

from cryptography import x509

from torwart.kernel.refusals.environment import ENVIRONMENT_DATABASE, ENVIRONMENT_DIRECTORY, ENVIRONMENT_TRUST
from torwart.rules import environment as rules
from torwart.wire.certificate import Subject

MARK = "ENVIRONMENT"
"""Name of the file in which a directory remembers."""


def environment() -> str:
    """``TORWART_ENVIRONMENT``: ``test`` (default) or ``live``; anything else is refused."""
    return rules.named(os.environ.get("TORWART_ENVIRONMENT", rules.TEST))


def sandbox() -> bool:
    """``TORWART_SANDBOX=1``, of the test system alone."""
    return rules.sandbox(os.environ.get("TORWART_SANDBOX", "") == "1", environment())


def require_directory(path: Path) -> Path:
    """``path``, which is from its first use on this environment's."""
    ours, mark = environment(), path / MARK
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with mark.open("x", encoding="ascii") as file:
            file.write(ours + "\n")
    except FileExistsError:
        found = mark.read_text(encoding="ascii").strip() or ours  # empty: another process is writing it now
        if found != ours:
            raise ENVIRONMENT_DIRECTORY(path=path, found=found, environment=ours) from None
    return path


def require_anchor(root: x509.Certificate) -> None:
    """Refuse a root of the SM-PKI that is of the other environment."""
    ours, name = environment(), Subject.of(root.subject)
    found = rules.of_anchor(name.common_name, name.organisation)
    if found != ours:
        raise ENVIRONMENT_TRUST(name=name.common_name, found=found, environment=ours)


def require_database() -> None:
    """Refuse Django's database if it is the other environment's; the first to use it decides."""
    from torwart.services import installation

    ours = environment()
    found = installation.environment(ours)
    if found != ours:
        raise ENVIRONMENT_DATABASE(found=found, environment=ours)
