"""What others made is in the house as they published it, with its licence."""

import hashlib
import tomllib
from pathlib import Path

import pytest

import torwart.faces._design

_DESIGN = Path(torwart.faces._design.__file__).parent / "static" / "torwart"
_ROOTS = [_DESIGN / "vendor", Path(__file__).parents[1] / "support" / "vendor"]


@pytest.mark.parametrize("root", _ROOTS, ids=["design", "tests"])
def test_vendored_files_are_unmodified_and_licensed(root: Path) -> None:
    """Every file is listed with its sum, nothing is listed that is not there, every package has its licence."""
    listed: dict[str, str] = {}
    for vendor in tomllib.loads((root / "vendor.toml").read_text())["vendor"]:
        assert vendor["version"]
        assert vendor["licence"]
        assert any("LICENSE" in name for name in vendor["files"]), vendor["name"]
        listed |= vendor["files"]
    found = {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.name != "vendor.toml"
    }
    assert found == listed


def test_our_own_layer_stays_small() -> None:
    """At most 600 lines over KERN (design.md D8)."""
    assert len((_DESIGN / "torwart.css").read_text().splitlines()) <= 600


def test_every_icon_that_is_named_exists() -> None:
    """A name that is not in the sprite would be an empty picture."""
    import re

    sprite = set(re.findall(r'<symbol id="([^"]+)"', (_DESIGN / "vendor/tabler-icons/sprite.svg").read_text()))
    faces = Path(torwart.faces._design.__file__).parents[1]
    named = {
        (name, path.name)
        for path in faces.rglob("*.html")
        for name in re.findall(r'(?:(?<!:)icon="|\{% icon ")([a-z0-9-]+)"', path.read_text())
    }
    assert {(name, where) for name, where in named if name not in sprite} == set()
