# SPDX-License-Identifier: Apache-2.0
"""One ESP32 behind its control device."""

from __future__ import annotations

import errno
import os
import threading
import weakref
from dataclasses import dataclass
from enum import IntEnum
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

from ._binding import ffi, lib
from ._call import (
    Cancel,
    Gate,
    Listener,
    bad_argument,
    c_path,
    c_text,
    check,
    listening,
    new_fault,
    run,
)
from .errors import OtaError, Status

DIALECTS = {
    "auto": lib.HOSTED_DIALECT_AUTO,
    "classic": lib.HOSTED_DIALECT_CLASSIC,
    "ctrl": lib.HOSTED_DIALECT_CTRL,
    "mcu": lib.HOSTED_DIALECT_MCU,
}
LONGEST_TIMEOUT = 24 * 60 * 60  # seconds
LONGEST_LISTEN_INTERVAL = 0xFFFF  # beacons
MOST_BYTES = 0xFFFFFFFF  # of a slot
MOST_CHIPS = 0xFFFF

_Result = TypeVar("_Result")


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
    features: int = 0  # bits, as it says
    on_trial: bool = False  # the running image is not confirmed yet


class SlotState(IntEnum):
    """What the ESP32 knows of an image that it may boot."""

    NONE = 0  # no record, as of a factory image
    NEW = 1  # selected, not started yet; or the boot loader knows no trial
    PENDING = 2  # on trial
    VALID = 3
    INVALID = 4  # rolled back on demand, or by its own timer
    ABORTED = 5  # rolled back by the boot loader
    UNDEFINED = 6  # selected by a firmware that knows no rollback


@dataclass(frozen=True)
class Slot:
    """A place for a firmware, and what is in it."""

    label: str
    size: int  # bytes
    running: bool
    boots_next: bool
    update_next: bool  # the next update goes here
    state: int  # a SlotState, or a number that it has not
    project: Optional[str]  # None: no image is there
    version: Optional[str]
    secure_version: int
    elf_sha256: bytes  # which build it is


@dataclass(frozen=True)
class DeviceStatus:
    """All slots, and what is going on."""

    slots: tuple[Slot, ...]
    update_at: Optional[int]  # bytes that an open update has; None: none is open
    trial_left: Optional[int]  # seconds of a trial with a time; None: none runs


@dataclass(frozen=True)
class Counters:
    """What came in since the device was opened and was not asked for."""

    bytes: int  # that are no message; dropped
    messages: int  # dropped: late, doubled, another's, of another dialect
    events: int


class Feature(IntEnum):
    """A part of the ESP32 that can be switched."""

    WIFI = 1
    BLUETOOTH = 2


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
    encryption: int = 0  # CONNECTED: an Encryption, or a number that it has not


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
            int(struct.encryption),
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
        struct.features,
        struct.on_trial,
    )


def _network(
    ssid: str, password: str, bssid: str, wpa3: bool, listen_interval: int
) -> tuple[Any, list[Any]]:
    """The structure, and its strings, which it does not keep alive."""
    if not 0 <= listen_interval <= LONGEST_LISTEN_INTERVAL:
        raise bad_argument(f"no such listen interval: {listen_interval} beacons")
    texts = [c_text(ssid, "SSID"), c_text(password, "password"), c_text(bssid, "BSSID")]
    network = ffi.new("struct hosted_network *")
    network.ssid, network.password, network.bssid = texts
    network.wpa3 = wpa3
    network.listen_interval = listen_interval
    return network, texts


def chip_name(chip_id: int) -> Optional[str]:
    """The name of a chip, "ESP32-C3", by the id in an image or an identity; None: no such chip."""
    name = lib.hosted_chip_name(chip_id) if 0 <= chip_id <= MOST_CHIPS else ffi.NULL
    return str(ffi.string(name).decode()) if name != ffi.NULL else None


def chip_by_name(name: str) -> int:
    """The id of "esp32c3" or "ESP32-C3"."""
    chip = int(lib.hosted_chip_by_name(c_text(name, "chip")))
    if chip < 0:
        raise bad_argument(f"no such chip: {name!r}")
    return chip


