# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, with a deadline that only a hang reaches."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Far above what anything here takes on a slow machine: reaching it means that it will never come.
HANG_S = 60.0


def wait_for(probe: Callable[[], T], what: str, timeout: float = HANG_S) -> T:
    """Calls `probe` until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s for {what}")
        time.sleep(0.005)
