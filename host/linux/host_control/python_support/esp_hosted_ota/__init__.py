# SPDX-License-Identifier: Apache-2.0
"""Firmware update and Wi-Fi control of an ESP32 that runs ESP-Hosted, over its control path."""

from .device import (
    AccessPoint,
    Cancel,
    Device,
    Encryption,
    Identity,
    Mode,
    Session,
    interface_down,
    interface_up,
)
from .errors import OtaError, Status
from .update import Image, Stage, update, verify

__all__ = [
    "AccessPoint",
    "Cancel",
    "Device",
    "Encryption",
    "Identity",
    "Image",
    "Mode",
    "OtaError",
    "Session",
    "Stage",
    "Status",
    "interface_down",
    "interface_up",
    "update",
    "verify",
]
