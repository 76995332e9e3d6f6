# SPDX-License-Identifier: Apache-2.0
"""What is demanded of an image beside that it is whole: its digest, a signature, a version."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from esp_hosted_ota import (
    Device,
    Image,
    OtaError,
    OtaUsageError,
    Status,
    VersionPolicy,
    check_update,
    find_sha256,
    update,
    verify,
)
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, IMAGE, NOTHING, USAGE


@pytest.fixture
def path(image: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "image.bin"
    path.write_bytes(image)
    return path


def test_sha256(path: Path, image: bytes) -> None:
    digest = hashlib.sha256(image)
    assert verify(path, sha256=digest.digest()).sha256 == digest.digest()
    assert verify(path, sha256=digest.hexdigest().upper()).sha256 == digest.digest()
    with pytest.raises(OtaError, match="SHA-256") as caught:
        verify(path, sha256=bytes(32))
    assert caught.value.status == Status.IMAGE
    for short in (b"", digest.digest()[:31], digest.hexdigest()[:62], "no digest"):
        with pytest.raises(ValueError, match="bytes|fromhex"):
            verify(path, sha256=short)


def test_find_sha256(path: Path) -> None:
    """Beside the image, the file of its own before the list."""
    with pytest.raises(OtaError) as caught:
        find_sha256(path)
    assert caught.value.status == Status.IMAGE
    path.with_name("SHA256SUMS").write_text(f"{'22' * 32}  other.bin\n{'33' * 32}  image.bin\n")
    assert find_sha256(path) == b"\x33" * 32
    path.with_name("image.bin.sha256").write_text("44" * 32)
    assert find_sha256(path) == b"\x44" * 32
    with pytest.raises(OtaUsageError):
        find_sha256("-")


def espsecure(*args: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "espsecure", *args], check=True, capture_output=True)


def test_signature(path: Path, tmp_path: Path) -> None:
    signed = tmp_path / "signed.bin"
    keys = [tmp_path / "key.pem", tmp_path / "other.pem"]
    for key in keys:
        espsecure("generate-signing-key", "--version", "2", "--scheme", "ecdsa256", key)
        public = key.with_suffix(".pub")
        espsecure("extract-public-key", "--version", "2", "--keyfile", key, public)
    espsecure("sign-data", "--version", "2", "--keyfile", keys[0], "--output", signed, path)

    assert verify(signed, public_key=keys[0].with_suffix(".pub")).signature_ok
    assert not verify(signed).signature_ok, "nobody looked"
    for source, key in ((signed, keys[1]), (path, keys[0])):
        with pytest.raises(OtaError) as caught:
            verify(source, public_key=key.with_suffix(".pub"))
        assert caught.value.status == Status.IMAGE
    with pytest.raises(FileNotFoundError):
        verify(signed, public_key=tmp_path / "nowhere.pub")


def test_versions(rig: Rig) -> None:
    """Of a firmware that says which it is."""
    rig.power_on()
    versions = {"same": rig.old, "older": "0.0.1", "newer": "99.0.0"}
    paths = {
        name: rig.file(f"{name}.bin", make_image(version, size=4016))
        for name, version in versions.items()
    }
    none, nothing, refused = None, Status.NOTHING, Status.IMAGE
    expected = {
        VersionPolicy.ANY: (none, none, none),
        VersionPolicy.OTHER: (nothing, none, none),
        VersionPolicy.NOT_OLDER: (nothing, refused, none),
        VersionPolicy.NEWER: (nothing, nothing, none),
    }
    with Device(rig.device) as device:
        for policy, statuses in expected.items():
            for path, status in zip(paths.values(), statuses, strict=True):
                if status is None:
                    assert check_update(device, path, versions=policy).file_bytes
                    continue
                with pytest.raises(OtaError) as caught:
                    check_update(device, path, versions=policy)
                assert caught.value.status == status, (policy, path)
        with pytest.raises(OtaError, match="nothing was erased") as caught:
            update(device, paths["same"], versions=VersionPolicy.OTHER)
        assert caught.value.status == Status.NOTHING


def test_every_objection(rig: Rig) -> None:
    rig.power_on()
    path = rig.file("image.bin", make_image(rig.old, size=4016, chip="esp32c3"))
    heard: list[OtaError] = []
    with Device(rig.device) as device, pytest.raises(OtaError) as caught:
        check_update(device, path, versions=VersionPolicy.OTHER, objection=heard.append)
    assert str(caught.value) == str(heard[0])
    assert [error.status for error in heard] == [Status.IMAGE, Status.NOTHING]
    assert "ESP32-C3" in str(heard[0])
    assert rig.old in str(heard[1])


def test_no_objection(rig: Rig) -> None:
    rig.power_on()
    image = make_image("2.0.0", size=4016)
    heard: list[OtaError] = []
    with Device(rig.device) as device:
        found = check_update(device, rig.file("image.bin", image), objection=heard.append)
    assert isinstance(found, Image)
    assert (found.version, found.sha256) == ("2.0.0", hashlib.sha256(image).digest())
    assert heard == []
    rig.check_boots(rig.old)


def test_the_tool(rig: Rig) -> None:
    """The same by options; an update that is not done has erased nothing."""
    rig.power_on()
    image = make_image("0.0.1", size=4016)
    path = rig.file("image.bin", image)

    def run(*options: str, status: int) -> str:
        result = rig.update("ota_update.py", path, *options)
        assert result.status == status, result
        return result.stderr

    assert run("--if-newer", status=NOTHING)
    assert "SHA-256" in run("--sha256", "00" * 32, status=IMAGE)
    assert "no SHA-256 of image.bin" in run("--check-sums", status=IMAGE)
    assert run("--sha256", "00" * 31, status=USAGE)
    assert run("--sha256", "00" * 32, "--check-sums", status=USAGE)
    rig.file("image.bin.sha256", hashlib.sha256(image).hexdigest().encode())
    run("--check-sums", status=DONE)
    rig.check_arrived(image)
