# SPDX-License-Identifier: Apache-2.0
"""A whole update: from a file or a URL, checked, to the ESP32."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Callable, Optional

from ._binding import ffi, lib
from .device import Cancel, Device
from .errors import check, new_fault


class Stage(IntEnum):
    """What an update is doing."""

    CHECK = 0  # the image, before anything is erased
    BEGIN = 1  # the ESP32 prepares its slot
    WRITE = 2
    END = 3  # the ESP32 verifies and selects the image


@dataclass(frozen=True)
class Image:
    """What an image says of itself."""

    chip_id: int
    project: str
    version: str
    image_bytes: int  # 0 while a stream has not told it
    digest_appended: bool  # else only an 8-bit checksum guards it


Progress = Callable[[Stage, Image, int, int], None]


def _image(struct: Any) -> Image:
    return Image(
        struct.chip_id,
        ffi.string(struct.project).decode(errors="replace"),
        ffi.string(struct.version).decode(errors="replace"),
        struct.image_bytes,
        struct.digest_appended,
    )


class _Report:
    """Calls the caller's function from C, and keeps what it raised until C is done."""

    def __init__(self, progress: Optional[Progress]) -> None:
        self.progress = progress
        self.raised: Optional[BaseException] = None


@ffi.def_extern()
def on_progress(ctx: Any, stage: int, image: Any, done: int, total: int) -> int:
    """A value other than 0 stops the update."""
    report = ffi.from_handle(ctx)
    try:
        report.progress(Stage(stage), _image(image), done, total)
    except BaseException as error:
        report.raised = error
        return 1
    return 0


def _options(chip: Optional[int], slot_bytes: Optional[int]) -> Any:
    options = ffi.new("struct hosted_update_options *", lib.hosted_update_defaults)
    if chip is not None:
        options.chip = chip
    options.slot_bytes = slot_bytes or 0
    return options


class _Source:
    """An open source: a file, "-", or a URL."""

    def __init__(self, where: str, cancel: Optional[Cancel]) -> None:
        pointer = ffi.new("struct hosted_source **")
        fault = new_fault()
        cancel_pointer = cancel._pointer if cancel is not None else ffi.NULL
        check(lib.hosted_source_open(where.encode(), cancel_pointer, pointer, fault), fault)
        self.pointer = pointer[0]

    def __enter__(self) -> Any:
        return self.pointer

    def __exit__(self, *_: object) -> None:
        lib.hosted_source_close(self.pointer)


def update(
    device: Device,
    source: str,
    *,
    chip: Optional[int] = None,
    slot_bytes: Optional[int] = None,
    progress: Optional[Progress] = None,
) -> None:
    """Updates the ESP32 with the image in the file, or at the URL, `source`.

    chip: chip id that the image must be for; default the ESP32's own word.
    slot_bytes: largest image; default likewise.
    progress: called with the stage, the image, bytes done and bytes in all (0: unknown); what it
    raises stops the update.

    Returns when the ESP32 has verified and selected the image; it restarts in 5 s. Raises
    OtaError; `status` says what still holds.
    """
    options = _options(chip, slot_bytes)
    report = _Report(progress)
    handle = ffi.new_handle(report)
    if progress is not None:
        options.progress = lib.on_progress
        options.progress_ctx = handle
    fault = new_fault()
    with _Source(source, device._cancel) as opened:
        result = lib.hosted_update(device.pointer, opened, options, fault)
    if report.raised is not None and result < 0:
        raise report.raised
    check(result, fault)


def verify(
    source: str,
    *,
    chip: Optional[int] = None,
    slot_bytes: Optional[int] = None,
    cancel: Optional[Cancel] = None,
) -> Image:
    """Checks the whole image of a file or URL, without a device; returns what it is."""
    image = ffi.new("struct hosted_image *")
    fault = new_fault()
    with _Source(source, cancel) as opened:
        check(lib.hosted_verify(opened, _options(chip, slot_bytes), image, fault), fault)
    return _image(image)
