# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share: which build they test."""

import signal

import pytest
from support.tools import Build

# Whoever started the tests in the background has SIGINT ignored, which the tools would respect. They
# inherit a signal that is not ignored here as the default.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--preset", default="release", help="the CMake preset whose build is tested")


@pytest.fixture(scope="session")
def build(request: pytest.FixtureRequest) -> Build:
    return Build(request.config.getoption("--preset"))
