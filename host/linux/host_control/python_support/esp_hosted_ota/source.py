# SPDX-License-Identifier: Apache-2.0
"""Where an image comes from, and how it is fetched."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

from ._binding import ffi, lib
from ._call import (
    Cancel,
    Listener,
    bad_argument,
    c_path,
    c_text,
    check,
    listening,
    new_fault,
    run,
)
from .device import LONGEST_TIMEOUT

Where = Union[str, "os.PathLike[str]"]

DEFAULT_STALL_TIMEOUT = 30  # seconds
DEFAULT_RETRIES = 5
MOST_RETRIES = 1000


@dataclass(frozen=True)
class Download:
    """How an image is fetched from http:// and https://; files need nothing of it.

    stall_timeout: seconds of waiting for the server that may bring nothing, 1 or more.
    retries: attempts after one that failed, in a row that brings nothing; 0: none.
    cacert: PEM file with the authorities to trust, instead of the system's.
    cert, key: PEM files with the certificate of this client, and its key if that has a file of its
    own; it must not be encrypted.
    interface: the only network interface to use, such as "ethsta0".
    proxy: its URL; None: what $http_proxy and its like say; "": none.
    store: all of the image goes to a temporary file, and is checked, before the ESP32 hears of it.
    log: called with a line when a download is tried again, goes on or begins anew; perhaps in
    another thread. What it raises is raised at the end, as with the `log` of a Device.
    """

    stall_timeout: int = DEFAULT_STALL_TIMEOUT
    retries: int = DEFAULT_RETRIES
    cacert: Optional[Where] = None
    cert: Optional[Where] = None
    key: Optional[Where] = None
    interface: Optional[str] = None
    proxy: Optional[str] = None
    store: bool = False
    log: Optional[Callable[[str], None]] = None

    def __post_init__(self) -> None:
        if not 0 < self.stall_timeout <= LONGEST_TIMEOUT:
            raise bad_argument(f"no such stall timeout: {self.stall_timeout} s")
        if not 0 <= self.retries <= MOST_RETRIES:
            raise bad_argument(f"no such number of retries: {self.retries}")


def _path(path: Optional[Where], what: str) -> Any:
    return ffi.NULL if path is None else c_path(path, what)


def _text(text: Optional[str], what: str) -> Any:
    return ffi.NULL if text is None else c_text(text, what)


def _options(
    download: Download, cancel: Cancel, listener: Optional[Listener]
) -> tuple[Any, list[Any]]:
    """The structure, and what it does not keep alive."""
    options = ffi.new("struct hosted_source_options *")
    options.cancel = cancel.pointer
    options.stall_timeout_s = download.stall_timeout
    options.retries = download.retries or -1  # 0 is the library's own number
    borrowed = [
        _path(download.cacert, "cacert"),
        _path(download.cert, "cert"),
        _path(download.key, "key"),
        _text(download.interface, "interface"),
        _text(download.proxy, "proxy"),
    ]
    options.ca_file, options.cert_file, options.key_file, options.interface, options.proxy = (
        borrowed
    )
    if listener is not None:
        handle = ffi.new_handle(listener)
        options.log = lib.on_log
        options.log_ctx = handle
        borrowed.append(handle)
    return options, borrowed


@contextlib.contextmanager
def open_source(where: Where, download: Optional[Download], cancel: Cancel) -> Iterator[Any]:
    """The library's handle of a source, for the package's own modules, in actions of run()."""
    download = download or Download()
    listener = _listener(download)
    options, _borrowed = _options(download, cancel, listener)
    pointer = ffi.new("struct hosted_source **")
    fault = new_fault()
    with listening(listener):
        check(lib.hosted_source_open(c_path(where, "source"), options, pointer, fault), fault)
        if download.store:  # takes the source over, whatever comes of it
            check(lib.hosted_source_store(pointer[0], options, pointer, fault), fault)
        try:
            yield pointer[0]
        finally:
            lib.hosted_source_close(pointer[0])


def _listener(download: Download) -> Optional[Listener]:
    return Listener(download.log) if download.log is not None else None


def find_sha256(
    source: Where, *, download: Optional[Download] = None, cancel: Optional[Cancel] = None
) -> bytes:
    """The SHA-256 that whoever published an image has put beside it, 32 bytes.

    It is looked for in the file SOURCE.sha256, and if there is none, in SHA256SUMS in the same
    folder. Raises OtaError: Status.IMAGE if neither has it, or what `download` meets.
    """
    cancel = cancel if cancel is not None else Cancel()
    download = download or Download()
    listener = _listener(download)
    options, _borrowed = _options(download, cancel, listener)
    where = c_path(source, "source")

    def act() -> bytes:
        digest = ffi.new("uint8_t[32]")
        fault = new_fault()
        with listening(listener):
            check(lib.hosted_sums_find(where, options, digest, fault), fault)
        return bytes(ffi.buffer(digest))

    return run(cancel, act)
