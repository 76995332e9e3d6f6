# SPDX-License-Identifier: Apache-2.0
"""The command-line tools ota_update and station_connect."""

from __future__ import annotations

import argparse
import contextlib
import errno
import getpass
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NoReturn, Optional, cast

from ._binding import ffi, lib
from ._call import Cancel
from .device import (
    DIALECTS,
    LONGEST_LISTEN_INTERVAL,
    LONGEST_TIMEOUT,
    Device,
    check_network,
    interface_up,
)
from .errors import OtaError, OtaUsageError, Status
from .progress import printable, progress_on
from .source import (
    DEFAULT_RETRIES,
    DEFAULT_STALL_TIMEOUT,
    MOST_RETRIES,
    Download,
    find_sha256,
)
from .update import (
    DEFAULT_REBOOT_TIMEOUT,
    NOTHING_ERASED,
    SHA256_BYTES,
    Result,
    VersionPolicy,
    update,
)

UNITS = {"k": 1024, "m": 1024 * 1024}
INTERFACE = "ethsta0"
HOOK_POLL = 0.02  # seconds
PASSWORD_VARIABLE = "ESP_HOSTED_PASSWORD"


def _size(text: str) -> int:
    unit = UNITS.get(text[-1:].lower(), 1)
    value = int(text[:-1] if unit > 1 else text, 0) * unit
    if not 0 < value < 1 << 32:
        raise ValueError
    return value


def _chip(text: str) -> int:
    chip = int(lib.fw_chip_by_name(ffi.new("char[]", os.fsencode(text))))
    if chip < 0:
        raise ValueError
    return chip


