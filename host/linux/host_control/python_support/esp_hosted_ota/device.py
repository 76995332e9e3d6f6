# SPDX-License-Identifier: Apache-2.0
"""One ESP32 behind its control device."""

from __future__ import annotations

import errno
import os
import weakref
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any, Callable, Optional, Union

from ._binding import ffi, lib
from ._call import Cancel, Gate, c_path, c_text, call, check, new_fault
from .errors import OtaError, Status

DIALECTS = {
    "auto": lib.HOSTED_DIALECT_AUTO,
    "classic": lib.HOSTED_DIALECT_CLASSIC,
    "ctrl": lib.HOSTED_DIALECT_CTRL,
    "mcu": lib.HOSTED_DIALECT_MCU,
}
LONGEST_TIMEOUT = 24 * 60 * 60  # seconds
LONGEST_LISTEN_INTERVAL = 0xFFFF  # beacons


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


class EventKind(IntEnum):
    """What an ESP32 says without being asked."""

    INIT = 0  # it has started
    HEARTBEAT = 1
    CONNECTED = 2
    DISCONNECTED = 3
    OTHER = 4


@dataclass(frozen=True)
class Event:
    """One event; firmware of the classic dialect has none. What a kind has not is 0 or empty."""

    kind: EventKind
    number: int  # HEARTBEAT: counts up; OTHER: its number on the wire
    ssid: str  # CONNECTED, DISCONNECTED
    bssid: str
    channel: int  # CONNECTED
    reason: int  # DISCONNECTED: wifi_err_reason_t of ESP-IDF
    rssi: int  # DISCONNECTED: dBm


@ffi.def_extern()
def on_event(ctx: Any, struct: Any) -> None:
    """Hands an event to the Python function behind `ctx`."""
    ssid = ffi.unpack(struct.ssid, struct.ssid_len).decode(errors="surrogateescape")
    ffi.from_handle(ctx)(
        Event(
            EventKind(struct.kind),
            struct.number,
            ssid,
            _text(struct.bssid),
            struct.channel,
            struct.reason,
            struct.rssi,
        )
    )


@ffi.def_extern()
def on_log(ctx: Any, line: Any) -> None:
    """Hands a line of the library's log to the Python function behind `ctx`."""
    ffi.from_handle(ctx)(ffi.string(line).decode(errors="replace"))


def _text(array: Any) -> str:
    return str(ffi.string(array).decode(errors="replace"))


def _access_point(struct: Any) -> AccessPoint:
    ssid = ffi.unpack(struct.ssid, struct.ssid_len).decode(errors="surrogateescape")
    return AccessPoint(
        ssid, _text(struct.bssid), struct.channel, struct.rssi, int(struct.encryption)
    )


def _identity(struct: Any) -> Optional[Identity]:
    if not struct.known:
        return None
    return Identity(
        struct.chip_id,
        struct.slot_bytes,
        _text(struct.running_slot),
        _text(struct.project),
        _text(struct.version),
        None if struct.can_roll_back < 0 else bool(struct.can_roll_back),
    )


def _network(
    ssid: str, password: str, bssid: str, wpa3: bool, listen_interval: int
) -> tuple[Any, list[Any]]:
    """The structure, and its strings, which it does not keep alive."""
    if not 0 <= listen_interval <= LONGEST_LISTEN_INTERVAL:
        raise ValueError(f"no such listen interval: {listen_interval} beacons")
    texts = [c_text(ssid, "SSID"), c_text(password, "password"), c_text(bssid, "BSSID")]
    network = ffi.new("struct hosted_network *")
    network.ssid, network.password, network.bssid = texts
    network.wpa3 = wpa3
    network.listen_interval = listen_interval
    return network, texts


def check_network(ssid: str, password: str = "", *, bssid: str = "") -> None:
    """Whether a network can be asked for; a ValueError says why not. Asks nothing of anybody."""
    network, _texts = _network(ssid, password, bssid, False, 0)
    fault = new_fault()
    check(lib.hosted_network_check(network, fault), fault)


