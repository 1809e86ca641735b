"""Where the files of the demonstration's client system are found while it stays up."""

from pathlib import Path

import pytest

from torwart.config.demo.own_system import LINK, published

pytestmark = pytest.mark.requirement("O-7")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    started = tmp_path / "started"
    started.mkdir()
    monkeypatch.chdir(started)
    return started


def test_the_link_leads_to_the_demonstration_begun_last(tmp_path: Path) -> None:
    """The later one takes it over, and whoever ends removes only its own; what a killed one left behind is no bar."""
    Path(LINK).symlink_to(tmp_path / "killed")
    with published(tmp_path / "first") as files:
        assert files == LINK / "emt"
        assert LINK.readlink() == tmp_path / "first"
        with published(tmp_path / "second"):
            assert LINK.readlink() == tmp_path / "second"
        assert not LINK.is_symlink()
    with published(tmp_path / "first"):
        LINK.unlink()
        LINK.symlink_to(tmp_path / "second")
    assert LINK.readlink() == tmp_path / "second"


def test_where_no_link_can_be_made_the_directory_itself_is_named(tmp_path: Path, here: Path) -> None:
    """Somebody's own ``.demo`` is left alone, and no half-made link stays."""
    LINK.mkdir()
    with published(tmp_path / "stage") as files:
        assert files == tmp_path / "stage" / "emt"
    assert [each.name for each in here.iterdir()] == [".demo"]