def _number(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        raise ValueError
    return value


def _seconds(text: str) -> int:
    return _number(text, 1, LONGEST_TIMEOUT)


def _wait(text: str) -> int:
    return _number(text, 0, LONGEST_TIMEOUT)


def _retries(text: str) -> int:
    return _number(text, 0, MOST_RETRIES)


def _beacons(text: str) -> int:
    return _number(text, 0, LONGEST_LISTEN_INTERVAL)


def _given(text: str) -> str:
    """No empty name: that of a variable which is not set."""
    if not text:
        raise ValueError
    return text


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != SHA256_BYTES:
        raise ValueError
    return digest


def _truth(text: str) -> bool:
    word = text.lower()
    if word in ("y", "yes", "t", "true", "on", "1"):
        return True
    if word in ("n", "no", "f", "false", "off", "0"):
        return False
    raise ValueError


class _Parser(argparse.ArgumentParser):
    """Never repeats a word of the command line: it may be a password."""

    def __init__(self, description: str) -> None:
        super().__init__(
            description=description,
            allow_abbrev=False,
            epilog="Exit status: 0 done, 1 trouble on this host, 2 usage, 3 image refused, "
            "4 no answer, 5 the ESP32 refused, 6 the new firmware did not come up, "
            "7 another process holds the device, 8 nothing to do",
        )
        self.add_argument(
            "--device", metavar="PATH", help="control device ($ESP_HOSTED_DEVICE, else /dev/esps0)"
        )
        self.add_argument(
            "--timeout",
            type=_seconds,
            metavar="SECONDS",
            help="longest wait for one reply (30; longer while a slot is erased)",
        )
        self.add_argument(
            "--dialect", choices=DIALECTS, default="auto", help="what the firmware speaks (auto)"
        )
        self.add_argument("--quiet", action="store_true", help="say nothing but errors")
        self.add_argument("--verbose", action="store_true", help="say what happens on the wire")

    def parse(self) -> argparse.Namespace:
        """The arguments of this process."""
        args, left = self.parse_known_args()
        if left:
            self.error(
                "there are words too many, or unknown options: put in quotes what contains "
                "spaces, and -- before words that begin with -"
            )
        return args

    def error(self, message: str) -> NoReturn:
        """Ends the process with the status of bad usage."""
        option, _, _ = message.partition(": ")
        if option.startswith("argument "):
            message = f"{option}: no such value, or none"
        super().error(message)


def _run(action: Callable[[], None]) -> int:
    """Runs a tool; returns its exit status."""
    tool = Path(sys.argv[0]).name
    if sys.stdout is None:  # the starter has closed it
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    # What the encoding of this terminal has not is shown as numbers.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        action()
        status = Status.DONE
    except OtaError as error:
        print(f"{tool}: {error}", file=sys.stderr)
        status = error.status
    except KeyboardInterrupt:  # later on, signals are the library's
        print(f"{tool}: interrupted", file=sys.stderr)
        status = Status.LOCAL
    try:
        sys.stdout.flush()
    except OSError:
        # Nobody reads on; Python must not complain about that when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(status)


def _log(args: argparse.Namespace) -> Optional[Callable[[str], None]]:
    if not args.verbose:
        return None
    tool = Path(sys.argv[0]).name
    return lambda line: print(f"{tool}: {line}", file=sys.stderr)


def _open(args: argparse.Namespace, cancel: Cancel) -> Device:
    return Device(
        args.device,
        timeout=args.timeout,
        dialect=args.dialect,
        cancel=cancel,
        log=_log(args),
    )


def _describe(result: Result) -> str:
    if not result.answered:
        return (
            "the ESP32 has selected the image and restarts in 5 s; "
            "whether it comes up was not checked"
        )
    if result.verified:
        return f"the ESP32 runs {printable(result.version)}"
    return "the ESP32 answers; version not provable"


def _hook(args: argparse.Namespace, cancel: Cancel) -> Optional[Callable[[str], None]]:
    """Runs --reconnect-hook, for as long as the firmware is waited for and no longer."""
    if args.reconnect_hook is None:
        return None
    hook = os.path.abspath(args.reconnect_hook)
    if not os.path.isfile(hook) or not os.access(hook, os.X_OK):
        text = f"--reconnect-hook: {args.reconnect_hook}: no program that can be run"
        raise OtaUsageError(errno.ENOENT, f"{text}; {NOTHING_ERASED}", Status.USAGE)
    if args.reboot_timeout == 0:
        text = "--reconnect-hook: with --reboot-timeout 0 nobody waits to run it"
        raise OtaUsageError(errno.EINVAL, f"{text}; {NOTHING_ERASED}", Status.USAGE)

    def run(path: str) -> None:
        try:
            _run_hook(hook, path, args.reboot_timeout, cancel)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{Path(sys.argv[0]).name}: {printable(str(error))}", file=sys.stderr)

    return run


def _run_hook(hook: str, path: str, timeout: float, cancel: Cancel) -> None:
    """In a group of its own, so that all of it can be ended; its output is for people."""
    deadline = time.monotonic() + timeout
    process = subprocess.Popen(
        [hook, path],
        stdout=sys.stderr.fileno(),
        env={**os.environ, "ESP_HOSTED_DEVICE": path},
        start_new_session=True,
    )
    while process.poll() is None:
        if time.monotonic() >= deadline or cancel.requested:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise subprocess.TimeoutExpired(hook, timeout)
        time.sleep(HOOK_POLL)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, hook)


@contextlib.contextmanager
def _inhibited(args: argparse.Namespace, cancel: Cancel) -> Iterator[None]:
    """No suspend and no shutdown, where logind decides about both."""
    tool = Path(sys.argv[0]).name
    lock = int(lib.cli_inhibit(os.fsencode(tool), cancel.pointer))
    if lock < 0 and args.verbose:
        why = os.strerror(-lock)
        print(f"{tool}: suspend and shutdown are not inhibited: {why}", file=sys.stderr)
    try:
        yield
    finally:
        if lock >= 0:
            os.close(lock)


