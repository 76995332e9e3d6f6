# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that talk to the simulator itself, with no driver in between."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.simulator import Simulator
from support.tools import Build

Start = Callable[..., Simulator]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: the path of a Unix socket must be short."""
    with tempfile.TemporaryDirectory(prefix="sim-") as name:
        yield Path(name)


@pytest.fixture
def start(build: Build, folder: Path) -> Iterator[Start]:
    """Starts the simulator of this test, with access points and options."""
    running: list[Simulator] = []

    def begin(
        *options: str, aps: list[dict[str, object]] | None = None, wrap: tuple[str, ...] = ()
    ) -> Simulator:
        if aps is not None:
            (folder / "aps.json").write_text(json.dumps(aps))
            options += ("--aps", str(folder / "aps.json"))
        simulator = Simulator(build.binary("esp32-sim"), folder, options, wrap)
        running.append(simulator)
        simulator.start()
        return simulator

    yield begin
    for simulator in running:
        simulator.close()
