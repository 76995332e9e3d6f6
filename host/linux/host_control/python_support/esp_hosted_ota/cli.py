# SPDX-License-Identifier: Apache-2.0
"""The command-line tools ota_update and station_connect."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from typing import Callable, Optional, TextIO

from ._binding import ffi, lib
from .device import DIALECTS, Cancel, Device, interface_up
from .errors import OtaError, Status
from .update import Image, Stage, update

UNITS = {"k": 1024, "m": 1024 * 1024}
BAR_WIDTH = 26  # characters
REDRAW_SECONDS = 0.1


def _size(text: str) -> int:
    unit = UNITS.get(text[-1:].lower(), 1)
    value = int(text[:-1] if unit > 1 else text, 0) * unit
    if not 0 < value < 1 << 32:
        raise ValueError(text)
    return value


def _chip(text: str) -> int:
    chip = int(lib.fw_chip_by_name(ffi.new("char[]", text.encode())))
    if chip < 0:
        raise ValueError(text)
    return chip


def _seconds(text: str) -> int:
    value = int(text)
    if not 0 < value <= 86400:
        raise ValueError(text)
    return value


def _truth(text: str) -> bool:
    word = text.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return True
    if word in ("n", "no", "f", "false", "off", "0"):
        return False
    raise ValueError(text)


def _parser(name: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=name,
        description=description,
        epilog="Exit status: 0 done, 1 trouble on this host, 2 usage, 3 image refused, "
        "4 no answer, 5 the ESP32 refused, 7 another process holds the device",
    )
    parser.add_argument(
        "--device", metavar="PATH", help="control device ($ESP_HOSTED_DEVICE, else /dev/esps0)"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="longest wait for one reply (30; longer while a slot is erased)",
    )
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="auto")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument("--verbose", action="store_true", help="show what happens on the wire")
    return parser


def _open(args: argparse.Namespace, cancel: Cancel) -> Device:
    log: Optional[Callable[[str], None]] = None
    if args.verbose:

        def log(line: str) -> None:
            print(line, file=sys.stderr)

    return Device(args.device, timeout=args.timeout, dialect=args.dialect, cancel=cancel, log=log)


def _run(name: str, action: Callable[[], None]) -> int:
    """Runs a tool; returns its exit status."""
    try:
        action()
        sys.stdout.flush()
    except OtaError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return int(error.status)
    except BrokenPipeError:
        # Nobody reads on; Python must not complain about that when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Status.LOCAL)
    return int(Status.DONE)


class ProgressLines:
    """Tells the progress of an update: a bar on a terminal, elsewhere a line for each stage."""

    WORDS = {
        Stage.CHECK: "check",
        Stage.BEGIN: "begin",
        Stage.WRITE: "write",
        Stage.END: "end",
    }

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._bar = out.isatty()
        self._stage: Optional[Stage] = None
        self._done = 0
        self._begun = self._drawn = 0.0
        self._open_line = False

    def __call__(self, stage: Stage, image: Image, done: int, total: int) -> None:
        """Called by the update."""
        if stage != self._stage:
            self.finish()
            if stage == Stage.BEGIN:
                chip = ffi.string(lib.fw_chip_name(image.chip_id)).decode()
                print(f"image   {chip}, {image.version or 'no version'}", file=self._out)
            self._stage = stage
            self._begun = time.monotonic()
        self._done = done
        if self._bar and time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._draw(done, total)

    def _draw(self, done: int, total: int) -> None:
        assert self._stage is not None
        self._drawn = time.monotonic()
        line = f"{self.WORDS[self._stage]:8}"
        if self._stage == Stage.WRITE and total:
            full = BAR_WIDTH * done // total
            percent = 100 * done // total
            line += f"[{'#' * full}{'-' * (BAR_WIDTH - full)}] {percent:3} %  {done:,} bytes"
        print(f"\r{line}\x1b[K", end="", file=self._out, flush=True)
        self._open_line = True

    def finish(self) -> None:
        """Ends the line of the stage that is over."""
        if self._stage in (None, Stage.CHECK):
            self._clear()
            return
        assert self._stage is not None
        self._clear()
        seconds = time.monotonic() - self._begun
        amount = f"{self._done:,} bytes, " if self._stage == Stage.WRITE else ""
        print(f"{self.WORDS[self._stage]:8}{amount}{seconds:.1f} s", file=self._out, flush=True)
        self._stage = None

    def _clear(self) -> None:
        if self._open_line:
            print("\r\x1b[K", end="", file=self._out)
        self._open_line = False


def ota_update() -> int:
    """The tool ota_update: updates an ESP32 from a URL or a file."""
    name = "ota_update.py"
    parser = _parser(name, "Updates the firmware of an ESP32 from a URL (or a file).")
    parser.add_argument("url", help="the image: http://..., https://..., or a file")
    parser.add_argument(
        "--chip", type=_chip, help="the image must be for this chip (default: the ESP32's word)"
    )
    parser.add_argument(
        "--slot-size",
        type=_size,
        metavar="BYTES",
        help="largest image, such as 1M, 1792K, 0x100000 (default: the ESP32's word)",
    )
    args = parser.parse_args()

    def action() -> None:
        cancel = Cancel.on_signals()
        progress = None if args.quiet else ProgressLines(sys.stdout)
        with _open(args, cancel) as device:
            try:
                update(
                    device,
                    args.url,
                    chip=args.chip,
                    slot_bytes=args.slot_size,
                    progress=progress,
                )
            finally:
                if progress is not None:
                    progress.finish()
        if not args.quiet:
            print(
                "done    the ESP32 has selected the image and restarts in 5 s; "
                "whether it comes up was not checked"
            )

    return _run(name, action)


def _password(given: str) -> str:
    """The password itself, or where it is to come from: "-"."""
    if given != "-":
        return given
    if "ESP_HOSTED_PASSWORD" in os.environ:
        return os.environ["ESP_HOSTED_PASSWORD"]
    return getpass.getpass("Password: ")


def station_connect() -> int:
    """The tool station_connect: joins a network and brings ethsta0 up."""
    name = "station_connect.py"
    parser = _parser(name, "Connects the station of an ESP32 and brings ethsta0 up.")
    parser.add_argument("ssid", help="name of the network")
    parser.add_argument("password", help='its password; "-": $ESP_HOSTED_PASSWORD, or ask')
    parser.add_argument("--bssid", default="", help="this access point only")
    parser.add_argument(
        "--is_wpa3_supported", type=_truth, default=False, metavar="True|False", help="(False)"
    )
    parser.add_argument(
        "--listen_interval", type=int, default=3, help="in beacon intervals (3)", metavar="N"
    )
    args = parser.parse_args()

    def say(text: str) -> None:
        if not args.quiet:
            print(text, flush=True)

    def action() -> None:
        password = _password(args.password)
        with _open(args, Cancel.on_signals()) as device:
            mac = device.get_mac()
            say(f"station MAC address {mac}")
            device.connect(
                args.ssid,
                password,
                bssid=args.bssid,
                wpa3=args.is_wpa3_supported,
                listen_interval=args.listen_interval,
            )
            say(f"connected to {args.ssid}")
        try:
            interface_up(mac)
        except OtaError as error:
            error.strerror = f"{error}; the ESP32 is connected all the same"
            raise
        say(f"ethsta0 is up with MAC address {mac}")

    try:
        return _run(name, action)
    except KeyboardInterrupt:  # at the prompt: later on, signals are the library's
        print(f"{name}: interrupted", file=sys.stderr)
        return int(Status.LOCAL)
