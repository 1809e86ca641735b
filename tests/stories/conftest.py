"""One stage for all stories of a test process."""

from collections.abc import Iterator

import pytest
from staging import Scene, devices


@pytest.fixture(scope="session")
def _scene(stage_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp("stage"), [*devices(80), *devices(4, meters=2)], database=stage_database)
    try:
        yield scene.start()
    finally:
        scene.stage.stop()


@pytest.fixture(scope="module")
def scene(_scene: Scene) -> Scene:
    """The stage, with this process' Django looking at its database."""
    _scene.turn()
    return _scene
