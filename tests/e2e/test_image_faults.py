# SPDX-License-Identifier: Apache-2.0
"""Images that must not be sent: refused before anything is erased, with the reason."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.classic import Kind
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, IMAGE, LOCAL, REFUSED, USAGE

pytestmark = pytest.mark.usefixtures("dialect")

OTA = {Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END}
SLOT = 0x100000


def corrupt(image: bytes, at: int) -> bytes:
    return image[:at] + bytes((image[at] ^ 0x10,)) + image[at + 1 :]


def wrong_checksum(image: bytes) -> bytes:
    """The digest is made anew, so that only the checksum is wrong."""
    body = corrupt(image[:-32], len(image) - 33)
    return body + hashlib.sha256(body).digest()


@dataclass(frozen=True)
class BadImage:
    name: str
    make: Callable[[], bytes]
    message: str
    # Of a stream only the head is known before the update begins.
    seen_in_head: bool = True


def good() -> bytes:
    return make_image("2.0.0", size=40000)


BAD = [
    BadImage("empty", lambda: b"", r"empty"),
    BadImage("garbage", lambda: bytes(range(1, 256)) * 157, r"not an? .*image|no .*image|magic"),
    BadImage(
        "html", lambda: b"<html>404 not found</html>" * 1000, r"not an? .*image|no .*image|magic"
    ),
    BadImage("one-byte", lambda: b"\xe9", r"truncated|cut|ends|short"),
    BadImage("head-only", lambda: good()[:288], r"truncated|cut|ends|short", False),
    BadImage("truncated", lambda: good()[:-1], r"truncated|cut|ends|short", False),
    BadImage("half", lambda: good()[:20000], r"truncated|cut|ends|short", False),
    BadImage("checksum", lambda: wrong_checksum(good()), r"checksum", False),
    BadImage("digest", lambda: corrupt(good(), len(good()) - 1), r"digest|SHA", False),
    BadImage("flipped-bit", lambda: corrupt(good(), 20000), r"checksum|digest", False),
    BadImage("no-descriptor", lambda: corrupt(good(), 0x20), r"descriptor"),
    BadImage(
        "other-chip", lambda: make_image("2.0.0", size=40000, chip="esp32c3"), r"ESP32-C3.*ESP32\b"
    ),
    BadImage(
        "larger-than-slot", lambda: make_image("2.0.0", size=SLOT + 16), r"larger|too large|slot"
    ),
]
# As a file, each of them is looked at whole.
FILE_TOOLS = ("test.out", "esp-ota")


def check_untouched(rig: Rig, before: bytes) -> None:
    """Nothing was begun: the flash is as it was, every byte of it."""
    assert not OTA & set(rig.proxy.kinds())
    assert rig.sim.flash.read() == before
    rig.check_boots(rig.old)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
@pytest.mark.parametrize("tool", FILE_TOOLS)
def test_bad_file(rig: Rig, tool: str, bad: BadImage) -> None:
    rig.power_on()
    before = rig.sim.flash.read()
    result = rig.update(tool, bad.make())
    assert result.status == IMAGE, result
    assert re.search(bad.message, result.stderr, re.IGNORECASE), result
    check_untouched(rig, before)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_download(rig: Rig, updater: str, bad: BadImage) -> None:
    """From a web server: what the head shows is refused at once, the rest before `end`."""
    rig.power_on()
    before = rig.sim.flash.read()
    result = rig.update(updater, rig.serve(bad.make()).url("ok"))
    assert result.status == IMAGE, result
    assert re.search(bad.message, result.stderr, re.IGNORECASE), result
    assert Kind.OTA_END not in rig.proxy.kinds()
    if bad.seen_in_head:
        check_untouched(rig, before)
    rig.check_boots(rig.old)


def test_too_large_for_the_slot_is_seen_in_the_length(rig: Rig, updater: str) -> None:
    """The server tells the length: nobody need download it to see that it does not fit."""
    rig.power_on()
    before = rig.sim.flash.read()
    result = rig.update(updater, rig.serve(make_image("2.0.0", size=SLOT + 16)).url("ok"))
    assert result.status == IMAGE, result
    check_untouched(rig, before)


def test_a_file_longer_than_the_slot(rig: Rig, updater: str) -> None:
    """The image fits, the file does not: its last byte could not be written."""
    rig.power_on()
    before = rig.sim.flash.read()
    result = rig.update(updater, make_image("2.0.0", size=SLOT) + b"\xff")
    assert result.status == IMAGE, result
    check_untouched(rig, before)


# Stock firmware tells neither its chip nor its slot


@pytest.mark.parametrize("tool", FILE_TOOLS)
@pytest.mark.parametrize(
    ("chip", "size", "option"),
    [
        ("esp32c3", 40000, ("--chip", "esp32")),
        ("esp32", 40000, ("--chip", "esp32c6")),
        ("esp32", SLOT + 16, ("--slot-size", "1048576")),
    ],
)
def test_options_stand_in_for_the_identity(
    rig: Rig, tool: str, chip: str, size: int, option: tuple[str, str]
) -> None:
    rig.power_on("--stock")
    before = rig.sim.flash.read()
    result = rig.update(tool, make_image("2.0.0", size=size, chip=chip), *option)
    assert result.status == IMAGE, result
    check_untouched(rig, before)


def test_stock_firmware_refuses_what_overruns_its_slot(rig: Rig, updater: str) -> None:
    rig.power_on("--stock")
    result = rig.update(updater, make_image("2.0.0", size=SLOT + 4000))
    assert result.status == REFUSED, result
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


def test_stock_firmware_refuses_another_chips_image(rig: Rig, updater: str) -> None:
    """It finds out at `end`, when it verifies."""
    rig.power_on("--stock")
    result = rig.update(updater, make_image("2.0.0", size=40000, chip="esp32c3"))
    assert result.status == REFUSED, result
    rig.check_boots(rig.old)


@pytest.mark.parametrize("chip", ["esp32s2", "esp32s3", "esp32c3", "esp32c6"])
def test_other_chips_take_their_own_image(rig: Rig, chip: str) -> None:
    image = make_image("2.0.0", size=40000, chip=chip)
    rig.power_on("--chip", chip)
    assert rig.update("test.out", image).status == DONE
    rig.check_arrived(image)
    other = make_image("3.0.0", size=40000, chip="esp32")
    assert rig.update("test.out", other).status == IMAGE
    rig.check_boots("2.0.0")


# Files that are no files


@pytest.mark.parametrize("tool", FILE_TOOLS)
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.bin", r"No such file"),
        (".", r"directory"),
        ("/dev/null", r"empty|not a regular file"),
        ("unreadable.bin", r"permitted|denied|Is a directory|symbolic"),
    ],
)
def test_what_is_no_file(rig: Rig, tool: str, path: str, message: str) -> None:
    rig.power_on()
    if path == "unreadable.bin":  # root reads everything but a link to itself
        (rig.folder / path).symlink_to(path)
    before = rig.sim.flash.read()
    result = rig.update(tool, rig.folder / path)
    assert result.status in ((IMAGE, LOCAL) if path == "/dev/null" else (LOCAL,)), result
    assert re.search(message, result.stderr, re.IGNORECASE), result
    check_untouched(rig, before)


def test_standard_input(rig: Rig) -> None:
    """A pipe is a stream: checked by its head, then as it goes."""
    image = make_image("2.0.0", size=4016)
    rig.power_on()
    path = rig.file("image.bin", image)
    with open(path, "rb") as stdin:
        process = rig.tools.start(
            "test.out", "ota", "-", "--device", rig.device, stdin=stdin.fileno()
        )
    assert rig.tools.finish(process).status == DONE
    rig.check_arrived(image)


@pytest.mark.parametrize("tool", FILE_TOOLS)
def test_no_image_named(rig: Rig, tool: str) -> None:
    rig.power_on()
    word = {"test.out": "ota", "esp-ota": "update"}[tool]
    assert rig.tools.run(tool, word, "--device", rig.device).status == USAGE
    assert not rig.proxy.kinds()


# esp-ota verify: no device at all


@pytest.mark.parametrize("bad", BAD[:-2], ids=lambda bad: bad.name)
def test_verify_refuses(rig: Rig, tmp_path: Path, bad: BadImage) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(bad.make())
    result = rig.tools.run("esp-ota", "verify", path)
    assert result.status == IMAGE, result
    assert re.search(bad.message, result.output, re.IGNORECASE), result
    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize("size", [3984, 4000, 40000, SLOT])
@pytest.mark.parametrize("chip", ["esp32", "esp32c3"])
def test_verify_accepts(rig: Rig, tmp_path: Path, size: int, chip: str) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(make_image("2.0.0", size=size, chip=chip))
    assert rig.tools.run("esp-ota", "verify", path).status == DONE
