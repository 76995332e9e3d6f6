# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share: which build they test."""

import signal

import pytest
from support.tools import Build

# Tests that are started in the background have SIGINT ignored, which the tools would respect. What
# is handled here, a child has as the default.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--preset", default="release", help="the CMake preset whose build is tested")


@pytest.fixture(scope="session")
def build(request: pytest.FixtureRequest) -> Build:
    return Build(request.config.getoption("--preset"))
