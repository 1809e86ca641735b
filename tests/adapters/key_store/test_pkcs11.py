"""Opening PKCS#11 tokens: what is missing or wrong locks the store by name."""

import importlib.util
from pathlib import Path

import pytest

from torwart.adapters.key_store import Pkcs11KeyStore
from torwart.kernel.refusals import Refusal

pytestmark = pytest.mark.requirement("KLSR-2.2")


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    path = tmp_path / "pin"
    path.touch(0o600)
    path.write_text("123456\n")
    return path


def test_a_missing_library_or_binding_is_told(tmp_path: Path, pin_file: Path) -> None:
    """No library at the path, or no python-pkcs11: keys.locked, with what to install in the latter case."""
    with pytest.raises(Refusal) as caught:
        Pkcs11KeyStore.open(tmp_path / "nowhere.so", token="t", pin_file=pin_file)

    assert caught.value.code == "keys.locked"
    assert importlib.util.find_spec("pkcs11") or "python-pkcs11" in caught.value.text("de")
