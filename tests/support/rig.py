# SPDX-License-Identifier: Apache-2.0
"""One ESP32, its driver and the tools, put together for one test."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import netns
from .bus_tap import BusTap
from .classic import Kind
from .dialects import CLASSIC, Dialect
from .http_faults import FaultServer
from .process import Process, Result
from .proxy import FaultProxy
from .simulator import Hostedd, Simulator
from .tools import Build, Toolbox
from .waiting import wait_for

# The three ways to update, as a user types them.
UPDATERS = ("test.out", "esp-ota", "ota_update.py")

VERB = {"test.out": ["ota"], "esp-ota": ["update"], "ota_update.py": []}


class Rig:
    """Starts what it is asked for, ends it all, and then looks at what it left behind."""

    def __init__(self, folder: Path, build: Build) -> None:
        self.folder = folder
        self.build = build
        self.tools = Toolbox(build, folder)
        self.sim: Simulator
        self.hostedd: Hostedd
        self.bus_tap: BusTap | None = None
        self.proxy: FaultProxy | None = None
        self.old: str  # the version that the ESP32 ran at first
        self.dialect = CLASSIC  # of the ESP32
        self.detect = False  # whether tools have to find that out; for ctrl it takes 4.6 s
        self._stack = ExitStack()
        self._servers = 0

    # Starting

    def power_on(
        self,
        *options: str | Path,
        dialect: Dialect | None = None,
        proxy: bool = True,
        bus_tap: bool = False,
        flash: Path | None = None,
    ) -> "Rig":
        """An ESP32 that runs, with its control device."""
        self.dialect = dialect or self.dialect
        self.add_simulator("--dialect", self.dialect.name, *options, flash=flash)
        self.sim.start()
        self.old = self.sim.events("boot")[-1]["version"]
        if bus_tap:
            self.add_bus_tap()
        self.add_hostedd()
        if proxy:
            self.add_proxy()
        return self

    def add_simulator(
        self, *options: str | Path, flash: Path | None = None, wrap: Sequence[str] = ()
    ) -> Simulator:
        self.sim = Simulator(self.build.binary("esp32-sim"), self.folder, options, wrap, flash)
        self._stack.callback(self.sim.close)
        return self.sim

    def add_bus_tap(self) -> BusTap:
        """Before the driver: it connects to this."""
        self.bus_tap = BusTap(self.folder / "tap", self.sim.bus)
        self._stack.callback(self.bus_tap.close)
        return self.bus_tap

    def add_hostedd(
        self, tap: str | None = None, wrap: Sequence[str] = (), options: Sequence[str] = ()
    ) -> Hostedd:
        bus = self.bus_tap.path if self.bus_tap is not None else self.sim.bus
        self.hostedd = Hostedd(
            self.build.binary("esp-hostedd"), self.folder, bus, tap, wrap, self.tools.kept, options
        )
        self._stack.callback(self.hostedd.close)
        self.hostedd.wait_ready()
        return self.hostedd

    def add_proxy(self) -> FaultProxy:
        self.proxy = FaultProxy(self.hostedd.control, self.folder / "proxy")
        self._stack.callback(self.proxy.close)
        return self.proxy

    def serve(self, image: bytes) -> FaultServer:
        server = FaultServer(image)
        self._stack.callback(server.close)
        return server

    def aps(self, *points: dict[str, Any]) -> Path:
        """A file for --aps."""
        path = self.folder / "aps.json"
        path.write_text(json.dumps(points))
        return path

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def exchange(self, *options: str | Path, dialect: Dialect) -> None:
        """Another ESP32 behind the same driver, or the same one flashed over a cable."""
        self.sim.stop()
        flash = self.folder / f"flash.{dialect.name}.{len(options)}"
        self.dialect = dialect
        self.add_simulator("--dialect", dialect.name, *options, flash=flash)
        self.sim.start()
        self.old = self.sim.events("boot")[-1]["version"]
        if self.bus_tap is not None:
            self.bus_tap.wait_connected()

    # Using

    @property
    def device(self) -> Path:
        """What tools open."""
        return self.proxy.path if self.proxy is not None else self.hostedd.control

    def where(self, tool: str, image: bytes | str | Path) -> str | Path:
        """An image as this tool takes it: ota_update.py reads URLs only."""
        if isinstance(image, bytes):
            if tool == "ota_update.py":
                return self.serve(image).url("ok")
            self._servers += 1
            return self.file(f"image{self._servers}.bin", image)
        return image

    def start_update(
        self,
        tool: str,
        image: bytes | str | Path,
        *options: str,
        timeout: int = 60,
        reboot_timeout: int = 0,
    ) -> Process:
        """An update that ends with `end`; with `reboot_timeout`, with the new firmware's answer."""
        return self.tools.start(
            tool,
            *VERB[tool],
            self.where(tool, image),
            "--device",
            self.device,
            "--timeout",
            str(timeout),
            "--reboot-timeout",
            str(reboot_timeout),
            *self.dialect_options(),
            *options,
        )

    def start_until(self, image: bytes | str | Path, writes: int, *options: str) -> Process:
        """An update whose last answer is that to the write before this one, which the ESP32 has
        done too: perhaps with some behind it."""
        assert self.proxy
        self.proxy.reset()
        self.proxy.drop_answers(Kind.OTA_WRITE, writes)
        tool = self.start_update("esp-ota", image, *options)
        self.proxy.wait_answer(Kind.OTA_WRITE, writes)
        return tool

    def cut_off(self, image: bytes | str | Path, writes: int, *options: str) -> None:
        """The tool is killed there: without a word to the ESP32, and so without abort."""
        self.start_until(image, writes, *options).kill()
        assert self.proxy
        self.proxy.reset()

    def update(
        self,
        tool: str,
        image: bytes | str | Path,
        *options: str,
        timeout: int = 60,
        reboot_timeout: int = 0,
    ) -> Result:
        return self.tools.finish(
            self.start_update(tool, image, *options, timeout=timeout, reboot_timeout=reboot_timeout)
        )

    def command(self, tool: str, *args: str | Path, timeout: int = 60, **how: Any) -> Result:
        """Any other command of a tool on this rig's device."""
        return self.tools.run(
            tool,
            *args,
            "--device",
            self.device,
            "--timeout",
            str(timeout),
            *self.dialect_options(),
            **how,
        )

    def dialect_options(self) -> tuple[str, ...]:
        """What spares a tool to find the dialect out."""
        known = self.dialect is not CLASSIC and not self.detect
        return ("--dialect", self.dialect.name) if known else ()

    def finally_close(self, thing: Any) -> None:
        self._stack.callback(thing.close)

    def finally_kill(self, process: Process) -> None:
        self._stack.callback(process.kill)

    @staticmethod
    def no_network() -> tuple[str, ...]:
        """In front of a tool that could change an interface: there it finds none."""
        return netns.UNSHARE

    @staticmethod
    def wait(probe: Callable[[], object], what: str) -> None:
        wait_for(probe, what)

    # Checking

    def reboot(self) -> dict[str, Any]:
        """Cuts the power, gives it back, and returns what booted."""
        self.sim.cut_power()
        self.sim.start()
        return self.sim.wait_event("boot")

    def check_boots(self, version: str) -> None:
        """Whatever happened: with its power back the ESP32 runs this version."""
        assert self.reboot()["version"] == version

    def check_arrived(self, image: bytes, used_before: bool = False) -> None:
        """The ESP32 restarted into the image's slot, which holds it and nothing else."""
        booted = self.sim.wait_boots(2)
        self.sim.flash.check_slot_holds(booted["slot"], image, used_before)

    def said(self) -> str:
        """Everything that anybody printed or wrote into a log."""
        texts = [result.output for result in self.tools.said]
        for log in self.folder.rglob("*"):
            if log.suffix in (".stdout", ".stderr", ".jsonl", ".log"):
                texts.append(log.read_text(errors="backslashreplace"))
        return "\n".join(texts)

    def close(self) -> None:
        print(self.said()[-8000:])
        self._stack.close()
