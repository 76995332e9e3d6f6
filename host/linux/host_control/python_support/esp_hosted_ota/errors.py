# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, as exceptions."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from ._binding import ffi


class Status(IntEnum):
    """Which kind of trouble it was; also the exit status of every tool."""

    DONE = 0
    LOCAL = 1  # this host: file, HTTP, memory, interrupted
    USAGE = 2
    IMAGE = 3  # the image was refused, nothing was erased
    NO_ANSWER = 4
    REFUSED = 5  # by the ESP32
    NOT_UP = 6  # the new firmware did not come up
    BUSY = 7  # another process holds the device
    NOTHING = 8


class OtaError(OSError):
    """A failure of the library. `errno` and `strerror` are those of OSError.

    status: which kind, as a Status.
    offset: update: the first byte of the image that the ESP32 has not confirmed.
    device_code: what the ESP32 answered, 0 if it did not refuse.
    http_status: what the web server answered, 0 if it did not refuse.
    """

    def __init__(
        self,
        number: int,
        text: str,
        status: Status,
        *,
        offset: int = 0,
        device_code: int = 0,
        http_status: int = 0,
    ) -> None:
        super().__init__(number, text)
        self.status = status
        self.offset = offset
        self.device_code = device_code
        self.http_status = http_status

    def __str__(self) -> str:
        return self.strerror or ""


def new_fault() -> Any:
    """Where a call of the library is to say why it failed."""
    return ffi.new("struct hosted_fault *")


def check(result: int, fault: Any) -> int:
    """Returns a result that is no failure; raises OtaError for one that is."""
    if result >= 0:
        return result
    raise OtaError(
        -result,
        ffi.string(fault.text).decode(errors="replace"),
        Status(fault.status),
        offset=fault.offset,
        device_code=fault.device_code,
        http_status=fault.http_status,
    )