def _download(args: argparse.Namespace) -> Download:
    return Download(
        stall_timeout=args.stall_timeout,
        retries=args.retries,
        cacert=args.cacert,
        cert=args.cert,
        key=args.key,
        interface=args.interface,
        proxy=args.proxy,
        store=args.download_first,
        log=_log(args),
    )


def _sha256(args: argparse.Namespace, download: Download, cancel: Cancel) -> Optional[bytes]:
    """What the image's must be, as the user says, or whoever published it."""
    if not args.check_sums:
        return cast("Optional[bytes]", args.sha256)
    if args.sha256 is not None:
        text = f"--sha256 and --check-sums: only one of them; {NOTHING_ERASED}"
        raise OtaUsageError(errno.EINVAL, text, Status.USAGE)
    try:
        return find_sha256(args.url, download=download, cancel=cancel)
    except OtaError as error:
        error.add(NOTHING_ERASED)
        raise


def _demands(args: argparse.Namespace, cancel: Cancel) -> dict[str, Any]:
    """What update() and check_update() are to be told."""
    download = _download(args)
    return {
        "chip": args.chip,
        "slot_bytes": args.slot_size,
        "sha256": _sha256(args, download, cancel),
        "public_key": args.public_key,
        "versions": VersionPolicy.NEWER if args.if_newer else VersionPolicy.ANY,
        "allow_release_change": args.allow_release_change,
        "allow_bluetooth": args.force,
        "download": download,
    }


def _update(args: argparse.Namespace) -> None:
    cancel = Cancel.on_signals()
    hook = _hook(args, cancel)
    # The device first: who finds it busy need not fetch the image.
    try:
        opened = _open(args, cancel)
    except OtaError as error:
        error.add(NOTHING_ERASED)
        raise
    with opened as device, _inhibited(args, cancel):
        what = {
            **_demands(args, cancel),
            "reboot_timeout": args.reboot_timeout,
            "reconnect": hook,
        }
        if args.quiet:
            update(device, args.url, **what)
            return
        # What --verbose says would tear a bar.
        progress = progress_on(sys.stdout, device, bar=not args.verbose)
        succeeded = False
        try:
            result = update(device, args.url, **what, progress=progress)
            succeeded = True
        finally:
            progress.finish(succeeded)
        progress.line(f"done    {_describe(result)}")


def _add_image_options(parser: argparse.ArgumentParser) -> None:
    """Which image is good enough."""
    parser.add_argument(
        "--chip", metavar="CHIP", type=_chip, help="only one for this chip: esp32, esp32c3, ..."
    )
    parser.add_argument(
        "--slot-size", type=_size, metavar="SIZE", help="only one that fits: 1792K, 1M, 0x100000"
    )
    parser.add_argument(
        "--sha256", type=_digest, metavar="HEX", help="only the file with this SHA-256"
    )
    parser.add_argument(
        "--check-sums",
        action="store_true",
        help="only with the SHA-256 of the file .sha256 or SHA256SUMS beside it",
    )
    parser.add_argument(
        "--public-key",
        type=_given,
        metavar="PEM",
        help="only one that is signed with this key for Secure Boot v2",
    )
    parser.add_argument(
        "--if-newer", action="store_true", help="only one that is newer than what runs"
    )
    parser.add_argument(
        "--allow-release-change",
        action="store_true",
        help="also to a release that the kernel driver may refuse",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="although Bluetooth over the same bus is up",
    )


