# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, as exceptions."""

from __future__ import annotations

import errno
from enum import IntEnum


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


class Hint(IntEnum):
    """What would let a refused update go on, for whoever knows better: an argument of update()."""

    NONE = 0
    ALLOW_DOWNGRADE = 1  # versions=
    ALLOW_RELEASE_CHANGE = 2  # allow_release_change=
    ALLOW_BLUETOOTH = 3  # allow_bluetooth=
    ALLOW_ROLLED_BACK = 4  # allow_rolled_back=
    NO_TRIAL = 5  # no_trial=
    CLEAR_SESSION = 6  # clear_session=


class OtaError(OSError):
    """A failure of the library. `errno` and `strerror` are those of OSError.

    status: which kind, as a Status.
    offset: update: the first byte of the image that the ESP32 has not confirmed.
    device_code: what the ESP32 answered, 0 if it did not refuse.
    http_status: what the web server answered, 0 if it did not refuse.
    hint: what would let a refused update go on.

    Where Python has an exception of its own for it, what is raised is that one too: TimeoutError,
    FileNotFoundError, PermissionError, IsADirectoryError, and ValueError for bad arguments.
    """

    def __init__(
        self,
        number: int,
        text: str,
        status: Status = Status.LOCAL,  # as for pickle, which sets the attributes later
        *,
        offset: int = 0,
        device_code: int = 0,
        http_status: int = 0,
        hint: Hint = Hint.NONE,
    ) -> None:
        super().__init__(number, text)
        self.status = status
        self.offset = offset
        self.device_code = device_code
        self.http_status = http_status
        self.hint = hint

    def __str__(self) -> str:
        return self.strerror or ""

    def add(self, text: str) -> None:
        """Says what else holds."""
        self.strerror = f"{self}; {text}"
        self.args = (self.errno, self.strerror)


class OtaUsageError(OtaError, ValueError):
    """The caller's arguments, or the order of calls."""


class OtaTimeoutError(OtaError, TimeoutError):
    """Nothing came in time: from the ESP32, or from the web server."""


class OtaNotFoundError(OtaError, FileNotFoundError):
    """No such file or control device, or not on the web server."""


class OtaPermissionError(OtaError, PermissionError):
    """This user, or this host on the web server, may not."""


class OtaDirectoryError(OtaError, IsADirectoryError):
    """A directory where a file should be."""


_BY_NUMBER = {
    errno.ETIMEDOUT: OtaTimeoutError,
    errno.ENOENT: OtaNotFoundError,
    errno.EACCES: OtaPermissionError,
    errno.EPERM: OtaPermissionError,
    errno.EISDIR: OtaDirectoryError,
}


def error_class(number: int, status: Status) -> type[OtaError]:
    """The exception for an errno value; for an image, or an ESP32 that refuses, Python has none."""
    if status == Status.USAGE:
        return OtaUsageError
    if status in (Status.IMAGE, Status.REFUSED):
        return OtaError
    return _BY_NUMBER.get(number, OtaError)
