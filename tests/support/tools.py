# SPDX-License-Identifier: Apache-2.0
"""The host tools under test, each run as a user would run it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .process import Process, Result, check_sanitizers
from .waiting import HANG_S

ROOT = Path(__file__).resolve().parents[2]
HOST_CONTROL = ROOT / "host/linux/host_control"

# The exit statuses of every tool.
DONE, LOCAL, USAGE, IMAGE, NO_ANSWER, REFUSED, NOT_UP, BUSY, NOTHING = range(9)


@dataclass(frozen=True)
class Build:
    """One CMake preset's programs."""

    preset: str

    @property
    def folder(self) -> Path:
        return ROOT / "build" / self.preset

    def binary(self, name: str) -> Path:
        path = self.folder / "bin" / name
        assert path.exists(), f"{path} is missing: cmake --build --preset {self.preset}"
        return path


def kernel(build: Build, **what: str) -> dict[str, str]:
    """An environment in which a tool finds another kernel: see kernel_shim.c. driver="1" ..."""
    return {
        "LD_PRELOAD": str(build.folder / "tests" / "kernel_shim.so"),
        "ASAN_OPTIONS": "verify_asan_link_order=0",
        **{f"SHIM_{name.upper()}": value for name, value in what.items()},
    }


@dataclass
class Toolbox:
    """Runs tools and keeps everything that they said, for the search for secrets."""

    build: Build
    folder: Path
    said: list[Result] = field(default_factory=list)
    _started: int = 0

    @property
    def kept(self) -> dict[str, str]:
        """Where what was found out of a device is kept: of this test's devices alone."""
        return {"ESP_HOSTED_RUN": str(self.folder)}

    def command(self, tool: str) -> list[str | Path]:
        """How a tool is called. Python's module is the one that `make` in c_support builds."""
        if not tool.endswith(".py"):
            return [self.build.binary(tool)]
        return [sys.executable, HOST_CONTROL / "python_support" / tool]

    def start(
        self,
        tool: str,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        wrap: Sequence[str] = (),
        stdin: int | None = subprocess.DEVNULL,
    ) -> Process:
        """Starts a tool and returns at once; its Result is for finish()."""
        self._started += 1
        return Process(
            [*wrap, *self.command(tool), *args],
            self.folder / f"{self._started}.{tool}",
            {**self.kept, **(env or {})},
            stdin=stdin,
        )

    def finish(self, process: Process, timeout: float = HANG_S) -> Result:
        result = process.wait(timeout)
        self.said.append(result)
        print(result)
        check_sanitizers(result.output)
        assert "Traceback" not in result.stderr, result
        return result

    def run(
        self,
        tool: str,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        wrap: Sequence[str] = (),
        stdin: str | None = None,
    ) -> Result:
        """Runs a tool to its end. `stdin` is text for its standard input."""
        if stdin is None:
            return self.finish(self.start(tool, *args, env=env, wrap=wrap))
        read, write = os.pipe()
        os.write(write, stdin.encode())
        os.close(write)
        try:
            process = self.start(tool, *args, env=env, wrap=wrap, stdin=read)
        finally:
            os.close(read)
        return self.finish(process)
