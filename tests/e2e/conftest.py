# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator

import pytest
from support import images
from support.dialects import CTRL, DIALECTS, Dialect
from support.nginx import Nginx
from support.rig import UPDATERS, Rig


@pytest.fixture(params=UPDATERS)
def updater(request: pytest.FixtureRequest) -> str:
    """Each of the ways to update."""
    return request.param


@pytest.fixture(params=DIALECTS, ids=str)
def dialect(rig: Rig, request: pytest.FixtureRequest) -> Dialect:
    """What the ESP32 of this test speaks. Modules all of whose tests hold for both use it."""
    updater = request.getfixturevalue("updater") if "updater" in request.fixturenames else ""
    if request.param is CTRL and updater == "esp-ota":
        pytest.skip("the same code as test.out, which is tested in this dialect")
    rig.dialect = request.param
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
