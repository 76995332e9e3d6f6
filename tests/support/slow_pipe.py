# SPDX-License-Identifier: Apache-2.0
"""A pipe as a tool's standard input, of which the test decides when how much comes."""

import fcntl
import os
import struct
import termios
from collections.abc import Mapping

from .process import Process
from .rig import Rig
from .waiting import wait_for


class SlowPipe:
    """An update of what is written here."""

    def __init__(
        self, rig: Rig, *options: str, timeout: int = 60, env: Mapping[str, str] | None = None
    ) -> None:
        there, self._fd = os.pipe()
        os.set_blocking(self._fd, False)
        command = ("esp-ota", "update", "-", "--device", rig.device, "--reboot-timeout", "0")
        how = ("--timeout", str(timeout), "--dialect", rig.dialect.name)
        self.tool: Process = rig.tools.start(*command, *how, *options, env=env, stdin=there)
        os.close(there)
        rig.finally_close(self)
        rig.finally_kill(self.tool)

    def write(self, data: bytes, may_end: bool = False) -> None:
        """Returns when the tool has taken it, or the pipe holds it, or the tool may end and has."""
        left = bytearray(data)

        def some() -> bool:
            try:
                del left[: os.write(self._fd, left)]
            except BlockingIOError:
                assert may_end or self.tool.running, self.tool.output()
            except BrokenPipeError:
                assert may_end, self.tool.output()
                left.clear()
            return not left

        wait_for(some, "the tool to read its standard input")

    def wait_taken(self) -> None:
        """Nothing is left in the pipe."""

        def empty() -> bool:
            assert self.tool.running, self.tool.output()
            left: int = struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, bytes(4)))[0]
            return left == 0

        wait_for(empty, "the tool to read its standard input")

    def close(self) -> None:
        """The end of the image. May be called again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
