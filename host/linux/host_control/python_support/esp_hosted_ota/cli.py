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
from typing import Any, Callable, Optional, cast

from ._binding import lib
from ._call import Cancel
from .device import Device, check_network, interface_up
from .errors import Hint, OtaError, OtaUsageError, Status
from .options import INTERFACE, PASSWORD_VARIABLE, parse_ota_update, parse_station_connect
from .progress import printable, progress_on
from .source import Download, find_sha256
from .update import NOTHING_ERASED, Result, VersionPolicy, update

HOOK_POLL = 0.02  # seconds


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

    def log(line: str) -> None:
        with contextlib.suppress(OSError):  # that nobody reads it is no trouble
            print(f"{tool}: {line}", file=sys.stderr)

    return log


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


def _warn_of_trial(result: Result) -> None:
    tool = Path(sys.argv[0]).name
    if result.trial_missed:
        print(
            f"{tool}: the trial did not take place: the new firmware runs and stays, by its first "
            "answer alone",
            file=sys.stderr,
        )
    if result.unguarded:
        print(
            f"{tool}: the boot loader knows no rollback: only the new firmware's own timer would "
            "have gone back",
            file=sys.stderr,
        )


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
            if cancel.requested:  # which the update will say
                return
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


@contextlib.contextmanager
def _hints() -> Iterator[None]:
    """Names the option that would let a refused update go on."""
    options = {
        Hint.ALLOW_RELEASE_CHANGE: "--allow-release-change says that it is",
        Hint.ALLOW_BLUETOOTH: "--force does not look at that",
        Hint.ALLOW_ROLLED_BACK: "--force tries it again",
        Hint.NO_TRIAL: "--no-trial installs it without a way back",
        Hint.CLEAR_SESSION: "or --clear-session ends it, after which a complete old image may boot",
    }
    try:
        yield
    except OtaError as error:
        if error.hint in options:
            error.add(options[error.hint])
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
        "allow_rolled_back": args.force,
        "no_trial": args.no_trial,
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
            "trial": args.trial,
            "clear_session": args.clear_session,
        }
        if args.quiet:
            with _hints():
                update(device, args.url, **what)
            return
        # What --verbose says would tear a bar.
        progress = progress_on(sys.stdout, device, bar=not args.verbose)
        succeeded = False
        try:
            with _hints():
                result = update(device, args.url, **what, progress=progress)
            succeeded = True
        finally:
            progress.finish(succeeded)
        _warn_of_trial(result)
        if result.kept_bytes > 0:
            kept, sent = f"{result.kept_bytes:,}", f"{result.sent_bytes:,}"
            progress.line(f"kept    {kept} bytes that the slot had already; {sent} were sent")
        progress.line(f"done    {_describe(result)}")


def ota_update() -> int:
    """The tool ota_update: updates an ESP32 from a URL or a file."""
    args = parse_ota_update()
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
    args = parse_station_connect()
    return _run(lambda: _connect(args))
