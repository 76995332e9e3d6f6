# SPDX-License-Identifier: Apache-2.0
"""The commands of the ESP-Hosted OTA specification, with its names and return values.

Each opens the control device ($ESP_HOSTED_DEVICE, else /dev/esps0) for itself, but from
esp_ota_begin() to esp_ota_end(), or to a failure, it stays open and locked. What failed is in
last_error(). New programs are better served by the rest of the package, which raises.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass
from typing import Callable, Optional, TypeVar, Union

from . import device as _device
from .device import Device
from .errors import OtaError, OtaUsageError, Status
from .session import Session

success = "success"
failure = "failure"
no_ap_found_str = "no_ap_found"
invalid_password_str = "invalid_password_str"

WIFI_MODE_NONE = 0
WIFI_MODE_STATION = 1
WIFI_MODE_SOFTAP = 2
WIFI_MODE_SOFTAP_STATION = 3

_Result = TypeVar("_Result")

_last_error: Optional[Exception] = None
_update: Optional[tuple[Device, Session]] = None


@dataclass(frozen=True)
class Aplist:
    """An access point of a scan. `rssi` in dBm."""

    ssid: str
    chnl: int
    rssi: int
    bssid: str
    ecn: int


def last_error() -> Optional[Exception]:
    """Why the last command failed, an OtaError or a ValueError; None if it did not."""
    return _last_error


def _attempt(action: Callable[[], _Result]) -> Union[_Result, str]:
    """The action's result, or "failure"."""
    global _last_error
    _last_error = None
    try:
        return action()
    except (OtaError, ValueError) as error:
        _last_error = error
        return failure


def _with_device(action: Callable[[Device], _Result]) -> Union[_Result, str]:
    def open_and_act() -> _Result:
        with Device() as device:
            return action(device)

    return _attempt(open_and_act)


def _done(action: Callable[[Device], None]) -> str:
    def act(device: Device) -> str:
        action(device)
        return success

    return _with_device(act)


def wifi_get_mac(mode: int) -> str:
    """The MAC address of the station (mode 1) or the soft access point (2), or "failure"."""
    return _with_device(lambda device: device.get_mac(mode))


def wifi_set_mac(mode: int, mac: str) -> str:
    """Sets the MAC address of the station (mode 1) or the soft access point (2)."""
    return _done(lambda device: device.set_mac(mac, mode))


def wifi_get_mode() -> Union[int, str]:
    """0 none, 1 station, 2 soft access point, 3 both, or "failure"."""
    return _with_device(lambda device: int(device.get_mode()[0]))


def wifi_set_mode(mode: int) -> str:
    """Sets the Wi-Fi mode, as wifi_get_mode() has it."""
    return _done(lambda device: device.set_mode(mode))


def wifi_set_ap_config(
    ssid: str, pwd: str, bssid: str, is_wpa3_supported: bool, listen_interval: int
) -> str:
    """Joins a network: "success", "no_ap_found", "invalid_password_str" or "failure"."""
    result = _done(
        lambda device: device.connect(
            ssid, pwd, bssid=bssid, wpa3=bool(is_wpa3_supported), listen_interval=listen_interval
        )
    )
    if isinstance(_last_error, OtaError) and _last_error.status == Status.REFUSED:
        words = {errno.ENOENT: no_ap_found_str, errno.EACCES: invalid_password_str}
        return words.get(_last_error.errno or 0, result)
    return result


def wifi_get_ap_config() -> Union[tuple[str, str, int, int, int], str]:
    """The connected access point: (ssid, bssid, channel, rssi, encryption), or "failure".

    "failure" also when there is none: last_error() knows the difference.
    """

    def read(device: Device) -> tuple[str, str, int, int, int]:
        ap = device.get_ap()
        return ap.ssid, ap.bssid, ap.channel, ap.rssi, ap.encryption

    return _with_device(read)


def wifi_disconnect_ap() -> str:
    """Leaves the network."""
    return _done(lambda device: device.disconnect())


def wifi_ap_scan_list() -> Union[list[Aplist], str]:
    """The access points in reach, or "failure"."""
    return _with_device(
        lambda device: [
            Aplist(ap.ssid, ap.channel, ap.rssi, ap.bssid, ap.encryption) for ap in device.scan()
        ]
    )


def _close_update() -> None:
    global _update
    if _update is not None:
        device, session = _update
        _update = None
        session.close()
        device.close()


def _session(function: str) -> Session:
    if _update is None:
        text = f"{function}: no update has begun, or it has failed"
        raise OtaUsageError(errno.EPROTO, text, Status.USAGE)
    return _update[1]


def esp_ota_begin() -> str:
    """Has the ESP32 prepare its spare slot; stock firmware erases it here, for seconds."""

    def begin() -> str:
        global _update
        _close_update()
        with contextlib.ExitStack() as stack:
            device = stack.enter_context(Device())
            _update = device, Session(device)
            stack.pop_all()
        return success

    return _attempt(begin)


def esp_ota_write(ota_data: Union[bytes, bytearray], ota_data_len: Optional[int] = None) -> str:
    """Sends the next bytes of the image. `ota_data_len` may be less than there are, never more."""

    def write() -> str:
        session = _session("esp_ota_write")
        if ota_data_len is not None and not 0 <= ota_data_len <= len(ota_data):
            raise ValueError(f"esp_ota_write: {ota_data_len} of {len(ota_data)} bytes")
        session.write(memoryview(ota_data)[:ota_data_len])
        return success

    result = failure
    try:
        result = _attempt(write)
    finally:  # whatever stops a write, Ctrl-C too, is the end of this update
        if result != success:
            _close_update()
    return result


def esp_ota_end() -> str:
    """Has the ESP32 verify the image and select it. Only after all writes have succeeded."""

    def end() -> str:
        try:
            _session("esp_ota_end").finish()
        finally:
            _close_update()
        return success

    return _attempt(end)


def interface_up(mode: int = WIFI_MODE_STATION, interface: str = "ethsta0") -> str:
    """Brings an interface up with the MAC address of the ESP32's station or access point."""

    def act() -> str:
        with Device() as device:
            mac = device.get_mac(mode)
        _device.interface_up(mac, interface)
        return success

    return _attempt(act)


def interface_down(interface: str = "ethsta0") -> str:
    """Takes an interface down."""

    def act() -> str:
        _device.interface_down(interface)
        return success

    return _attempt(act)
