# SPDX-License-Identifier: Apache-2.0
"""A system bus of the test's own (the real dbus-daemon), and on it what tools use of logind."""

import asyncio
import os
import select
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus

from .process import Process
from .waiting import HANG_S, wait_for

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class SystemBus:
    """The bus alone."""

    def __init__(self, folder: Path) -> None:
        # A path that an address has to escape.
        self.path = folder / "system bus"
        self.address = f"unix:path={str(self.path).replace(' ', '%20')}"
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"{self.address};unix:path=/nonexistent"}
        config = folder / "bus.conf"
        config.write_text(CONFIG.format(path=self.address.removeprefix("unix:path=")))
        command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"]
        self._process = Process(command, folder / "dbus-daemon")
        wait_for(self._listens, "dbus-daemon")

    def _listens(self) -> bool:
        """A path that is there may not be listened on yet."""
        assert self._process.running, self._process.output()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.path)) == 0

    def close(self) -> None:
        self._process.kill()


@dataclass(frozen=True)
class Lock:
    what: str
    who: str
    why: str
    mode: str
    end: int  # a pipe's: at its end once nobody holds the other one

    @property
    def held(self) -> bool:
        return not select.select([self.end], [], [], 0)[0]


class Logind:
    """org.freedesktop.login1 as far as Inhibit() goes; `refuse` and `mute` are its other moods."""

    def __init__(self, bus: SystemBus) -> None:
        self.locks: list[Lock] = []
        self.refuse = False
        self.mute = False
        self.asked = 0
        self._bus = bus
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(HANG_S)

    async def _start(self) -> None:
        self._connection = MessageBus(
            self._bus.address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True
        )
        await self._connection.connect()
        self._connection.add_message_handler(self._on_message)
        await self._connection.request_name("org.freedesktop.login1")

    def _on_message(self, message: Message) -> bool:
        if message.message_type is not MessageType.METHOD_CALL or message.member != "Inhibit":
            return False
        assert message.interface == "org.freedesktop.login1.Manager", message.interface
        assert message.path == "/org/freedesktop/login1", message.path
        self.asked += 1
        if not self.mute:
            self._loop.create_task(self._answer(message))
        return True

    async def _answer(self, message: Message) -> None:
        if self.refuse:
            error = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
            await self._connection.send(Message.new_error(message, error, "no"))
            return
        mine, theirs = os.pipe()
        self.locks.append(Lock(*message.body, end=mine))
        await self._connection.send(Message.new_method_return(message, "h", [0], [theirs]))
        os.close(theirs)

    def close(self) -> None:
        async def stop() -> None:
            self._connection.disconnect()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(HANG_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for lock in self.locks:
            os.close(lock.end)
