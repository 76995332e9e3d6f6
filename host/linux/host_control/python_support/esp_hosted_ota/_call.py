# SPDX-License-Identifier: Apache-2.0
"""How Python calls the library: failures become exceptions, and Ctrl-C ends a wait."""

from __future__ import annotations

import _thread
import contextlib
import errno
import os
import threading
from concurrent.futures import Future
from typing import Any, Union

from ._binding import ffi, lib
from .errors import OtaError, OtaUsageError, Status, error_class


class Cancel:
    """A way to stop a call from another thread or a signal handler, once and for all."""

    def __init__(self) -> None:
        pointer = ffi.new("struct hosted_cancel **")
        result = lib.hosted_cancel_new(pointer)
        if result < 0:
            raise OtaError(-result, "cannot make an eventfd", Status.LOCAL)
        self.pointer = ffi.gc(pointer[0], lib.hosted_cancel_free)
        self.has_signals = False

    def request(self) -> None:
        """Has every call that was given this object end with ECANCELED."""
        lib.hosted_cancel_request(self.pointer)

    @property
    def requested(self) -> bool:
        """Whether it has been requested."""
        return bool(lib.hosted_cancel_requested(self.pointer))

    @classmethod
    def on_signals(cls) -> Cancel:
        """For tools: SIGINT, SIGTERM and SIGHUP request it, a second one ends the process.

        From then on Python's own handlers of these signals are not called.
        """
        pointer = ffi.new("struct hosted_cancel **")
        fault = new_fault()
        check(lib.cli_catch_signals(pointer, fault), fault)
        cancel = cls.__new__(cls)
        cancel.pointer = pointer[0]  # lives as long as the process
        cancel.has_signals = True
        return cancel


def new_fault() -> Any:
    """Where a call of the library is to say why it failed."""
    return ffi.new("struct hosted_fault *")


def check(result: int, fault: Any) -> int:
    """Returns a result that is no failure; raises OtaError for one that is."""
    if result >= 0:
        return result
    raise error_of(fault)


def error_of(fault: Any) -> OtaError:
    """The exception for what a call of the library has said."""
    number = -fault.error
    status = Status(fault.status)
    return error_class(number, status)(
        number,
        ffi.string(fault.text).decode(errors="replace"),
        status,
        offset=fault.offset,
        device_code=fault.device_code,
        http_status=fault.http_status,
    )


def call(cancel: Cancel, function: Any, *arguments: Any) -> int:
    """function(*arguments, fault), which may take long; returns its result, or raises.

    Python runs its signal handlers between steps of the main thread, and a call into C is one
    step. So the main thread has another one make the call, and when Ctrl-C is pressed meanwhile,
    the call is cancelled and KeyboardInterrupt goes on its way.
    """
    fault = new_fault()
    if cancel.has_signals or threading.current_thread() is not threading.main_thread():
        return check(function(*arguments, fault), fault)

    outcome: Future[int] = Future()

    def run() -> None:
        try:
            outcome.set_result(function(*arguments, fault))
        except BaseException as error:  # a wrong argument: the caller's to see
            outcome.set_exception(error)

    started = False
    try:
        started = bool(_thread.start_new_thread(run, ()))
        result = outcome.result()
    except BaseException:
        if started:
            cancel.request()
            _wait(outcome)
        raise
    return check(result, fault)


def _wait(outcome: Future[int]) -> None:
    """Whatever happens: C must be done with the caller's memory."""
    while not outcome.done():
        with contextlib.suppress(BaseException):  # more of Ctrl-C
            outcome.exception()


class Gate:
    """Lets one call at a time get to a device: not another thread's, nor one from a callback."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise OtaUsageError(errno.EBUSY, "the device is in use by another call", Status.USAGE)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def c_text(text: str, what: str) -> Any:
    """A str as a C string, in UTF-8. The text itself is in no message: it may be a password."""
    try:
        encoded = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise ValueError(f"{what}: not a text that can be encoded") from None
    return _c_string(encoded, what)


def c_path(path: Union[str, os.PathLike[str]], what: str) -> Any:
    """A path, or a URL, as a C string."""
    return _c_string(os.fsencode(path), what)


def _c_string(data: bytes, what: str) -> Any:
    if b"\0" in data:
        raise ValueError(f"{what}: contains a NUL")
    return ffi.new("char[]", data)