class Device:
    """An open, locked control device; a context manager.

    path: default $ESP_HOSTED_DEVICE, else /dev/esps0.
    timeout: longest wait for one reply, in seconds; default 30, longer for the erase of a slot.
    dialect: what the firmware speaks: "auto", "classic", "ctrl" or "mcu".
    cancel: its request() ends every wait; so does Ctrl-C. After that only close() is possible.
    log: called with each line about what happens on the wire.
    event: called with each Event, while a method waits for the ESP32.

    Opening raises OtaError: no such device, or another process holds it (Status.BUSY). Every
    method may raise it. One thread at a time; `log` and `event` may be called from another one, and
    must not use the device.
    """

    def __init__(
        self,
        path: Union[str, os.PathLike[str], None] = None,
        *,
        timeout: Optional[int] = None,
        dialect: str = "auto",
        cancel: Optional[Cancel] = None,
        log: Optional[Callable[[str], None]] = None,
        event: Optional[Callable[[Event], None]] = None,
    ) -> None:
        self._pointer = ffi.NULL
        if dialect not in DIALECTS:
            raise ValueError(f"no such dialect: {dialect!r}")
        if timeout is not None and not 0 < timeout <= LONGEST_TIMEOUT:
            raise ValueError(f"no such timeout: {timeout} s")
        self.cancel = cancel if cancel is not None else Cancel()
        self.gate = Gate()
        self.sessions: weakref.WeakSet[Any] = weakref.WeakSet()
        # The handles must live as long as the device does: the library borrows them.
        self._log = ffi.new_handle(log) if log is not None else ffi.NULL
        self._event = ffi.new_handle(event) if event is not None else ffi.NULL
        self._pointer = self._open(
            c_path(path, "path") if path is not None else ffi.NULL, timeout, dialect
        )

    def _open(self, path: Any, timeout: Optional[int], dialect: str) -> Any:
        options = ffi.new("struct hosted_options *")
        options.path = path
        options.timeout_s = timeout or 0
        options.dialect = DIALECTS[dialect]
        options.cancel = self.cancel.pointer
        options.log = lib.on_log if self._log != ffi.NULL else ffi.NULL
        options.log_ctx = self._log
        options.event = lib.on_event if self._event != ffi.NULL else ffi.NULL
        options.event_ctx = self._event
        pointer = ffi.new("struct hosted_device **")
        fault = new_fault()
        check(lib.hosted_open(options, pointer, fault), fault)
        return ffi.gc(pointer[0], lib.hosted_close)

    def close(self) -> None:
        """Closes and unlocks, and abandons an update by hand; may be called again."""
        if self._pointer == ffi.NULL:
            return
        for session in list(self.sessions):
            session.close()
        with self.gate:
            pointer, self._pointer = self._pointer, ffi.NULL
            ffi.release(pointer)

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

    @property
    def path(self) -> str:
        """The path that is open."""
        return os.fsdecode(ffi.string(lib.hosted_path(self.pointer)))

    @property
    def identity(self) -> Optional[Identity]:
        """What the ESP32 said of itself when it was last asked; None: nothing so far, or stock."""
        return _identity(lib.hosted_identity(self.pointer))

    @property
    def dialect(self) -> str:
        """What the ESP32 was found to speak: "classic", "ctrl"; "auto": not known yet."""
        name = lib.hosted_dialect_name(lib.hosted_dialect(self.pointer))
        return str(ffi.string(name).decode())

    def call(self, function: Any, *arguments: Any) -> int:
        """A call of the library that may take long, for the package's own modules."""
        with self.gate:
            return call(self.cancel, function, *arguments)

    def get_mode(self) -> tuple[Mode, Optional[Identity]]:
        """The Wi-Fi mode, and who answers: None for stock firmware."""
        mode = ffi.new("enum hosted_mode *")
        identity = ffi.new("struct hosted_identity *")
        self.call(lib.hosted_get_mode, self.pointer, mode, identity)
        if mode[0] > Mode.BOTH:
            text = f"{self.path}: the answer to get_mode is no Wi-Fi mode"
            raise OtaError(errno.EPROTO, text, Status.NO_ANSWER)
        return Mode(mode[0]), _identity(identity)

    def get_version(self) -> str:
        """The release that the firmware says it is, "FG-1.0.0.0.0"; "" where it says none.

        Firmware of the classic dialect has none to say, nor has that before July 2024.
        """
        text = ffi.new("char[]", lib.HOSTED_TEXT_BYTES)
        self.call(lib.hosted_get_version, self.pointer, text)
        return _text(text)

    def set_heartbeat(self, seconds: int) -> None:
        """Has the ESP32 send heartbeats so far apart (10 to 3600 s); 0: none."""
        self.call(lib.hosted_set_heartbeat, self.pointer, seconds)

    def listen(self, timeout: float) -> None:
        """Waits for an event, which goes to `event`. OtaTimeoutError: there was none."""
        self.call(lib.hosted_listen, self.pointer, int(timeout * 1000))

    def set_mode(self, mode: int) -> None:
        """Sets the Wi-Fi mode."""
        self.call(lib.hosted_set_mode, self.pointer, Mode(mode))

    def get_mac(self, mode: int = Mode.STATION) -> str:
        """The MAC address "aa:bb:cc:dd:ee:ff" of the station or of the access point."""
        mac = ffi.new("char[]", lib.HOSTED_MAC_CHARS + 1)
        self.call(lib.hosted_get_mac, self.pointer, Mode(mode), mac)
        return _text(mac)

    def set_mac(self, mac: str, mode: int = Mode.STATION) -> None:
        """Sets the MAC address of the station or of the access point, until the next reset."""
        self.call(lib.hosted_set_mac, self.pointer, Mode(mode), c_text(mac, "MAC address"))

    def connect(
        self,
        ssid: str,
        password: str = "",
        *,
        bssid: str = "",
        wpa3: bool = False,
        listen_interval: int = 0,
    ) -> None:
        """Joins a network; returns once the station is connected.

        ssid: 1 to 32 bytes in UTF-8. password: at most 64; none for an open network.
        bssid: of the only access point that will do. wpa3: the ESP32 may use WPA3.
        listen_interval: beacons between two times that the station listens; 0: the usual 3.

        OtaError.errno is ENOENT if there is no such access point, EACCES if it refused the
        password.
        """
        network, _texts = _network(ssid, password, bssid, wpa3, listen_interval)
        self.call(lib.hosted_connect, self.pointer, network)

    def disconnect(self) -> None:
        """Leaves the network."""
        self.call(lib.hosted_disconnect, self.pointer)

    def get_ap(self) -> AccessPoint:
        """The access point that the station is connected with. ENOTCONN: none."""
        struct = ffi.new("struct hosted_ap *")
        self.call(lib.hosted_get_ap, self.pointer, struct)
        return _access_point(struct)

    def scan(self) -> list[AccessPoint]:
        """The access points in reach."""
        pointer = ffi.new("struct hosted_ap **")
        count = self.call(lib.hosted_scan, self.pointer, pointer)
        found = ffi.gc(pointer[0], lib.free)
        return [_access_point(found[i]) for i in range(count)]


def interface_up(mac: str, interface: str = "ethsta0") -> None:
    """Gives a network interface this MAC address and takes it up."""
    fault = new_fault()
    arguments = c_text(interface, "interface"), c_text(mac, "MAC address")
    check(lib.hosted_netif_up(*arguments, fault), fault)


def interface_down(interface: str = "ethsta0") -> None:
    """Takes a network interface down."""
    fault = new_fault()
    check(lib.hosted_netif_down(c_text(interface, "interface"), fault), fault)
