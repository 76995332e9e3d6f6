# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import images
from support.nginx import Nginx
from support.rig import UPDATERS, Rig
from support.tools import Build


@pytest.fixture
def rig(tmp_path: Path, build: Build) -> Iterator[Rig]:
    """Nothing is running yet; whatever the test starts ends with it."""
    # Paths of Unix sockets are short: 107 bytes, which pytest's own folders easily exceed.
    with tempfile.TemporaryDirectory(prefix="e2e-") as folder:
        rig = Rig(Path(folder), build)
        try:
            yield rig
        finally:
            rig.close()


@pytest.fixture(params=UPDATERS)
def updater(request: pytest.FixtureRequest) -> str:
    """Each of the ways to update."""
    return request.param


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def micropython() -> bytes:
    return images.micropython()


@pytest.fixture(scope="session")
def boot_loader() -> bytes:
    """As it lies at 0x1000 of a real ESP32."""
    return images.boot_loader()
