# SPDX-License-Identifier: Apache-2.0
"""An update by hand."""

from __future__ import annotations

import errno
from types import TracebackType
from typing import Any, Optional, Union

from ._binding import ffi, lib
from ._call import bad_argument, check, new_fault
from .device import MOST_BYTES, Device
from .errors import OtaUsageError, Status


class Session:
    """An update by hand; a context manager. See update() for a whole update with its checks.

    The ESP32 prepares its slot here. After a failed write only close() is possible: nothing is
    sent any more. The running firmware is never touched, so an update may be given up at any time
    before finish().

    slot_bytes: bounds the wait for the erase where the device was opened without a timeout.
    """

    def __init__(self, device: Device, slot_bytes: int = 0) -> None:
        if not 0 <= slot_bytes <= MOST_BYTES:
            raise bad_argument(f"no such slot: {slot_bytes} bytes")
        self._device = device

        def act(device_pointer: Any) -> None:
            pointer = ffi.new("struct hosted_session **")
            fault = new_fault()
            check(lib.hosted_session_open(device_pointer, slot_bytes, pointer, fault), fault)
            device.add_session(self, pointer[0])

        device.run(act)

    def _pointer(self) -> Any:
        pointer = self._device.session_of(self)
        if pointer is None:
            raise OtaUsageError(errno.EPROTO, "the session is closed", Status.USAGE)
        return pointer

    @property
    def confirmed(self) -> int:
        """How many bytes of the image the ESP32 has confirmed."""
        return int(lib.hosted_session_confirmed(self._pointer()))

    def write(self, data: Union[bytes, bytearray, memoryview]) -> None:
        """Sends the next bytes, of any number; returns once the ESP32 has confirmed them all."""
        self._pointer()

        def act(_device: Any) -> None:
            fault = new_fault()
            with ffi.from_buffer(data) as buffer:
                result = lib.hosted_session_write(self._pointer(), buffer, len(buffer), fault)
            check(result, fault)

        self._device.run(act)

    def finish(self) -> None:
        """Has the ESP32 verify and select the image; it restarts 5 s later."""
        self._pointer()

        def act(_device: Any) -> None:
            fault = new_fault()
            check(lib.hosted_session_finish(self._pointer(), fault), fault)

        self._device.run(act)

    def close(self) -> None:
        """Before finish() this abandons the update; may be called again."""
        if self._device.session_of(self) is not None:
            self._device.close_session(self)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()
