# SPDX-License-Identifier: Apache-2.0
"""One ESP32 behind its control device."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any, Callable, Optional

from ._binding import ffi, lib
from .errors import OtaError, Status, check, new_fault

DIALECTS = {"auto": lib.HOSTED_DIALECT_AUTO, "classic": lib.HOSTED_DIALECT_CLASSIC}


class Mode(IntEnum):
    """Wi-Fi mode."""

    NONE = 0
    STATION = 1
    ACCESS_POINT = 2
    BOTH = 3


class Encryption(IntEnum):
    """Encryption of an access point."""

    OPEN = 0
    WEP = 1
    WPA_PSK = 2
    WPA2_PSK = 3
    WPA_WPA2_PSK = 4
    WPA2_ENTERPRISE = 5
    WPA3_PSK = 6
    WPA2_WPA3_PSK = 7


@dataclass(frozen=True)
class AccessPoint:
    """What is known of an access point. `rssi` in dBm."""

    ssid: str
    bssid: str
    channel: int
    rssi: int
    encryption: int  # an Encryption, or a number that it has not


@dataclass(frozen=True)
class Identity:
    """What firmware with this project's extension says of itself."""

    chip_id: int  # as in the image header
    slot_bytes: int  # of the slot that the next update goes to
    running_slot: str
    project: str
    version: str
    can_roll_back: Optional[bool]  # of the boot loader; None: not known yet


class Cancel:
    """A way to stop a call from another thread or a signal handler, once and for all."""

    def __init__(self) -> None:
        pointer = ffi.new("struct hosted_cancel **")
        result = lib.hosted_cancel_new(pointer)
        if result < 0:
            raise OtaError(-result, "cannot make an eventfd", Status.LOCAL)
        self._pointer = ffi.gc(pointer[0], lib.hosted_cancel_free)

    def request(self) -> None:
        """Has every call that was given this object end with ECANCELED."""
        lib.hosted_cancel_request(self._pointer)

    @classmethod
    def on_signals(cls) -> Cancel:
        """For tools: SIGINT, SIGTERM and SIGHUP request it, a second one ends the process."""
        pointer = ffi.new("struct hosted_cancel **")
        fault = new_fault()
        check(lib.cli_catch_signals(pointer, fault), fault)
        cancel = cls.__new__(cls)
        cancel._pointer = pointer[0]  # lives as long as the process
        return cancel


@ffi.def_extern()
def on_log(ctx: Any, line: Any) -> None:
    """Hands a line of the library's log to the Python function behind `ctx`."""
    ffi.from_handle(ctx)(ffi.string(line).decode(errors="replace"))


def _text(array: Any) -> str:
    return ffi.string(array).decode(errors="replace")


def _access_point(struct: Any) -> AccessPoint:
    ssid = ffi.unpack(struct.ssid, struct.ssid_len).decode(errors="surrogateescape")
    return AccessPoint(
        ssid, _text(struct.bssid), struct.channel, struct.rssi, int(struct.encryption)
    )


