# SPDX-License-Identifier: Apache-2.0
"""An update by hand."""

from __future__ import annotations

import errno
from types import TracebackType
from typing import Any, Optional, Union

from ._binding import ffi, lib
from .device import Device
from .errors import OtaUsageError, Status


class Session:
    """An update by hand; a context manager. See update() for a whole update with its checks.

    The ESP32 prepares its slot here. After a failed write only close() is possible: nothing is
    sent any more. The running firmware is never touched, so an update may be given up at any time
    before finish().

    slot_bytes: bounds the wait for the erase where the device was opened without a timeout.
    """

    def __init__(self, device: Device, slot_bytes: int = 0) -> None:
        self._device = device
        self._pointer = ffi.NULL
        pointer = ffi.new("struct hosted_session **")
        device.call(lib.hosted_session_open, device.pointer, slot_bytes, pointer)
        # Whichever of the two Python throws away first: the session goes before its device.
        self._pointer = ffi.gc(pointer[0], _closer(device.pointer))
        device.sessions.add(self)

    def _open_pointer(self) -> Any:
        if self._pointer == ffi.NULL:
            raise OtaUsageError(errno.EPROTO, "the session is closed", Status.USAGE)
        return self._pointer

    @property
    def confirmed(self) -> int:
        """How many bytes of the image the ESP32 has confirmed."""
        return int(lib.hosted_session_confirmed(self._open_pointer()))

    def write(self, data: Union[bytes, bytearray, memoryview]) -> None:
        """Sends the next bytes, of any number; returns once the ESP32 has confirmed them all."""
        pointer = self._open_pointer()
        with ffi.from_buffer(data) as buffer:
            self._device.call(lib.hosted_session_write, pointer, buffer, len(buffer))

    def finish(self) -> None:
        """Has the ESP32 verify and select the image; it restarts 5 s later."""
        self._device.call(lib.hosted_session_finish, self._open_pointer())

    def close(self) -> None:
        """Before finish() this abandons the update; may be called again."""
        if self._pointer == ffi.NULL:
            return
        with self._device.gate:
            pointer, self._pointer = self._pointer, ffi.NULL
            ffi.release(pointer)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def _closer(device_pointer: Any) -> Any:
    def close(pointer: Any, _device: Any = device_pointer) -> None:
        lib.hosted_session_close(pointer)

    return close
