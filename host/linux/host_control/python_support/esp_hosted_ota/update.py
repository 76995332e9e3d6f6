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
from ._call import (
    Cancel,
    Listener,
    bad_argument,
    c_path,
    check,
    error_of,
    listening,
    new_fault,
    run,
)
from .device import LONGEST_TIMEOUT, MOST_BYTES, MOST_CHIPS, Device, chip_by_name
from .errors import OtaError
from .source import Download, Where, open_source

SHA256_BYTES = 32
NOTHING_ERASED = "nothing was erased"
DEFAULT_REBOOT_TIMEOUT = int(lib.hosted_update_defaults.reboot_timeout_s)  # seconds


class Stage(IntEnum):
    """What an update is doing."""

    CHECK = 0  # the image, before anything is erased
    BEGIN = 1  # the ESP32 prepares its slot
    WRITE = 2
    END = 3  # the ESP32 verifies and selects the image
    REBOOT = 4  # it restarts, and the new firmware is waited for


class VersionPolicy(IntEnum):
    """Which image counts, by its version and the one that runs, where both are comparable."""

    ANY = 0
    OTHER = 1  # the same version: nothing to do, Status.NOTHING
    NOT_OLDER = 2  # likewise, and an older one is refused, Status.IMAGE
    NEWER = 3  # nothing to do unless it is newer, and refused where that cannot be told


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
    sha256: Optional[bytes] = None  # of the file; None while a stream has not ended
    signature_ok: bool = False  # signed with the public key that was given; seen at the end
    extension: bool = False  # it can be on trial, and be confirmed; seen at the end


@dataclass(frozen=True)
class Result:
    """How far an update that succeeded is known to have succeeded."""

    answered: bool  # the ESP32 has answered after its restart; False: nobody waited for it
    verified: bool  # what answered is the image's firmware; False: it does not tell
    version: str  # of what answered, as it says; "" where it says none
    confirmed: bool = False  # the ESP32 has been told that it counts as good
    unguarded: bool = False  # the boot loader knows no rollback: only its own timer guarded it
    sent_bytes: int = 0
    kept_bytes: int = 0  # that the slot held already
    trial_missed: bool = False  # a trial was due, and none took place: it stays all the same


Progress = Callable[[Stage, Image, int, int], None]
Reconnect = Callable[[str], object]
Objection = Callable[[OtaError], object]


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
        bytes(struct.sha256) if any(struct.sha256) else None,
        struct.signature_ok,
        struct.extension,
    )


class _Report(Listener):
    """Calls the caller's function from C."""

    def __init__(self, progress: Progress, source: str) -> None:
        super().__init__(progress)
        self._source = source
        self._stage: Optional[Stage] = None
        self._image: Optional[Image] = None

    def report(self, stage: int, struct: Any, done: int, total: int) -> None:
        """How far the update is."""
        if self._image is None or stage != self._stage:
            self._stage = Stage(stage)
            self._image = _image(struct, self._source)
        self(self._stage, self._image, done, total)


@ffi.def_extern()
def on_progress(ctx: Any, stage: int, image: Any, done: int, total: int) -> int:
    """A value other than 0 stops the update."""
    report = ffi.from_handle(ctx)
    report.report(stage, image, done, total)
    return 0 if report.raised is None else 1


@ffi.def_extern()
def on_reconnect(ctx: Any, path: Any, _fault: Any) -> int:
    """What it raises is not the update's trouble: the waiting goes on."""
    with contextlib.suppress(Exception):
        ffi.from_handle(ctx)(os.fsdecode(ffi.string(path)))
    return 0


@ffi.def_extern()
def on_objection(ctx: Any, fault: Any) -> None:
    """Hands a reason against an update to the Python list behind `ctx`."""
    ffi.from_handle(ctx).append(error_of(fault))


def _result(struct: Any) -> Result:
    return Result(
        struct.answered,
        struct.verified,
        ffi.string(struct.version).decode(errors="replace"),
        struct.confirmed,
        struct.unguarded,
        struct.sent_bytes,
        struct.kept_bytes,
        struct.trial_missed,
    )


def _name(source: Any) -> str:
    return os.fsdecode(ffi.string(source.name))


