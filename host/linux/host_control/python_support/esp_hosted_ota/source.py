# SPDX-License-Identifier: Apache-2.0
"""Where an image comes from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Optional, Union

from ._binding import ffi, lib
from ._call import Cancel, c_path, call

Where = Union[str, "os.PathLike[str]"]


def _options(cancel: Cancel) -> Any:
    return ffi.new("struct hosted_source_options *", {"cancel": cancel.pointer})


@contextlib.contextmanager
def open_source(where: Where, cancel: Cancel) -> Iterator[Any]:
    """The library's handle of a source, for the package's own modules."""
    pointer = ffi.new("struct hosted_source **")
    options = _options(cancel)
    call(cancel, lib.hosted_source_open, c_path(where, "source"), options, pointer)
    try:
        yield pointer[0]
    finally:
        lib.hosted_source_close(pointer[0])


def find_sha256(source: Where, *, cancel: Optional[Cancel] = None) -> bytes:
    """The SHA-256 that whoever published an image has put beside it, 32 bytes.

    It is looked for in the file SOURCE.sha256, and if there is none, in SHA256SUMS in the same
    folder. Raises OtaError: Status.IMAGE if neither has it.
    """
    cancel = cancel if cancel is not None else Cancel()
    digest = ffi.new("uint8_t[32]")
    where = c_path(source, "source")
    call(cancel, lib.hosted_sums_find, where, _options(cancel), digest)
    return bytes(ffi.buffer(digest))