def _add_download_options(parser: argparse.ArgumentParser) -> None:
    """How a URL is fetched."""
    parser.add_argument(
        "--download-first",
        action="store_true",
        help="into a temporary file, and check it before the ESP32 hears of it",
    )
    parser.add_argument(
        "--stall-timeout",
        type=_seconds,
        default=DEFAULT_STALL_TIMEOUT,
        metavar="SECONDS",
        help=f"longest wait for a server that sends nothing ({DEFAULT_STALL_TIMEOUT})",
    )
    parser.add_argument(
        "--retries",
        type=_retries,
        default=DEFAULT_RETRIES,
        metavar="N",
        help=f"attempts after one that failed, in a row ({DEFAULT_RETRIES}; 0: none)",
    )
    parser.add_argument(
        "--cacert", type=_given, metavar="PEM", help="authorities to trust, instead of the system's"
    )
    parser.add_argument("--cert", type=_given, metavar="PEM", help="certificate of this host")
    parser.add_argument(
        "--key", type=_given, metavar="PEM", help="its key, if not in the same file"
    )
    parser.add_argument(
        "--interface",
        type=_given,
        metavar="NAME",
        help=f"network interface to use alone, such as {INTERFACE}",
    )
    parser.add_argument(
        "--proxy", metavar="URL", help='instead of what $http_proxy and its like say; "": none'
    )


def ota_update() -> int:
    """The tool ota_update: updates an ESP32 from a URL or a file."""
    parser = _Parser("Updates the firmware of an ESP32 from a URL (or a file).")
    parser.add_argument("url", help='the image: http://..., https://..., a file, or "-"')
    _add_image_options(parser)
    parser.add_argument(
        "--reboot-timeout",
        type=_wait,
        default=DEFAULT_REBOOT_TIMEOUT,
        metavar="SECONDS",
        help=f"longest wait for the new firmware ({DEFAULT_REBOOT_TIMEOUT}; 0: do not wait)",
    )
    parser.add_argument(
        "--reconnect-hook",
        metavar="PROGRAM",
        help="run it once the ESP32 has restarted, with the device's path",
    )
    _add_download_options(parser)
    args = parser.parse()
    return _run(lambda: _update(args))


def _ask_password(ssid: str) -> str:
    """Types nothing back, and leaves the terminal as it was, also when a signal comes."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        text = f"no terminal to ask for the password on: set ${PASSWORD_VARIABLE}"
        raise OtaUsageError(errno.ENOTTY, text, Status.USAGE) from None
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        return getpass.getpass(f"Password for '{printable(ssid)}': ")
    except EOFError:
        raise KeyboardInterrupt from None


def _password(args: argparse.Namespace) -> str:
    """The password itself, or where it is to come from: "-"."""
    given = str(args.password)
    if given != "-":
        return given
    if PASSWORD_VARIABLE in os.environ:
        return os.environ[PASSWORD_VARIABLE]
    return _ask_password(args.ssid)


def _connect(args: argparse.Namespace) -> None:
    def say(text: str) -> None:
        if not args.quiet:
            with contextlib.suppress(OSError):  # that nobody reads it is no trouble
                print(text, flush=True)

    password = _password(args)
    check_network(args.ssid, password, bssid=args.bssid)
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
        say(f"connected to '{printable(args.ssid)}'")
    try:
        interface_up(mac, INTERFACE)
    except OtaError as error:
        error.add("the ESP32 is connected all the same")
        raise
    say(f"{INTERFACE} is up with MAC address {mac}")


def station_connect() -> int:
    """The tool station_connect: joins a network and brings ethsta0 up."""
    parser = _Parser(f"Connects the station of an ESP32 and brings {INTERFACE} up.")
    parser.add_argument("ssid", help="name of the network")
    parser.add_argument(
        "password",
        help=f'its password, "" for an open network; "-": ${PASSWORD_VARIABLE}, or ask',
    )
    parser.add_argument("--bssid", default="", metavar="MAC", help="this access point only")
    parser.add_argument(
        "--is_wpa3_supported",
        type=_truth,
        default=False,
        metavar="True|False",
        help="WPA3 may be used (False)",
    )
    parser.add_argument(
        "--listen_interval",
        type=_beacons,
        default=0,
        metavar="N",
        help="beacons from one listening to the next (3)",
    )
    args = parser.parse()
    return _run(lambda: _connect(args))