class _Options:
    """The library's options, and what they borrow."""

    def __init__(
        self,
        chip: Union[int, str, None],
        slot_bytes: Optional[int],
        sha256: Union[bytes, str, None],
        public_key: Optional[Where],
    ) -> None:
        slot_bytes = slot_bytes or 0
        if not 0 <= slot_bytes <= MOST_BYTES:
            raise bad_argument(f"no such slot: {slot_bytes} bytes")
        self.pointer = ffi.new("struct hosted_update_options *", lib.hosted_update_defaults)
        self.borrowed: list[Any] = []
        if chip is not None:
            self.pointer.chip = _chip(chip)
        self.pointer.slot_bytes = slot_bytes
        if sha256 is not None:
            self.pointer.sha256 = self.keep(ffi.new("uint8_t[]", _digest(sha256)))
        if public_key is not None:
            self.pointer.public_key = self.keep(c_path(public_key, "public_key"))

    def keep(self, thing: Any) -> Any:
        """Keeps it as long as this lives."""
        self.borrowed.append(thing)
        return thing

    def policy(
        self,
        versions: VersionPolicy,
        allow_release_change: bool,
        allow_bluetooth: bool,
        allow_rolled_back: bool,
        no_trial: bool,
    ) -> None:
        """What is allowed beside the usual."""
        self.pointer.version_policy = versions
        self.pointer.allow_release_change = allow_release_change
        self.pointer.allow_bluetooth = allow_bluetooth
        self.pointer.allow_rolled_back = allow_rolled_back
        self.pointer.no_trial = no_trial


def _chip(chip: Union[int, str]) -> int:
    if isinstance(chip, str):
        return chip_by_name(chip)
    if not 0 <= chip <= MOST_CHIPS:
        raise bad_argument(f"no such chip: {chip}")
    return chip


def _digest(sha256: Union[bytes, str]) -> bytes:
    digest = bytes.fromhex(sha256) if isinstance(sha256, str) else sha256
    if len(digest) != SHA256_BYTES:
        raise bad_argument(f"sha256: {len(digest)} bytes, not {SHA256_BYTES}")
    return digest


@contextlib.contextmanager
def _opened(source: Where, download: Optional[Download], device: Device) -> Iterator[Any]:
    """For an update: what cannot be opened has changed nothing."""
    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(open_source(source, download, device.cancel))
        except OtaError as error:
            error.add(NOTHING_ERASED)
            raise
        yield opened


def update(
    device: Device,
    source: Where,
    *,
    chip: Union[int, str, None] = None,
    slot_bytes: Optional[int] = None,
    sha256: Union[bytes, str, None] = None,
    public_key: Optional[Where] = None,
    versions: VersionPolicy = VersionPolicy.ANY,
    allow_release_change: bool = False,
    allow_bluetooth: bool = False,
    allow_rolled_back: bool = False,
    no_trial: bool = False,
    trial: Optional[int] = None,
    clear_session: bool = False,
    download: Optional[Download] = None,
    progress: Optional[Progress] = None,
    reboot_timeout: int = DEFAULT_REBOOT_TIMEOUT,
    reconnect: Optional[Reconnect] = None,
) -> Result:
    """Updates the ESP32 with the image in the file, or at the URL, `source`; "-": standard input.

    chip: that the image must be for: its id, or its name, "esp32c3"; default any.
    slot_bytes: largest image; default no limit. Both only narrow what the ESP32 says of itself.
    sha256: what the SHA-256 of the file must be: 32 bytes, or 64 hexadecimal digits.
    public_key: PEM file with the key, RSA-3072 or ECDSA P-256, that the image must be signed with
    for Secure Boot v2.
    versions: which versions count; default any.
    allow_release_change: also to a release that upstream's kernel driver may refuse to start with.
    allow_bluetooth: although a Bluetooth adapter that may be the ESP32's is up.
    allow_rolled_back: also an image that this ESP32 has tried, and gone back from.
    no_trial: the image counts as good at once: also one that cannot confirm itself.
    trial: firmware with this project's extension goes back by itself unless the new one is found
    to run, and confirmed, within so many seconds of its start; default 120, or more.
    clear_session: stock firmware that refuses to begin because an update was cut off: end that
    one. If all of its image was sent, that image is selected, and this raises EALREADY.
    download: how a URL is fetched.
    progress: called with the stage, the image, bytes done and bytes in all (0: unknown), at the
    start of each stage and while it goes on, perhaps in another thread. What it raises stops the
    update, but for Stage.END, and is raised here; the OtaError with which the update ended, if it
    did not succeed all the same, is its __cause__, and says what still holds.
    reboot_timeout: longest wait for the new firmware, in seconds; 0: no wait.
    reconnect: called with the device's path once the ESP32 has restarted, while the control device
    is closed, for hosts whose link needs help then. An Exception that it raises is ignored.

    Returns when the new firmware has answered. Raises OtaError; its text says what still holds, its
    status what it was: Status.NOTHING if `versions` found nothing to do.
    """
    options = _Options(chip, slot_bytes, sha256, public_key)
    options.policy(versions, allow_release_change, allow_bluetooth, allow_rolled_back, no_trial)
    if not 0 <= reboot_timeout <= LONGEST_TIMEOUT:
        raise bad_argument(f"no such timeout: {reboot_timeout} s")
    options.pointer.reboot_timeout_s = reboot_timeout
    if trial is not None and not 0 < trial <= LONGEST_TIMEOUT:
        raise bad_argument(f"no such trial: {trial} s")
    options.pointer.trial_s = trial or 0
    options.pointer.clear_session = clear_session
    result = ffi.new("struct hosted_update_result *")
    if reconnect is not None:
        options.pointer.reconnect = lib.on_reconnect
        options.pointer.reconnect_ctx = options.keep(ffi.new_handle(reconnect))

    def act(pointer: Any) -> None:
        fault = new_fault()
        with _opened(source, download, device) as opened:
            report = _Report(progress or _nothing, _name(opened))
            if progress is not None:
                options.pointer.progress = lib.on_progress
                options.pointer.progress_ctx = options.keep(ffi.new_handle(report))
            with listening(report):
                check(lib.hosted_update(pointer, opened, options.pointer, result, fault), fault)

    device.run(act)
    return _result(result)


