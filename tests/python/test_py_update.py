# SPDX-License-Identifier: Apache-2.0
"""update() and verify(): the image checked, sent whole and not a byte more, and told about."""

import functools
import hashlib
import os
import threading
from pathlib import Path

import pytest
from esp_hosted_ota import (
    Device,
    Download,
    Image,
    OtaError,
    OtaUsageError,
    Stage,
    Status,
    check_update,
    update,
    verify,
)
from support import classic, images
from support.classic import Kind
from support.fake_device import FakeDevice
from support.http_faults import FaultServer

send = functools.partial(update, reboot_timeout=0)  # the fake device never restarts

# Where a stage and its end lie among the progress calls.
Call = tuple[Stage, Image, int, int]


@pytest.fixture
def ready(fake: FakeDevice) -> FakeDevice:
    """A device that agrees to everything."""
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END):
        fake.script(kind, classic.answer(kind))
    return fake


def put(folder: Path, data: bytes) -> Path:
    path = folder / "image.bin"
    path.write_bytes(data)
    return path


def test_from_a_file(ready: FakeDevice, device: Device, image: bytes, tmp_path: Path) -> None:
    send(device, put(tmp_path, image))
    assert ready.sent_image() == image
    assert ready.kinds()[-1] is Kind.OTA_END


def test_not_one_byte_more(ready: FakeDevice, device: Device, image: bytes, tmp_path: Path) -> None:
    """40001 bytes, one behind the image: upstream's tool sends 44000."""
    send(device, str(put(tmp_path, image + b"x")))
    writes = [m for m in ready.requests if m.kind is Kind.OTA_WRITE]
    assert ready.sent_image() == image + b"x"
    assert writes[-1].raw.hex() == "010700636f6e74726f6c020800081ec202030a0178"


@pytest.mark.parametrize("behaviour", ["ok", "chunked", "no-length", "redirect"])
def test_from_a_server(
    ready: FakeDevice, device: Device, image: bytes, server: FaultServer, behaviour: str
) -> None:
    send(device, server.url(behaviour))
    assert ready.sent_image() == image


def test_a_name_that_is_no_utf8(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path
) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff\xfe.bin")
    with open(path, "wb") as file:
        file.write(image)
    send(device, os.fsdecode(path))
    assert ready.sent_image() == image


@pytest.mark.parametrize("from_url", [False, True])
def test_progress(
    ready: FakeDevice,
    device: Device,
    image: bytes,
    tmp_path: Path,
    server: FaultServer,
    from_url: bool,
) -> None:
    calls: list[Call] = []
    where = server.url("ok") if from_url else str(put(tmp_path, image))
    send(device, where, progress=lambda *call: calls.append(call))

    stages = [stage for stage, _, _, _ in calls]
    assert sorted(set(stages)) == [Stage.CHECK, Stage.BEGIN, Stage.WRITE, Stage.END]
    assert stages == sorted(stages)
    assert [done for stage, _, done, _ in calls if stage is Stage.WRITE] == [
        *range(0, 40000, 4000),
        40000,
    ]
    assert {total for stage, _, _, total in calls if stage is Stage.WRITE} == {40000}
    last = calls[-1][1]
    digest = hashlib.sha256(image).digest()
    assert last == Image(
        where, 0, last.project, "2.0.0", 40000, 40000, True, digest, extension=True
    )


def test_what_progress_raises(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path
) -> None:
    """It stops the update, without an `end`, and arrives unchanged."""

    def progress(stage: Stage, image: Image, done: int, total: int) -> None:
        if done == 8000:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough") as caught:
        send(device, put(tmp_path, image), progress=progress)
    assert isinstance(caught.value.__cause__, OtaError)
    assert "still in place" in str(caught.value.__cause__)
    assert ready.sent_image() == image[:8000]
    assert Kind.OTA_END not in ready.kinds()


def test_what_progress_raises_at_the_end(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path
) -> None:
    """Too late to stop anything, but never lost; nor is what came of the update."""

    def progress(stage: Stage, image: Image, done: int, total: int) -> None:
        if stage is Stage.END:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        send(device, put(tmp_path, image), progress=progress)
    assert ready.sent_image() == image
    assert Kind.OTA_END in ready.kinds()


def test_what_progress_raises_before_a_refusal(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path
) -> None:
    def progress(stage: Stage, image: Image, done: int, total: int) -> None:
        if stage is Stage.END:
            raise LookupError("enough")

    path = put(tmp_path, image)
    ready.script(Kind.OTA_END, classic.answer(Kind.OTA_END, -1))
    send(device, path)  # the good answer
    with pytest.raises(LookupError, match="enough") as caught:
        send(device, path, progress=progress)
    assert caught.value.__cause__.status == Status.REFUSED


@pytest.mark.parametrize(
    "options",
    [
        {"chip": -1},
        {"chip": 1 << 40},
        {"chip": "esp33"},
        {"slot_bytes": -5},
        {"slot_bytes": 1 << 32},
        {"sha256": b"short"},
        {"reboot_timeout": -1},
        {"reboot_timeout": 1 << 40},
    ],
)
def test_bad_arguments(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path, options: dict[str, object]
) -> None:
    path = put(tmp_path, image)
    with pytest.raises(OtaUsageError) as caught:
        update(device, path, **options)
    assert caught.value.status == Status.USAGE
    if "reboot_timeout" not in options:
        with pytest.raises(OtaUsageError):
            verify(path, **options)
        with pytest.raises(OtaUsageError):
            check_update(device, path, **options)
    assert ready.requests == []