def _slot(struct: Any) -> Slot:
    return Slot(
        _text(struct.label),
        struct.bytes,
        struct.running,
        struct.boots_next,
        struct.update_next,
        int(struct.state),
        _text(struct.project) if struct.has_image else None,
        _text(struct.version) if struct.has_image else None,
        struct.secure_version,
        bytes(struct.elf_sha256),
    )


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
    must not use the device. What they raise stops nothing: the first of it is raised once the
    method is done, with the OtaError that it has failed with, if so, as __cause__.
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
        # The library's sessions, and who uses them. Python throws away what a device has in this
        # order: they go before the device. No finalizer is written in Python: signal handlers run
        # in those, and what they raise there ends them and is lost.
        self._sessions: list[tuple[weakref.ref[Any], Any]] = []
        self._pointer = ffi.NULL
        if dialect not in DIALECTS:
            raise bad_argument(f"no such dialect: {dialect!r}")
        if timeout is not None and not 0 < timeout <= LONGEST_TIMEOUT:
            raise bad_argument(f"no such timeout: {timeout} s")
        self.cancel = cancel if cancel is not None else Cancel()
        self._gate = Gate()
        self._log = Listener(log) if log is not None else None
        self._event = Listener(event) if event is not None else None
        # They must live as long as the device does: the library borrows them.
        self._handles = [ffi.new_handle(self._log), ffi.new_handle(self._event)]
        options = self._options(timeout, dialect)
        borrowed = c_path(path, "path") if path is not None else ffi.NULL
        options.path = borrowed
        try:
            run(self.cancel, lambda: self._open(options))
        except BaseException:
            self.close()
            raise

    def _options(self, timeout: Optional[int], dialect: str) -> Any:
        options = ffi.new("struct hosted_options *")
        options.timeout_s = timeout or 0
        options.dialect = DIALECTS[dialect]
        options.cancel = self.cancel.pointer
        options.log = lib.on_log if self._log is not None else ffi.NULL
        options.event = lib.on_event if self._event is not None else ffi.NULL
        options.log_ctx, options.event_ctx = self._handles
        return options

    def _open(self, options: Any) -> None:
        with listening(self._log, self._event):
            pointer = ffi.new("struct hosted_device **")
            fault = new_fault()
            check(lib.hosted_open(options, pointer, fault), fault)
            self._pointer = ffi.gc(pointer[0], lib.hosted_close)

    def close(self) -> None:
        """Closes and unlocks, and abandons an update by hand; may be called again."""
        if self._pointer == ffi.NULL:
            return
        caller = threading.get_ident()

        def act() -> None:
            with self._gate.closing(caller, self.cancel), listening(self._log, self._event):
                self._release_sessions(lambda _user: True)
                pointer, self._pointer = self._pointer, ffi.NULL
                if pointer != ffi.NULL:
                    ffi.release(pointer)

        self._run_surely(act)

    def _run_surely(self, act: Callable[[], None]) -> None:
        """For what must be done, and may be done twice."""
        try:
            run(self.cancel, act)
        except BaseException:  # perhaps Ctrl-C, before it has begun
            run(self.cancel, act)
            raise

    def _release_sessions(self, chosen: Callable[[Any], bool]) -> None:
        """Closes the sessions of the users that are chosen; of one that is gone it is None."""
        kept = []
        for user, session in self._sessions:
            if chosen(user()):
                ffi.release(session)
            else:
                kept.append((user, session))
        self._sessions[:] = kept

    def add_session(self, user: object, pointer: Any) -> None:
        """Has the library's session of `user` end before the device does."""
        owned = ffi.gc(pointer, lib.hosted_session_close)
        self._sessions.append((weakref.ref(user), owned))

    def close_session(self, user: object) -> None:
        """Closes the library's session of `user`, if there is one."""
        caller = threading.get_ident()

        def act() -> None:
            with self._gate.closing(caller, self.cancel):
                self._release_sessions(lambda other: other is user)

        self._run_surely(act)

    def session_of(self, user: object) -> Any:
        """The library's session of `user`; None: it is closed."""
        return next((pointer for other, pointer in self._sessions if other() is user), None)

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

    def run(self, action: Callable[[Any], _Result]) -> _Result:
        """An action on the library's handle, for the package's own modules."""
        caller = threading.get_ident()

        def act() -> _Result:
            with self._gate.call(caller), listening(self._log, self._event):
                self._release_sessions(lambda user: user is None)
                return action(self.pointer)

        return run(self.cancel, act)

    def _call(self, function: Any, *arguments: Any) -> int:
        def act(pointer: Any) -> int:
            fault = new_fault()
            return check(function(pointer, *arguments, fault), fault)

        return self.run(act)

    @property
    def counters(self) -> Counters:
        """What was not asked for, so far."""
        counters = lib.hosted_counters(self.pointer)
        return Counters(counters.bytes, counters.messages, counters.events)

    def get_mode(self) -> tuple[Mode, Optional[Identity]]:
        """The Wi-Fi mode, and who answers: None for stock firmware."""
        mode = ffi.new("enum hosted_mode *")
        identity = ffi.new("struct hosted_identity *")
        self._call(lib.hosted_get_mode, mode, identity)
        if mode[0] > Mode.BOTH:
            text = f"{self.path}: the answer to get_mode is no Wi-Fi mode"
            raise OtaError(errno.EPROTO, text, Status.NO_ANSWER)
        return Mode(mode[0]), _identity(identity)

    def status(self) -> DeviceStatus:
        """The slots of firmware with this project's extension; ENOTSUP: it has none."""
        slots = ffi.new("struct hosted_slots *")
        self._call(lib.hosted_get_status, slots)
        return DeviceStatus(
            tuple(_slot(slots.slots[i]) for i in range(slots.count)),
            slots.session_next if slots.session_next >= 0 else None,
            slots.trial_left_s if slots.trial_left_s >= 0 else None,
        )

    def confirm(self, version: Optional[str] = None) -> None:
        """Ends the trial of the firmware that runs, if it has this version; default: whichever."""
        text = c_text(version, "version") if version is not None else ffi.NULL
        self._call(lib.hosted_confirm, text)

    def get_version(self) -> str:
        """The release that the firmware says it is, "FG-1.0.0.0.0"; "" where it says none.

        Firmware of the classic dialect has none to say, nor has that before July 2024.
        """
        text = ffi.new("char[]", lib.HOSTED_TEXT_BYTES)
        self._call(lib.hosted_get_version, text)
        return _text(text)

    def set_heartbeat(self, seconds: int) -> None:
        """Has the ESP32 send heartbeats so far apart (10 to 3600 s); 0: none."""
        if not 0 <= seconds <= LONGEST_TIMEOUT:
            raise bad_argument(f"no such time between heartbeats: {seconds} s")
        self._call(lib.hosted_set_heartbeat, seconds)

    def set_feature(self, feature: int, enable: bool) -> None:
        """Switches a part of the ESP32, a Feature, on or off."""
        self._call(lib.hosted_set_feature, Feature(feature), enable)

    def listen(self, timeout: float) -> None:
        """Waits so many seconds for an event, which goes to `event`. OtaTimeoutError: none came."""
        if not 0 <= timeout <= LONGEST_TIMEOUT:
            raise bad_argument(f"no such timeout: {timeout} s")
        self._call(lib.hosted_listen, int(timeout * 1000))

    def set_mode(self, mode: int) -> None:
        """Sets the Wi-Fi mode."""
        self._call(lib.hosted_set_mode, Mode(mode))

    def get_mac(self, mode: int = Mode.STATION) -> str:
        """The MAC address "aa:bb:cc:dd:ee:ff" of the station or of the access point."""
        mac = ffi.new("char[]", lib.HOSTED_MAC_CHARS + 1)
        self._call(lib.hosted_get_mac, Mode(mode), mac)
        return _text(mac)

    def set_mac(self, mac: str, mode: int = Mode.STATION) -> None:
        """Sets the MAC address of the station or of the access point, until the next reset."""
        self._call(lib.hosted_set_mac, Mode(mode), c_text(mac, "MAC address"))

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

        def act(device: Any) -> list[AccessPoint]:
            pointer = ffi.new("struct hosted_ap **")
            fault = new_fault()
            count = check(lib.hosted_scan(device, pointer, fault), fault)
            found = ffi.gc(pointer[0], lib.free)
            return [_access_point(found[i]) for i in range(count)]

        return self.run(act)


def interface_up(mac: str, interface: str = "ethsta0") -> None:
    """Gives a network interface this MAC address and takes it up."""
    fault = new_fault()
    arguments = c_text(interface, "interface"), c_text(mac, "MAC address")
    check(lib.hosted_netif_up(*arguments, fault), fault)


def interface_down(interface: str = "ethsta0") -> None:
    """Takes a network interface down."""
    fault = new_fault()
    check(lib.hosted_netif_down(c_text(interface, "interface"), fault), fault)
