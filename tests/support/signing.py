# SPDX-License-Identifier: Apache-2.0
"""Signatures of Secure Boot v2, made and judged by espsecure."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import espsecure
from esptool import FatalError

SECTOR_BYTES = 4096
BLOCK_BYTES = 1216

SCHEMES = ("rsa3072", "ecdsa256")  # those that are understood
OTHER_SCHEMES = ("ecdsa192", "ecdsa384")


@dataclass(frozen=True)
class Key:
    private: Path
    public: Path


def make_key(folder: Path, name: str, scheme: str) -> Key:
    key = Key(folder / f"{name}.secret.pem", folder / f"{name}.pem")
    with quiet():
        espsecure.generate_signing_key("2", scheme, str(key.private))
        with open(key.private, "rb") as private, open(key.public, "wb") as public:
            espsecure.extract_public_key("2", private, public)
    return key


def quiet() -> contextlib.AbstractContextManager[object]:
    return contextlib.redirect_stdout(io.StringIO())


def sign(path: Path, image: bytes, *keys: Key) -> bytes:
    """The image, in `path` too, with its signature sector: a block for each key."""
    path.write_bytes(image)
    for i, key in enumerate(keys):
        with quiet(), open(key.private, "rb") as private, open(path, "rb") as data:
            espsecure.sign_data(
                "2", [private], None, i > 0, False, None, [], [], data, skip_padding=False
            )
    return path.read_bytes()


def espsecure_accepts(path: Path, key: Key) -> bool:
    try:
        with quiet(), open(key.public, "rb") as public, open(path, "rb") as data:
            espsecure.verify_signature("2", False, None, public, data)
    except FatalError:
        return False
    return True
