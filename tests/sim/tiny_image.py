# SPDX-License-Identifier: Apache-2.0
"""Valid ESP32 application images in a few lines; they hold no program."""

import hashlib
import random
import struct
from functools import reduce
from operator import xor


def tiny_image(version: str, size: int = 4016, project: str = "network_adapter") -> bytes:
    """`size` bytes: a descriptor, noise, one segment of RAM, checksum and digest."""
    descriptor = struct.pack("<II8x32s32s", 0xABCD5432, 0, version.encode(), project.encode())
    text = bytes(4)
    # Header, two segment headers, RAM segment; then up to 16 bytes with the checksum, and a digest.
    data_bytes = (size - 32 - 24 - 8 - 8 - len(text) - 1) // 4 * 4
    noise = random.Random(version + project).randbytes(data_bytes - 256)
    data = descriptor.ljust(256, b"\0") + noise
    image = struct.pack("<BBBBI", 0xE9, 2, 2, 0x20, 0x40080000)
    image += struct.pack("<B3xHBHH4xB", 0xEE, 0, 0, 0, 399, 1)
    image += struct.pack("<II", 0x3F400020, len(data)) + data
    image += struct.pack("<II", 0x40080000, len(text)) + text
    padding = 15 - len(image) % 16
    image += bytes(padding) + bytes([reduce(xor, data + text, 0xEF)])
    image += hashlib.sha256(image).digest()
    assert len(image) == size, f"{len(image)} bytes instead of {size}"
    return image
