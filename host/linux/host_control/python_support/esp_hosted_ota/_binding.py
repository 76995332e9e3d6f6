# SPDX-License-Identifier: Apache-2.0
"""The native module, or a clear word about why it is not there."""

from __future__ import annotations

try:
    from ._native import ffi, lib
except ImportError as error:
    raise ImportError(
        f"the native part of esp_hosted_ota cannot be loaded ({error}). Build it with "
        "'make -C host/linux/host_control/c_support' for this Python; that needs its headers and "
        "cffi (Debian: python3-dev, python3-cffi)"
    ) from None

__all__ = ["ffi", "lib"]
