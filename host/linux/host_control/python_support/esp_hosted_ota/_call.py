# SPDX-License-Identifier: Apache-2.0
"""How Python calls the library: failures become exceptions, and Ctrl-C ends a wait."""

from __future__ import annotations

import _thread
import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from typing import Any, Callable, Optional, TypeVar, Union, cast

from ._binding import ffi, lib
from .errors import Hint, OtaError, OtaUsageError, Status, error_class

_Result = TypeVar("_Result")


class Cancel:
    """A way to stop a call from another thread or a signal handler, once and for all."""

    def __init__(self) -> None:
        self.has_signals = False
        self.pointer = ffi.NULL
        run(None, self._make)

    def _make(self) -> None:
        pointer = ffi.new("struct hosted_cancel **")
        result = lib.hosted_cancel_new(pointer)
        if result < 0:
            raise OtaError(-result, "cannot make an eventfd", Status.LOCAL)
        self.pointer = ffi.gc(pointer[0], lib.hosted_cancel_free)

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
        hint=Hint(fault.hint),
    )


class _Work:
    """An action in a thread of its own, and what comes of it."""

    def __init__(self, action: Callable[[], _Result]) -> None:
        self._action: Optional[Callable[[], _Result]] = action
        # Who has put himself in here first decides whether it runs. To ask again is no harm.
        self._claim: dict[str, bool] = {}
        self._ended = False
        self._lock = _thread.allocate_lock()
        self._lock.acquire()
        self._value: Any = None
        self._error: Optional[BaseException] = None

    def run(self) -> None:
        """The thread."""
        if not self._claim.setdefault("runs", True):
            return
        try:
            self._value = self._action() if self._action is not None else None
        except BaseException as error:
            self._error = error
        self._action = None  # and whatever that borrows
        self._ended = True
        lock = self._lock
        del self  # the error has this frame in its traceback, and would keep itself alive
        lock.release()

    def wait(self) -> None:
        """Returns once it has ended; may be called again."""
        while not self._ended:
            self._lock.acquire()

    def stop(self, cancel: Optional[Cancel]) -> None:
        """Returns once it has ended, or will never run; whatever signal handlers raise meanwhile.

        The device is not to be used after that: nobody knows what has been done.
        """
        while True:
            try:
                if cancel is not None:
                    cancel.request()
                if self._claim.setdefault("runs", False):
                    self.wait()
                else:
                    self._action = None  # which a thread that is late would keep alive
                return
            except BaseException:  # more of Ctrl-C
                continue

    def result(self) -> Any:
        """What it returned, or raises what it raised; once only."""
        value, self._value = self._value, None
        error, self._error = self._error, None
        if error is None:
            return value
        try:
            raise error
        finally:
            del error  # which has this frame in its traceback


def run(cancel: Optional[Cancel], action: Callable[[], _Result]) -> _Result:
    """action(), which calls the library and may take long; returns its result, or raises.

    Python runs its signal handlers between steps of the main thread, and a call into C is one
    step. So the main thread has another one act, and when Ctrl-C is pressed meanwhile, what that
    does is cancelled and waited for, and KeyboardInterrupt goes on its way. No handler ever runs in
    the middle of an action, so that nothing is left half done.
    """
    handled = cancel is not None and cancel.has_signals
    if handled or threading.current_thread() is not threading.main_thread():
        return action()
    work = _Work(action)
    try:
        try:
            _thread.start_new_thread(work.run, ())
            work.wait()
        except BaseException:
            work.stop(cancel)
            raise
    except BaseException:  # Ctrl-C again, before stop() could begin
        work.stop(cancel)
        raise
    return cast("_Result", work.result())


class Gate:
    """Lets one call at a time get to a device: not another thread's, nor one from a callback.

    For actions of run(): `caller` is the thread that called that.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._caller: Optional[int] = None

    @contextlib.contextmanager
    def call(self, caller: int) -> Iterator[None]:
        """For a call; an OtaUsageError if there is one already."""
        with self._changed:
            self._enter(caller)
        try:
            yield
        finally:
            self._leave()

    @contextlib.contextmanager
    def closing(self, caller: int, cancel: Cancel) -> Iterator[None]:
        """The same, but a call that its own thread has left to itself is ended first."""
        with self._changed:
            if self._caller == caller != threading.get_ident():
                cancel.request()
                self._changed.wait_for(lambda: self._caller is None)
            self._enter(caller)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, caller: int) -> None:
        if self._caller is not None:
            raise OtaUsageError(errno.EBUSY, "the device is in use by another call", Status.USAGE)
        self._caller = caller

    def _leave(self) -> None:
        with self._changed:
            self._caller = None
            self._changed.notify_all()


class Listener:
    """A function of the caller's that C calls. What it raises is kept until C is done."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function
        self.raised: Optional[BaseException] = None

    def __call__(self, *arguments: Any) -> None:
        try:
            self._function(*arguments)
        except BaseException as error:
            if self.raised is None:
                self.raised = error

    def take(self) -> Optional[BaseException]:
        """What it raised first since it was asked last."""
        raised, self.raised = self.raised, None
        return raised


@contextlib.contextmanager
def listening(*listeners: Optional[Listener]) -> Iterator[None]:
    """Raises at its end what they raised; a failure of C's is the __cause__ of that."""
    cause: Optional[BaseException] = None
    try:
        yield
    except BaseException as error:
        cause = error
    taken = [listener.take() for listener in listeners if listener is not None]
    raised = next(filter(None, taken), None)
    try:
        if raised is not None:
            raise raised from cause
        if cause is not None:
            raise cause
    finally:
        del cause, raised, taken  # which have this frame in their tracebacks


def bad_argument(text: str) -> OtaUsageError:
    """The exception for a value that cannot be."""
    return OtaUsageError(errno.EINVAL, text, Status.USAGE)


def c_text(text: str, what: str) -> Any:
    """A str as a C string, in UTF-8. The text itself is in no message: it may be a password."""
    try:
        encoded = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise bad_argument(f"{what}: not a text that can be encoded") from None
    return _c_string(encoded, what)


def c_path(path: Union[str, os.PathLike[str]], what: str) -> Any:
    """A path, or a URL, as a C string."""
    return _c_string(os.fsencode(path), what)


def _c_string(data: bytes, what: str) -> Any:
    if b"\0" in data:
        raise bad_argument(f"{what}: contains a NUL")
    return ffi.new("char[]", data)
