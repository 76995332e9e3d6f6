# SPDX-License-Identifier: Apache-2.0
"""What all Python tests share: which build they test."""

import pytest
from support.tools import Build


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--preset", default="release", help="the CMake preset whose build is tested")


@pytest.fixture(scope="session")
def build(request: pytest.FixtureRequest) -> Build:
    return Build(request.config.getoption("--preset"))