def test_check_the_image_alone(image: bytes, tmp_path: Path) -> None:
    heard: list[OtaError] = []
    assert check_update(None, put(tmp_path, image)).version == "2.0.0"
    with pytest.raises(OtaError, match="ESP32-C3"):
        check_update(
            None, tmp_path / "image.bin", chip="ESP32-C3", slot_bytes=1, objection=heard.append
        )
    assert [error.status for error in heard] == [Status.IMAGE]


def test_progress_cannot_use_the_device(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path
) -> None:
    with pytest.raises(OtaUsageError, match="in use"):
        send(device, put(tmp_path, image), progress=lambda *_: device.scan())
    assert Kind.SCAN not in ready.kinds()
    assert Kind.OTA_END not in ready.kinds()


def test_from_another_thread(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path
) -> None:
    thread = threading.Thread(target=send, args=(device, put(tmp_path, image)))
    thread.start()
    thread.join()
    assert ready.sent_image() == image


@pytest.mark.parametrize("kind", [Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END])
def test_refused(
    ready: FakeDevice, device: Device, image: bytes, tmp_path: Path, kind: Kind
) -> None:
    path = put(tmp_path, image)
    ready.script(kind, classic.answer(kind, -1))
    # The first answer is the good one: that of another update.
    if kind is not Kind.OTA_WRITE:
        send(device, path)
    count = len(ready.requests)
    holds = "no update was begun" if kind is Kind.OTA_BEGIN else "still in place"
    with pytest.raises(OtaError, match=holds) as caught:
        send(device, path)
    assert caught.value.status == Status.REFUSED
    expected = {Kind.OTA_BEGIN: 0, Kind.OTA_WRITE: 4000, Kind.OTA_END: 40000}
    assert caught.value.offset == expected[kind]
    kinds = ready.kinds()[count:]
    assert kinds[-1] is kind


@pytest.mark.parametrize(
    ("behaviour", "kind", "http_status"),
    [
        ("404", FileNotFoundError, 404),
        ("401", PermissionError, 401),
        ("500", OtaError, 500),
        ("redirect-loop", OtaError, 0),
    ],
)
def test_a_server_that_refuses(
    ready: FakeDevice,
    device: Device,
    server: FaultServer,
    behaviour: str,
    kind: type[OtaError],
    http_status: int,
) -> None:
    with pytest.raises(kind) as caught:
        send(device, server.url(behaviour))
    assert (caught.value.status, caught.value.http_status) == (Status.LOCAL, http_status)
    assert ready.requests == []


@pytest.mark.parametrize("behaviour", ["cut", "cut-chunked"])
def test_a_server_that_breaks_off(
    ready: FakeDevice, device: Device, server: FaultServer, behaviour: str
) -> None:
    with pytest.raises(OtaError) as caught:
        send(device, server.url(behaviour), download=Download(retries=0))
    assert caught.value.status == Status.LOCAL
    assert Kind.OTA_END not in ready.kinds()


@pytest.mark.parametrize(
    ("change", "options", "reason"),
    [
        (images.with_bad_checksum, {}, "checksum"),
        (images.with_bad_digest, {}, "digest"),
        (lambda image: image[:20000], {}, "image.bin"),
        (lambda image: b"<html>" * 5000, {}, "image.bin"),
        (bytes, {"chip": 5}, "ESP32-C3"),
        (bytes, {"chip": "esp32c3"}, "ESP32-C3"),
        (bytes, {"slot_bytes": 39999}, "39,999|40,000"),
    ],
)
def test_a_bad_image(
    ready: FakeDevice,
    device: Device,
    image: bytes,
    tmp_path: Path,
    change: object,
    options: dict[str, int],
    reason: str,
) -> None:
    """update() and verify() say the same, and nothing is erased."""
    path = put(tmp_path, change(image))
    with pytest.raises(OtaError, match=reason) as of_update:
        send(device, path, **options)
    with pytest.raises(OtaError, match=reason) as of_verify:
        verify(path, **options)
    assert of_update.value.status == of_verify.value.status == Status.IMAGE
    assert Kind.OTA_BEGIN not in ready.kinds()


def test_no_file(device: Device, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        send(device, tmp_path / "nowhere.bin")
    assert caught.value.status == Status.LOCAL
    with pytest.raises(IsADirectoryError):
        send(device, tmp_path)
    with pytest.raises(ValueError, match="NUL"):
        send(device, "image\0.bin")


def test_verify(image: bytes, tmp_path: Path, server: FaultServer) -> None:
    path = str(put(tmp_path, image + b"x"))
    found = verify(path)
    digest = hashlib.sha256(image + b"x").digest()
    assert found == Image(
        path, 0, found.project, "2.0.0", 40000, 40001, True, digest, extension=True
    )
    url = server.url("chunked")
    assert verify(url).image_bytes == 40000
    assert verify(url.replace("http://", "http://me:secret@")).source == url
