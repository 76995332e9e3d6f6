# SPDX-License-Identifier: Apache-2.0
"""A whole update: from a file or a URL, checked, to the ESP32."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Callable, Optional, Union

from ._binding import ffi, lib
from ._call import Cancel, c_path, call
from .device import Device
from .errors import OtaError

Where = Union[str, "os.PathLike[str]"]

NOTHING_ERASED = "nothing was erased"
DEFAULT_REBOOT_TIMEOUT = int(lib.hosted_update_defaults.reboot_timeout_s)  # seconds


class Stage(IntEnum):
    """What an update is doing."""

    CHECK = 0  # the image, before anything is erased
    BEGIN = 1  # the ESP32 prepares its slot
    WRITE = 2
    END = 3  # the ESP32 verifies and selects the image
    REBOOT = 4  # it restarts, and the new firmware is waited for


@dataclass(frozen=True)
class Image:
    """What an image says of itself."""

    source: str  # where it comes from; of a URL without user, password and query
    chip_id: int
    project: str
    version: str
    image_bytes: int  # 0 while a stream has not told it
    file_bytes: Optional[int]  # None while a stream has not told it
    digest_appended: bool  # else only an 8-bit checksum guards it


@dataclass(frozen=True)
class Result:
    """How far an update that succeeded is known to have succeeded."""

    answered: bool  # the ESP32 has answered after its restart; False: nobody waited for it
    verified: bool  # what answered is the image's firmware; False: it does not tell
    version: str  # of what answered, as it says; "" where it says none


Progress = Callable[[Stage, Image, int, int], None]
Reconnect = Callable[[str], object]


def _nothing(_stage: Stage, _image: Image, _done: int, _total: int) -> None:
    """Nobody watches."""


def _image(struct: Any, source: str) -> Image:
    return Image(
        source,
        struct.chip_id,
        ffi.string(struct.project).decode(errors="replace"),
        ffi.string(struct.version).decode(errors="replace"),
        struct.image_bytes,
        None if struct.file_bytes == lib.HOSTED_SIZE_UNKNOWN else struct.file_bytes,
        struct.digest_appended,
    )


class _Report:
    """Calls the caller's function from C, and keeps what it raised until C is done."""

    def __init__(self, progress: Progress, source: str) -> None:
        self._progress = progress
        self._source = source
        self._stage: Optional[Stage] = None
        self._image: Optional[Image] = None
        self.raised: Optional[BaseException] = None

    def __call__(self, stage: int, struct: Any, done: int, total: int) -> None:
        if self._image is None or stage != self._stage:
            self._stage = Stage(stage)
            self._image = _image(struct, self._source)
        self._progress(self._stage, self._image, done, total)


@ffi.def_extern()
def on_progress(ctx: Any, stage: int, image: Any, done: int, total: int) -> int:
    """A value other than 0 stops the update."""
    report = ffi.from_handle(ctx)
    try:
        report(stage, image, done, total)
    except BaseException as error:
        report.raised = error
        return 1
    return 0


@ffi.def_extern()
def on_reconnect(ctx: Any, path: Any, _fault: Any) -> int:
    """What it raises is not the update's trouble: the waiting goes on."""
    with contextlib.suppress(Exception):
        ffi.from_handle(ctx)(os.fsdecode(ffi.string(path)))
    return 0


def _options(chip: Optional[int], slot_bytes: Optional[int]) -> Any:
    options = ffi.new("struct hosted_update_options *", lib.hosted_update_defaults)
    if chip is not None:
        options.chip = chip
    options.slot_bytes = slot_bytes or 0
    return options


@contextlib.contextmanager
def _open_source(where: Where, cancel: Cancel) -> Iterator[Any]:
    pointer = ffi.new("struct hosted_source **")
    options = ffi.new("struct hosted_source_options *", {"cancel": cancel.pointer})
    call(cancel, lib.hosted_source_open, c_path(where, "source"), options, pointer)
    try:
        yield pointer[0]
    finally:
        lib.hosted_source_close(pointer[0])


def _name(source: Any) -> str:
    return os.fsdecode(ffi.string(source.name))


def update(
    device: Device,
    source: Where,
    *,
    chip: Optional[int] = None,
    slot_bytes: Optional[int] = None,
    progress: Optional[Progress] = None,
    reboot_timeout: int = DEFAULT_REBOOT_TIMEOUT,
    reconnect: Optional[Reconnect] = None,
    allow_release_change: bool = False,
    allow_bluetooth: bool = False,
) -> Result:
    """Updates the ESP32 with the image in the file, or at the URL, `source`; "-": standard input.

    chip: chip id that the image must be for; default any.
    slot_bytes: largest image; default no limit. Both only narrow what the ESP32 says of itself.
    progress: called with the stage, the image, bytes done and bytes in all (0: unknown), at the
    start of each stage and while it goes on, perhaps in another thread. What it raises stops the
    update, but for Stage.END, and is raised here.
    reboot_timeout: longest wait for the new firmware, in seconds; 0: no wait.
    reconnect: called with the device's path once the ESP32 has restarted, while the control device
    is closed, for hosts whose link needs help then.
    allow_release_change: also to a release that upstream's kernel driver may refuse to start with.
    allow_bluetooth: although a Bluetooth adapter that may be the ESP32's is up.

    Returns when the new firmware has answered. Raises OtaError; its text says what still holds.
    """
    options = _options(chip, slot_bytes)
    options.reboot_timeout_s = reboot_timeout
    options.allow_release_change = allow_release_change
    options.allow_bluetooth = allow_bluetooth
    result = ffi.new("struct hosted_update_result *")
    if reconnect is not None:
        handle_of_reconnect = ffi.new_handle(reconnect)
        options.reconnect = lib.on_reconnect
        options.reconnect_ctx = handle_of_reconnect
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(_open_source(source, device.cancel))
        except OtaError as error:
            error.add(NOTHING_ERASED)
            raise
        report = _Report(progress or _nothing, _name(opened))
        handle = ffi.new_handle(report)
        if progress is not None:
            options.progress = lib.on_progress
            options.progress_ctx = handle
        try:
            device.call(lib.hosted_update, device.pointer, opened, options, result)
        except OtaError:
            if report.raised is None:
                raise
    if report.raised is not None:
        raise report.raised
    version = ffi.string(result.version).decode(errors="replace")
    return Result(result.answered, result.verified, version)


def verify(
    source: Where,
    *,
    chip: Optional[int] = None,
    slot_bytes: Optional[int] = None,
    cancel: Optional[Cancel] = None,
) -> Image:
    """Checks the whole image of a file or URL, without a device; returns what it is.

    Raises OtaError: Status.IMAGE and the reason if it is damaged, or not for this chip or slot.
    """
    image = ffi.new("struct hosted_image *")
    cancel = cancel if cancel is not None else Cancel()
    with _open_source(source, cancel) as opened:
        call(cancel, lib.hosted_verify, opened, _options(chip, slot_bytes), image)
        return _image(image, _name(opened))
