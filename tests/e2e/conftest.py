# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator

import pytest
from support import images
from support.nginx import Nginx
from support.rig import UPDATERS


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