def rollback(
    device: Device,
    *,
    reboot_timeout: int = DEFAULT_REBOOT_TIMEOUT,
    reconnect: Optional[Reconnect] = None,
) -> Result:
    """Has the ESP32 go back to the firmware before the one that runs, and waits for that.

    OtaError.status: Status.REFUSED if there is none to go back to, Status.NOT_UP if it did not.
    """
    options = _Options(None, None, None, None)
    if not 0 <= reboot_timeout <= LONGEST_TIMEOUT:
        raise bad_argument(f"no such timeout: {reboot_timeout} s")
    options.pointer.reboot_timeout_s = reboot_timeout
    if reconnect is not None:
        options.pointer.reconnect = lib.on_reconnect
        options.pointer.reconnect_ctx = options.keep(ffi.new_handle(reconnect))
    result = ffi.new("struct hosted_update_result *")

    def act(pointer: Any) -> None:
        fault = new_fault()
        check(lib.hosted_rollback(pointer, options.pointer, result, fault), fault)

    device.run(act)
    return _result(result)


def check_update(
    device: Optional[Device],
    source: Where,
    *,
    chip: Union[int, str, None] = None,
    slot_bytes: Optional[int] = None,
    sha256: Union[bytes, str, None] = None,
    public_key: Optional[Where] = None,
    versions: VersionPolicy = VersionPolicy.ANY,
    allow_release_change: bool = False,
    allow_bluetooth: bool = False,
    allow_rolled_back: bool = False,
    no_trial: bool = False,
    download: Optional[Download] = None,
    objection: Optional[Objection] = None,
) -> Image:
    """What update() would check before it begins and before it ends, and nothing more.

    device: None: the image alone is checked, and `versions` plays no part.
    objection: called with every reason against the update, as an OtaError.

    Returns what the image is. Raises OtaError: the first reason; or what kept it from checking.
    """
    options = _Options(chip, slot_bytes, sha256, public_key)
    options.policy(versions, allow_release_change, allow_bluetooth, allow_rolled_back, no_trial)
    image = ffi.new("struct hosted_image *")
    reasons: list[OtaError] = []
    handle = ffi.new_handle(reasons)
    cancel = device.cancel if device is not None else Cancel()

    def act(pointer: Any) -> Image:
        fault = new_fault()
        how = (options.pointer, lib.on_objection, handle, image, fault)
        with open_source(source, download, cancel) as opened:
            check(lib.hosted_update_check(pointer, opened, *how), fault)
            return _image(image, _name(opened))

    try:
        return device.run(act) if device is not None else run(cancel, lambda: act(ffi.NULL))
    finally:
        for reason in reasons:
            if objection is not None:
                objection(reason)


def verify(
    source: Where,
    *,
    chip: Union[int, str, None] = None,
    slot_bytes: Optional[int] = None,
    sha256: Union[bytes, str, None] = None,
    public_key: Optional[Where] = None,
    download: Optional[Download] = None,
    cancel: Optional[Cancel] = None,
) -> Image:
    """Checks the whole image of a file or URL, without a device; returns what it is.

    The arguments are those of update(). Raises OtaError: Status.IMAGE and the reason if it is
    damaged, or not what is demanded of it.
    """
    options = _Options(chip, slot_bytes, sha256, public_key)
    image = ffi.new("struct hosted_image *")
    cancel = cancel if cancel is not None else Cancel()

    def act() -> Image:
        fault = new_fault()
        with open_source(source, download, cancel) as opened:
            check(lib.hosted_verify(opened, options.pointer, image, fault), fault)
            return _image(image, _name(opened))

    return run(cancel, act)
