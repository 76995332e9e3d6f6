# SPDX-License-Identifier: Apache-2.0
"""`--public-key`: what espsecure signed is accepted, and nothing else."""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import images
from support.classic import Kind
from support.process import Result
from support.rig import Rig
from support.shelf import make_image
from support.signing import (
    BLOCK_BYTES,
    OTHER_SCHEMES,
    SCHEMES,
    SECTOR_BYTES,
    Key,
    espsecure_accepts,
    make_key,
    sign,
)
from support.tools import DONE, IMAGE, LOCAL, USAGE

UNSIGNED = r"it is not signed \("
OTHER_KEY = r"it is not signed with the key \S+\.pem"
WRONG = r"its signature is wrong"


@dataclass(frozen=True)
class Keys:
    mine: dict[str, Key]  # by scheme
    other: dict[str, Key]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    every = (*SCHEMES, *OTHER_SCHEMES)
    return Keys(
        {scheme: make_key(folder, f"mine-{scheme}", scheme) for scheme in every},
        {scheme: make_key(folder, f"other-{scheme}", scheme) for scheme in SCHEMES},
    )


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "image.bin"


def small(*, padding: int = 0, digest: bool = True) -> bytes:
    """An image so many bytes longer than the smallest."""
    return images.smallest(digest=digest, code=bytes(4 + padding))


def verify(rig: Rig, path: Path, key: Path) -> Result:
    return rig.tools.run("esp-ota", "verify", path, "--public-key", key)


def assert_refused(rig: Rig, path: Path, key: Key, message: str) -> None:
    result = verify(rig, path, key.public)
    assert result.status == IMAGE, result
    assert re.search(message, result.stderr), result
    assert len(result.stderr.splitlines()) == 1