class Device:
    """An open, locked control device; a context manager.

    path: default $ESP_HOSTED_DEVICE, else /dev/esps0.
    timeout: longest wait for one reply, in seconds; default 30, longer for the erase of a slot.
    dialect: "auto" or "classic".
    log: called with each line about what happens on the wire.

    Every method may raise OtaError. One thread at a time.
    """

    def __init__(
        self,
        path: Optional[str] = None,
        *,
        timeout: Optional[int] = None,
        dialect: str = "auto",
        cancel: Optional[Cancel] = None,
        log: Optional[Callable[[str], None]] = None,
    ) -> None:
        self._pointer = ffi.NULL
        self._cancel = cancel
        if dialect not in DIALECTS:
            raise ValueError(f"no such dialect: {dialect!r}")
        options = ffi.new("struct hosted_options *")
        # Strings and handles must live as long as the device does: the library borrows them.
        self._keep = [ffi.new("char[]", path.encode()) if path is not None else ffi.NULL]
        options.path = self._keep[0]
        options.timeout_s = timeout or 0
        options.dialect = DIALECTS[dialect]
        options.cancel = cancel._pointer if cancel is not None else ffi.NULL
        if log is not None:
            self._keep.append(ffi.new_handle(log))
            options.log = lib.on_log
            options.log_ctx = self._keep[-1]
        pointer = ffi.new("struct hosted_device **")
        fault = new_fault()
        check(lib.hosted_open(options, pointer, fault), fault)
        self._pointer = pointer[0]

    def close(self) -> None:
        """Closes and unlocks; may be called again."""
        pointer, self._pointer = self._pointer, ffi.NULL
        lib.hosted_close(pointer)

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    @property
    def pointer(self) -> Any:
        """The library's handle, for the package's own modules."""
        if self._pointer == ffi.NULL:
            raise ValueError("the device is closed")
        return self._pointer

    def _call(self, function: Any, *arguments: Any) -> int:
        fault = new_fault()
        return check(function(self.pointer, *arguments, fault), fault)

    def get_mode(self) -> tuple[Mode, Optional[Identity]]:
        """The Wi-Fi mode, and who answers: None for stock firmware."""
        mode = ffi.new("enum hosted_mode *")
        identity = ffi.new("struct hosted_identity *")
        self._call(lib.hosted_get_mode, mode, identity)
        if not identity.known:
            return Mode(mode[0]), None
        can_roll_back = None if identity.can_roll_back < 0 else bool(identity.can_roll_back)
        return Mode(mode[0]), Identity(
            identity.chip_id,
            identity.slot_bytes,
            _text(identity.running_slot),
            _text(identity.project),
            _text(identity.version),
            can_roll_back,
        )

    def set_mode(self, mode: int) -> None:
        """Sets the Wi-Fi mode."""
        self._call(lib.hosted_set_mode, mode)

    def get_mac(self, mode: int = Mode.STATION) -> str:
        """The MAC address "aa:bb:cc:dd:ee:ff" of the station or of the access point."""
        mac = ffi.new("char[]", lib.HOSTED_MAC_CHARS + 1)
        self._call(lib.hosted_get_mac, mode, mac)
        return _text(mac)

    def set_mac(self, mac: str, mode: int = Mode.STATION) -> None:
        """Sets the MAC address of the station or of the access point, until the next reset."""
        self._call(lib.hosted_set_mac, mode, mac.encode())

    def connect(
        self,
        ssid: str,
        password: str = "",
        *,
        bssid: str = "",
        wpa3: bool = False,
        listen_interval: int = 0,
    ) -> None:
        """Joins a network. ENOENT: no such access point; EACCES: the password is wrong."""
        texts = [
            ffi.new("char[]", text.encode(errors="surrogateescape"))
            for text in (ssid, password, bssid)
        ]
        network = ffi.new("struct hosted_network *")
        network.ssid, network.password, network.bssid = texts
        network.wpa3 = wpa3
        network.listen_interval = listen_interval
        self._call(lib.hosted_connect, network)

    def disconnect(self) -> None:
        """Leaves the network."""
        self._call(lib.hosted_disconnect)

    def get_ap(self) -> AccessPoint:
        """The access point that the station is connected with. ENOTCONN: none."""
        struct = ffi.new("struct hosted_ap *")
        self._call(lib.hosted_get_ap, struct)
        return _access_point(struct)

    def scan(self) -> list[AccessPoint]:
        """The access points in reach."""
        pointer = ffi.new("struct hosted_ap **")
        count = self._call(lib.hosted_scan, pointer)
        try:
            return [_access_point(pointer[0][i]) for i in range(count)]
        finally:
            lib.free(pointer[0])


class Session:
    """An update by hand; a context manager. See update() for a whole update with its checks.

    The ESP32 prepares its slot here. After a failed write only close() is possible.
    """

    def __init__(self, device: Device, slot_bytes: int = 0) -> None:
        pointer = ffi.new("struct hosted_session **")
        fault = new_fault()
        self._device = device  # must outlive the session
        check(lib.hosted_session_open(device.pointer, slot_bytes, pointer, fault), fault)
        self._pointer = pointer[0]

    def write(self, data: bytes) -> None:
        """Sends the next bytes, of any number; returns once the ESP32 has confirmed them."""
        fault = new_fault()
        self._check_open()
        check(
            lib.hosted_session_write(self._pointer, ffi.from_buffer(data), len(data), fault), fault
        )

    def finish(self) -> None:
        """Has the ESP32 verify and select the image; it restarts 5 s later."""
        fault = new_fault()
        self._check_open()
        check(lib.hosted_session_finish(self._pointer, fault), fault)

    def close(self) -> None:
        """Before finish() this abandons the update; may be called again."""
        pointer, self._pointer = self._pointer, ffi.NULL
        lib.hosted_session_close(pointer)

    def _check_open(self) -> None:
        if self._pointer == ffi.NULL:
            raise OtaError(errno.EPROTO, "the session is closed", Status.USAGE)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def interface_up(mac: str, interface: str = "ethsta0") -> None:
    """Gives a network interface this MAC address and takes it up."""
    fault = new_fault()
    check(lib.hosted_netif_up(interface.encode(), mac.encode(), fault), fault)


def interface_down(interface: str = "ethsta0") -> None:
    """Takes a network interface down."""
    fault = new_fault()
    check(lib.hosted_netif_down(interface.encode(), fault), fault)
