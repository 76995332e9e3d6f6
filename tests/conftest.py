# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share: which build they test, and on what."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.rig import Rig
from support.tools import Build

# Tests that are started in the background have SIGINT ignored, and by nohup SIGHUP, which the tools
# would respect. What is handled here, a child has as the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--preset", default="release", help="the CMake preset whose build is tested")


@pytest.fixture(scope="session")
def build(request: pytest.FixtureRequest) -> Build:
    return Build(request.config.getoption("--preset"))


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