# The smallest image has 336 bytes: 4096 of them are a whole sector, and no gap is before the next.
@pytest.mark.parametrize("padding", [0, 4096 - 336, 4096 - 336 + 16])
@pytest.mark.parametrize("digest", [True, False])
def test_what_espsecure_signs(
    rig: Rig, keys: Keys, path: Path, scheme: str, padding: int, digest: bool
) -> None:
    image = small(padding=padding + (0 if digest else 32), digest=digest)
    assert len(image) == 336 + padding
    signed = sign(path, image, keys.mine[scheme])
    assert len(signed) == -(-len(image) // SECTOR_BYTES) * SECTOR_BYTES + SECTOR_BYTES
    assert espsecure_accepts(path, keys.mine[scheme])
    assert verify(rig, path, keys.mine[scheme].public).status == DONE
    assert_refused(rig, path, keys.other[scheme], OTHER_KEY)


def test_a_key_that_can_be_read_once(rig: Rig, keys: Keys, path: Path) -> None:
    """`--public-key <(cat KEY)`: an update reads its image twice, and the key not."""
    rig.power_on()
    sign(path, small(), keys.mine["ecdsa256"])
    result = rig.command(
        "esp-ota",
        "update",
        path,
        "--reboot-timeout",
        "0",
        "--public-key",
        "/dev/stdin",
        stdin=keys.mine["ecdsa256"].public.read_text(),
    )
    assert result.status == DONE, result


def test_up_to_three_keys(rig: Rig, keys: Keys, path: Path) -> None:
    rsa, p256, other = keys.mine["rsa3072"], keys.mine["ecdsa256"], keys.other["rsa3072"]
    for order in ((other, rsa), (p256, rsa), (other, p256), (other, p256, rsa), (rsa, other, p256)):
        sign(path, small(), *order)
        for key in (rsa, p256, other):
            if key in order:
                assert verify(rig, path, key.public).status == DONE
            else:
                assert_refused(rig, path, key, OTHER_KEY)


def test_no_signature(rig: Rig, keys: Keys, path: Path, scheme: str) -> None:
    key = keys.mine[scheme]
    signed = sign(path, small(), key)
    start = len(signed) - SECTOR_BYTES
    no_block = signed[:start] + b"\xff" * SECTOR_BYTES
    version_1 = small() + bytes(68)  # of the older way to sign
    for data in (small(), signed[:start], signed[: start + BLOCK_BYTES], signed[:-1], no_block):
        path.write_bytes(data)
        assert_refused(rig, path, key, UNSIGNED)
    path.write_bytes(version_1)
    assert_refused(rig, path, key, UNSIGNED)


# Of a block; its last 16 bytes nobody reads.
OFFSETS = (
    0,
    1,
    2,
    4,
    35,
    36,
    37,
    100,
    101,
    164,
    165,
    419,
    420,
    423,
    424,
    808,
    812,
    1195,
    1196,
    1199,
)


def test_a_changed_byte(rig: Rig, keys: Keys, path: Path, scheme: str) -> None:
    """The checksum of the block tells it."""
    signed = bytearray(sign(path, small(), keys.mine[scheme]))
    start = len(signed) - SECTOR_BYTES
    for offset in OFFSETS:
        signed[start + offset] ^= 0x40
        path.write_bytes(signed)
        assert not espsecure_accepts(path, keys.mine[scheme])
        assert_refused(rig, path, keys.mine[scheme], UNSIGNED)
        signed[start + offset] ^= 0x40


FIELDS = {
    "rsa3072": {
        4: WRONG,
        36: OTHER_KEY,
        420: OTHER_KEY,
        424: OTHER_KEY,
        808: OTHER_KEY,
        812: WRONG,
    },
    "ecdsa256": {4: WRONG, 37: OTHER_KEY, 69: OTHER_KEY, 101: WRONG, 133: WRONG},
}


def test_a_changed_field(rig: Rig, keys: Keys, path: Path, scheme: str) -> None:
    """With a checksum that somebody made right. espsecure does not look at the key in the block."""
    signed = sign(path, small(), keys.mine[scheme])
    start = len(signed) - SECTOR_BYTES
    for offset, message in FIELDS[scheme].items():
        block = bytearray(signed[start : start + BLOCK_BYTES])
        block[offset] ^= 0x40
        block[1196:1200] = zlib.crc32(block[:1196]).to_bytes(4, "little")
        path.write_bytes(signed[:start] + block + signed[start + BLOCK_BYTES :])
        assert_refused(rig, path, keys.mine[scheme], message)
        assert espsecure_accepts(path, keys.mine[scheme]) == (message is OTHER_KEY)


def test_a_changed_image(rig: Rig, keys: Keys, path: Path, scheme: str) -> None:
    """Another valid image before the same signature, and a byte in the gap between them."""
    signed = sign(path, small(), keys.mine[scheme])
    start = len(signed) - SECTOR_BYTES
    other = images.smallest(version="6.6.6")
    for data in (other + signed[len(other) :], signed[: start - 1] + b"\0" + signed[start:]):
        path.write_bytes(data)
        assert not espsecure_accepts(path, keys.mine[scheme])
        assert_refused(rig, path, keys.mine[scheme], WRONG)


# Keys


def test_a_private_key_is_refused(rig: Rig, keys: Keys, path: Path, scheme: str) -> None:
    sign(path, small(), keys.mine[scheme])
    result = verify(rig, path, keys.mine[scheme].private)
    assert result.status == USAGE, result
    assert "private key" in result.stderr


@pytest.mark.parametrize("other", OTHER_SCHEMES)
def test_other_curves(rig: Rig, keys: Keys, path: Path, other: str) -> None:
    """The key is refused; and a block of such a key is somebody else's."""
    sign(path, small(), keys.mine[other])
    result = verify(rig, path, keys.mine[other].public)
    assert result.status == USAGE, result
    assert re.search(r"not supported.*RSA-3072 and ECDSA P-256", result.stderr), result
    assert_refused(rig, path, keys.mine["ecdsa256"], OTHER_KEY)


def test_what_is_no_key(rig: Rig, path: Path) -> None:
    path.write_bytes(small())
    assert verify(rig, path, path.with_suffix(".missing")).status == LOCAL
    assert verify(rig, path, path.parent).status == LOCAL
    assert verify(rig, path, path).status == USAGE


# Updates: what is not signed is not begun


def test_an_update_of_a_signed_image(rig: Rig, keys: Keys, path: Path, scheme: str) -> None:
    signed = sign(path, make_image("2.0.0", size=40000), keys.mine[scheme])
    rig.power_on()
    result = rig.update("esp-ota", path, "--public-key", str(keys.other[scheme].public))
    assert result.status == IMAGE, result
    assert re.search(OTHER_KEY + ".*nothing was erased", result.stderr), result
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()
    rig.check_boots(rig.old)
    result = rig.update("esp-ota", path, "--public-key", str(keys.mine[scheme].public))
    assert result.status == DONE, result
    rig.check_arrived(signed)


def test_a_stream_is_refused_before_its_end(rig: Rig, keys: Keys, path: Path) -> None:
    image = sign(path, make_image("2.0.0", size=40000), keys.other["ecdsa256"])
    rig.power_on()
    url = rig.serve(image).url("ok")
    result = rig.update("esp-ota", url, "--public-key", str(keys.mine["ecdsa256"].public))
    assert result.status == IMAGE, result
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)
