# SPDX-License-Identifier: Apache-2.0
"""esp32-sim and esp-hostedd as a test sees them."""

import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .flash import Flash
from .process import Process, Result, check_sanitizers
from .waiting import HANG_S, wait_for

POWER_CUT_STATUS = 99

Event = dict[str, Any]


class Simulator:
    """One ESP32 on one flash file: it can lose its power and get it back."""

    def __init__(
        self,
        binary: Path,
        folder: Path,
        options: Sequence[str | Path] = (),
        wrap: Sequence[str] = (),
        flash: Path | None = None,
    ) -> None:
        self.flash = Flash(flash or folder / "flash.bin")
        self.bus = folder / "bus"
        self.ctl = folder / "ctl"
        self.options = tuple(options)
        self._binary = binary
        self._folder = folder
        self._wrap = tuple(wrap)
        self._events = folder / "events.jsonl"
        self._process: Process | None = None
        self._starts = 0
        self._first_event = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def start(self, *extra: str, wait: bool = True) -> None:
        """Switches the power on and waits until the firmware runs."""
        assert not self.running
        self._starts += 1
        self._first_event = len(self.all_events())
        args = [*self._wrap, self._binary, "--flash", self.flash.path, "--bus", self.bus]
        args += ["--events", self._events, "--ctl", self.ctl]
        if "--time" not in self.options:
            args += ["--time", "none"]
        self._process = Process(
            [*args, *self.options, *extra], self._folder / f"esp32-sim.{self._starts}"
        )
        if wait:
            self.wait_event("boot")

    def cut_power(self) -> None:
        """All at once, as a pulled plug: no handler runs."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> Result | None:
        """Ends it politely, so that it can say what leaked."""
        return self._process.terminate() if self.running else None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.signal(number)

    def wait_end(self) -> Result:
        """Waits until it ends by itself: a power cut that was asked for."""
        assert self._process is not None
        return self._process.wait()

    def all_events(self) -> list[Event]:
        """Every event since the flash file was new, over power cuts."""
        try:
            text = self._events.read_text()
        except FileNotFoundError:
            return []
        # A line that has no newline yet is still being written.
        return [json.loads(line) for line in text.split("\n")[:-1] if line]

    def events(self, name: str | None = None) -> list[Event]:
        """The events since the last start, of all names or of one."""
        found = self.all_events()[self._first_event :]
        return [event for event in found if name in (None, event["event"])]

    def wait_event(
        self, name: str, match: Callable[[Event], bool] | None = None, timeout: float = HANG_S
    ) -> Event:
        """The first event of this name since the last start that `match` accepts."""

        def probe() -> Event | None:
            ended = not self.running
            for event in self.events(name):
                if match is None or match(event):
                    return event
            assert not ended, f"esp32-sim ended without {name!r}:\n{self.output()}"
            return None

        return wait_for(probe, f"event {name!r}; there are {self.events()}", timeout)

    def wait_boots(self, count: int) -> Event:
        """The `count`-th boot since the last start."""
        wait_for(
            lambda: len(self.events("boot")) >= count or not self.running,
            f"boot number {count}; there are {self.events()}",
        )
        boots = self.events("boot")
        assert len(boots) >= count, f"esp32-sim ended at {boots}:\n{self.output()}"
        return boots[count - 1]

    def control(self, line: str) -> str:
        """One line to the control socket, and its answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(HANG_S)
            sock.connect(str(self.ctl))
            sock.sendall(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                piece = sock.recv(4096)
                if not piece:
                    break
                answer += piece
        return answer.decode().strip()

    def output(self) -> str:
        return self._process.output() if self._process is not None else ""

    def close(self) -> None:
        """Ends it, and fails on what its sanitizers found in any of its lives."""
        ended = self.stop()
        if ended is not None:
            assert ended.status in (0, -signal.SIGTERM), f"esp32-sim: {ended}"
        for log in self._folder.glob("esp32-sim.*.std*"):
            check_sanitizers(log.read_text(errors="backslashreplace"))


class Hostedd:
    """esp-hostedd on the bus of a simulator."""

    def __init__(
        self,
        binary: Path,
        folder: Path,
        bus: Path,
        tap: str | None = None,
        wrap: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.control = folder / "esps0"
        args = [*wrap, binary, "--verbose", "--bus", f"sim:{bus}", "--control", self.control]
        if tap is not None:
            args += ["--tap", tap]
        args += options
        self._process = Process(args, folder / "esp-hostedd", env)
        self._stopped = False

    def wait_ready(self) -> None:
        def ready() -> bool:
            assert self._process.running, f"esp-hostedd ended:\n{self.output()}"
            return self.control.is_symlink() and os.path.exists(self.control)

        wait_for(ready, f"the control device {self.control}")

    @property
    def running(self) -> bool:
        return self._process.running

    def signal(self, number: int) -> None:
        self._process.signal(number)

    def kill(self) -> None:
        """All at once: what it leaves behind is for the next one."""
        self._stopped = True
        self._process.kill()

    def output(self) -> str:
        return self._process.output()

    def stop(self) -> None:
        """Ends it politely; once it has been asked to, it may be gone."""
        assert self._process.running, f"esp-hostedd ended by itself:\n{self.output()}"
        self._stopped = True
        ended = self._process.terminate()
        assert ended.status in (0, -signal.SIGTERM), f"esp-hostedd: {ended}"
        check_sanitizers(ended.output)

    def close(self) -> None:
        if not self._stopped:
            self.stop()
