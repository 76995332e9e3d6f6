# SPDX-License-Identifier: Apache-2.0
"""The command lines of ota_update and station_connect."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .device import DIALECTS, LONGEST_LISTEN_INTERVAL, LONGEST_TIMEOUT, chip_by_name
from .source import DEFAULT_RETRIES, DEFAULT_STALL_TIMEOUT, MOST_RETRIES
from .update import DEFAULT_REBOOT_TIMEOUT, SHA256_BYTES

UNITS = {"k": 1024, "m": 1024 * 1024}
INTERFACE = "ethsta0"
PASSWORD_VARIABLE = "ESP_HOSTED_PASSWORD"


def _size(text: str) -> int:
    unit = UNITS.get(text[-1:].lower(), 1)
    value = int(text[:-1] if unit > 1 else text, 0) * unit
    if not 0 < value < 1 << 32:
        raise ValueError
    return value


def _number(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        raise ValueError
    return value


def _seconds(text: str) -> int:
    return _number(text, 1, LONGEST_TIMEOUT)


def _wait(text: str) -> int:
    return _number(text, 0, LONGEST_TIMEOUT)


def _trial(text: str) -> int:
    return _number(text, 10, LONGEST_TIMEOUT)


def _retries(text: str) -> int:
    return _number(text, 0, MOST_RETRIES)


def _beacons(text: str) -> int:
    return _number(text, 1, LONGEST_LISTEN_INTERVAL)


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


def _add_image_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the image must be")
    group.add_argument(
        "--chip",
        metavar="CHIP",
        type=chip_by_name,
        help="only one for this chip: esp32, esp32c3, ...",
    )
    group.add_argument(
        "--slot-size", type=_size, metavar="SIZE", help="only one that fits: 1792K, 1M, 0x100000"
    )
    group.add_argument(
        "--sha256", type=_digest, metavar="HEX", help="only the file with this SHA-256"
    )
    group.add_argument(
        "--check-sums",
        action="store_true",
        help="only with the SHA-256 of the file .sha256 or SHA256SUMS beside it",
    )
    group.add_argument(
        "--public-key",
        type=_given,
        metavar="PEM",
        help="only one that is signed with this key for Secure Boot v2",
    )


def _add_update_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the update")
    group.add_argument(
        "--if-newer", action="store_true", help="only to a newer version than the one that runs"
    )
    group.add_argument(
        "--trial",
        type=_trial,
        metavar="SECONDS",
        help="longest time to the confirmation of the new firmware (120)",
    )
    group.add_argument(
        "--no-trial",
        action="store_true",
        help="no way back: also an image that cannot confirm itself",
    )
    group.add_argument(
        "--clear-session",
        action="store_true",
        help="stock firmware: end an update that was cut off, which may select its image",
    )
    group.add_argument(
        "--allow-release-change",
        action="store_true",
        help="also to a release that the kernel driver may refuse",
    )
    group.add_argument(
        "--force", action="store_true", help="although Bluetooth over the same bus is up"
    )
    group.add_argument(
        "--reboot-timeout",
        type=_wait,
        default=DEFAULT_REBOOT_TIMEOUT,
        metavar="SECONDS",
        help=f"longest wait for the new firmware ({DEFAULT_REBOOT_TIMEOUT}; 0: do not wait)",
    )
    group.add_argument(
        "--reconnect-hook",
        metavar="PROGRAM",
        help="run it once the ESP32 has restarted, with the device's path",
    )


def _add_download_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how a URL is fetched")
    group.add_argument(
        "--download-first",
        action="store_true",
        help="into a temporary file, and check it before the ESP32 hears of it",
    )
    group.add_argument(
        "--stall-timeout",
        type=_seconds,
        default=DEFAULT_STALL_TIMEOUT,
        metavar="SECONDS",
        help=f"longest wait for a server that sends nothing ({DEFAULT_STALL_TIMEOUT})",
    )
    group.add_argument(
        "--retries",
        type=_retries,
        default=DEFAULT_RETRIES,
        metavar="N",
        help=f"attempts after one that failed, in a row ({DEFAULT_RETRIES}; 0: none)",
    )
    group.add_argument(
        "--cacert", type=_given, metavar="PEM", help="authorities to trust, instead of the system's"
    )
    group.add_argument("--cert", type=_given, metavar="PEM", help="certificate of this host")
    group.add_argument("--key", type=_given, metavar="PEM", help="its key, if not in the same file")
    group.add_argument(
        "--interface",
        type=_given,
        metavar="NAME",
        help=f"network interface to use alone, such as {INTERFACE}",
    )
    group.add_argument(
        "--proxy", metavar="URL", help='instead of what $http_proxy and its like say; "": none'
    )


def parse_ota_update() -> argparse.Namespace:
    """The arguments of ota_update; ends the process if they cannot be."""
    parser = _Parser("Updates the firmware of an ESP32 from a URL (or a file).")
    parser.add_argument("url", help='the image: http://..., https://..., a file, or "-"')
    _add_image_options(parser)
    _add_update_options(parser)
    _add_download_options(parser)
    return parser.parse()


def parse_station_connect() -> argparse.Namespace:
    """The arguments of station_connect; ends the process if they cannot be."""
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
    return parser.parse()
