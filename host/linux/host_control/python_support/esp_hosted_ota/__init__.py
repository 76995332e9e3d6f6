# SPDX-License-Identifier: Apache-2.0
"""Firmware update and Wi-Fi control of an ESP32 that runs ESP-Hosted, over its control path.

    with Device() as device:
        update(device, "http://192.168.0.106:9999/network_adapter.bin")

The functions of the ESP-Hosted OTA specification are in esp_hosted_ota.commands.
"""

from ._call import Cancel
from .device import (
    AccessPoint,
    Counters,
    Device,
    DeviceStatus,
    Encryption,
    Event,
    EventKind,
    Feature,
    Identity,
    Mode,
    Slot,
    SlotState,
    check_network,
    chip_name,
    interface_down,
    interface_up,
)
from .errors import (
    Hint,
    OtaDirectoryError,
    OtaError,
    OtaNotFoundError,
    OtaPermissionError,
    OtaTimeoutError,
    OtaUsageError,
    Status,
)
from .session import Session
from .source import Download, find_sha256
from .update import Image, Result, Stage, VersionPolicy, check_update, rollback, update, verify

__all__ = [
    "AccessPoint",
    "Cancel",
    "Counters",
    "Device",
    "DeviceStatus",
    "Download",
    "Encryption",
    "Event",
    "EventKind",
    "Feature",
    "Hint",
    "Identity",
    "Image",
    "Mode",
    "OtaDirectoryError",
    "OtaError",
    "OtaNotFoundError",
    "OtaPermissionError",
    "OtaTimeoutError",
    "OtaUsageError",
    "Result",
    "Session",
    "Slot",
    "SlotState",
    "Stage",
    "Status",
    "VersionPolicy",
    "check_network",
    "check_update",
    "chip_name",
    "find_sha256",
    "interface_down",
    "interface_up",
    "rollback",
    "update",
    "verify",
]
