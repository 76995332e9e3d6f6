# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the Python package, as `make` in c_support has built it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import images, wheel
from support.fake_device import FakeDevice
from support.http_faults import FaultServer
from support.tools import HOST_CONTROL

sys.path.insert(0, str(HOST_CONTROL / "python_support"))

from esp_hosted_ota import Device


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what would change the package's behaviour."""
    for name in list(os.environ):
        if name.startswith("ESP_HOSTED") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDevice]:
    """A device that answers the Wi-Fi mode request, and for the rest what the test says."""
    device = FakeDevice(tmp_path / "esps0")
    yield device
    device.close()


@pytest.fixture
def device(fake: FakeDevice) -> Iterator[Device]:
    with Device(fake.path, timeout=1) as device:
        yield device


@pytest.fixture(scope="session")
def image() -> bytes:
    """A valid image of 40000 bytes."""
    return images.program(40000, version="2.0.0")


@pytest.fixture
def server(image: bytes) -> Iterator[FaultServer]:
    server = FaultServer(image)
    yield server
    server.close()


@pytest.fixture(scope="session", name="wheel")
def built_wheel(request: pytest.FixtureRequest) -> Path:
    """The package as `pip wheel` makes it from the repository."""
    return wheel.built(getattr(request.config, "workerinput", {}).get("testrunuid"))
