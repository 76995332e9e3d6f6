# SPDX-License-Identifier: Apache-2.0
"""Device: what goes over the wire, what comes of the answers, and who owns what."""

import array
import errno
import gc
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from esp_hosted_ota import (
    AccessPoint,
    Cancel,
    Counters,
    Device,
    Encryption,
    Mode,
    OtaError,
    OtaUsageError,
    Session,
    Status,
    chip_name,
    interface_down,
    interface_up,
)
from support import classic
from support.classic import Kind
from support.fake_device import FakeDevice, recorded
from support.tools import HOST_CONTROL, ROOT

RECORDINGS = ROOT / "tests/data/transcripts"
MAC = "24:0a:c4:11:22:33"


def mac_answer(mac: str = MAC) -> bytes:
    return classic.answer(Kind.GET_MAC, before=classic.field(1, mac.encode()))


def asked(fake: FakeDevice) -> list[bytes]:
    """What was asked, but for the question who is there."""
    return [m.raw for m in fake.requests if m.kind is not Kind.GET_MODE]


# The wire


def test_all_commands_as_recorded(fake: FakeDevice, device: Device) -> None:
    """Byte for byte what upstream's tools ask, and the values that they were answered."""
    path = RECORDINGS / "classic-all-commands.jsonl"
    ours = [
        (request, answer)
        for request, answer in recorded(path)
        if request.kind
        in (
            *(Kind.SET_MODE, Kind.SCAN, Kind.SET_MAC, Kind.GET_MAC),
            *(Kind.CONNECT_AP, Kind.GET_AP, Kind.DISCONNECT_AP),
        )
    ]
    for request, answer in ours:
        fake.script(request.kind, answer.raw)
    network = {"listen_interval": 5}
    my_wifi = AccessPoint("MyWifi", "11:22:33:44:55:66", 6, -40, Encryption.WPA2_PSK)
    open_ap = AccessPoint("Open", "12:22:33:44:55:66", 11, -80, Encryption.OPEN)

    device.set_mode(Mode.NONE)
    assert device.scan() == [my_wifi, open_ap]
    device.set_mode(Mode.STATION)
    device.set_mac("1a:11:11:11:11:11")
    assert device.get_mac() == "1a:11:11:11:11:11"
    device.connect("MyWifi", "MyWifiPass@123", **network)
    assert device.get_ap() == my_wifi
    device.disconnect()
    device.set_mode(Mode.ACCESS_POINT)
    device.set_mac("1a:22:22:22:22:22", Mode.ACCESS_POINT)
    assert device.get_mac(Mode.ACCESS_POINT) == "1a:22:22:22:22:22"
    device.set_mode(Mode.BOTH)
    device.connect("MyWifi", "MyWifiPass@123", **network)
    assert device.get_ap() == my_wifi
    device.disconnect()
    assert asked(fake) == [request.raw for request, _ in ours]


def test_mode_of_stock_firmware(fake: FakeDevice, device: Device) -> None:
    answer = classic.answer(Kind.GET_MODE, before=classic.field(1, 1))
    fake.script(Kind.GET_MODE, answer)
    assert device.get_mode() == (Mode.STATION, None)
    assert device.identity is None


def test_a_mode_that_is_none(fake: FakeDevice, device: Device) -> None:
    fake.script(Kind.GET_MODE, classic.answer(Kind.GET_MODE, before=classic.field(1, 9)))
    with pytest.raises(OtaError, match="get_mode") as caught:
        device.get_mode()
    assert caught.value.status == Status.NO_ANSWER


def test_every_byte_of_an_ssid_comes_back(fake: FakeDevice, device: Device) -> None:
    """An SSID is 32 bytes of anything; one from a scan can be joined."""
    raw = bytes([0xFF, 0xC3, 0x28, *range(0x80, 0x9D)])
    assert len(raw) == 32
    point = b"".join(
        [
            classic.field(1, raw),
            classic.field(2, 1),
            classic.field(3, -1),
            classic.field(4, b"11:22:33:44:55:66"),
            classic.field(5, 0),
        ]
    )
    before = classic.field(1, 1) + classic.field(2, point)
    fake.script(Kind.SCAN, classic.answer(Kind.SCAN, before=before))
    fake.script(Kind.CONNECT_AP, classic.answer(Kind.CONNECT_AP))
    (found,) = device.scan()
    device.connect(found.ssid)
    assert fake.requests[-1].get(1) == raw


@pytest.mark.parametrize("ssid", ["x" * 32, "\u00e9" * 16, "\u2615"])
def test_an_ssid_counts_in_bytes(fake: FakeDevice, device: Device, ssid: str) -> None:
    fake.script(Kind.CONNECT_AP, classic.answer(Kind.CONNECT_AP))
    device.connect(ssid, "12345678", bssid="11:22:33:44:55:66", wpa3=True)
    payload = dict(fake.requests[-1].payload)
    assert payload == {1: ssid.encode(), 2: b"12345678", 3: b"11:22:33:44:55:66", 4: 1, 5: 3}


@pytest.mark.parametrize(
    "connect",
    [
        lambda device: device.connect("x" * 33),
        lambda device: device.connect("\u00e9" * 17),
        lambda device: device.connect(""),
        lambda device: device.connect("net", "x" * 65),
        lambda device: device.connect("net\0work"),
        lambda device: device.connect("net", "se\0cret"),
        lambda device: device.connect("net", "secret\ud800"),
        lambda device: device.connect("net", bssid="nonsense"),
        lambda device: device.connect("net", listen_interval=-1),
        lambda device: device.connect("net", listen_interval=1 << 40),
        lambda device: device.get_mac(Mode.BOTH),
        lambda device: device.get_mac(-1),
        lambda device: device.set_mode(4),
        lambda device: device.set_mac("nonsense"),
        lambda device: device.set_mac(MAC, 7),
        lambda device: device.set_heartbeat(-1),
        lambda device: device.set_heartbeat(1 << 40),
        lambda device: device.listen(-1),
        lambda device: device.listen(float("nan")),
        lambda device: device.listen(float("inf")),
        lambda device: Session(device, -5),
        lambda device: Session(device, 1 << 40),
    ],
)
def test_bad_arguments_are_value_errors(
    fake: FakeDevice, device: Device, connect: Callable[[Device], None]
) -> None:
    """Nothing is sent, and no password is said."""
    with pytest.raises(ValueError) as caught:
        connect(device)
    assert "cret" not in str(caught.value)
    assert asked(fake) == []


# What goes wrong


def test_refused(fake: FakeDevice, device: Device) -> None:
    fake.script(Kind.GET_MAC, classic.answer(Kind.GET_MAC, -1))
    with pytest.raises(OtaError, match="refused get_mac") as caught:
        device.get_mac()
    error = caught.value
    assert (error.status, error.errno, error.device_code) == (Status.REFUSED, errno.EREMOTEIO, -1)
    assert type(error) is OtaError


@pytest.mark.parametrize(("code", "number"), [(2, errno.ENOENT), (3, errno.EACCES)])
def test_why_it_could_not_join(fake: FakeDevice, device: Device, code: int, number: int) -> None:
    fake.script(Kind.CONNECT_AP, classic.answer(Kind.CONNECT_AP, code))
    with pytest.raises(OtaError, match="'Home'") as caught:
        device.connect("Home", "Sesam-7-auf!")
    assert caught.value.errno == number
    assert not isinstance(caught.value, (FileNotFoundError, PermissionError))
    assert "Sesam" not in str(caught.value)


def test_not_connected(fake: FakeDevice, device: Device) -> None:
    fake.script(Kind.GET_AP, classic.answer(Kind.GET_AP, 1))
    with pytest.raises(OtaError) as caught:
        device.get_ap()
    assert caught.value.errno == errno.ENOTCONN


def test_no_answer(device: Device) -> None:
    with pytest.raises(TimeoutError) as caught:
        device.scan()
    assert caught.value.status == Status.NO_ANSWER


def test_half_an_answer(fake: FakeDevice, device: Device) -> None:
    fake.script(Kind.GET_MAC, mac_answer()[:20])
    with pytest.raises(TimeoutError):
        device.get_mac()


def test_a_late_answer_is_nobody_elses(fake: FakeDevice, device: Device) -> None:
    fake.inject(classic.answer(Kind.OTA_END))
    fake.script(Kind.GET_MAC, classic.answer(Kind.OTA_BEGIN) + mac_answer())
    assert device.get_mac() == MAC


def test_no_device(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere") as caught:
        Device(tmp_path / "nowhere")
    assert caught.value.status == Status.NO_ANSWER


def test_the_device_goes_away(fake: FakeDevice, device: Device) -> None:
    device.get_mode()
    fake.vanish()
    with pytest.raises(OtaError) as caught:
        device.get_mac()
    assert caught.value.status == Status.NO_ANSWER


def test_errors_survive_pickle(tmp_path: Path) -> None:
    with pytest.raises(OtaError) as caught:
        Device(tmp_path / "nowhere")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert (str(again), again.status) == (str(caught.value), Status.NO_ANSWER)


@pytest.mark.parametrize("timeout", [0, -1, 86401])
def test_no_such_timeout(fake: FakeDevice, timeout: int) -> None:
    with pytest.raises(ValueError):
        Device(fake.path, timeout=timeout)


def test_no_such_dialect(fake: FakeDevice) -> None:
    with pytest.raises(ValueError):
        Device(fake.path, dialect="latin")


def test_no_such_interface() -> None:
    for change in (lambda: interface_up(MAC, "nowhere0"), lambda: interface_down("nowhere0")):
        with pytest.raises(OtaError, match="nowhere0") as caught:
            change()
        assert (caught.value.errno, caught.value.status) == (errno.ENODEV, Status.LOCAL)


# Who owns what


def test_where_the_device_is(fake: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESP_HOSTED_DEVICE", str(fake.path))
    with Device() as device:
        assert device.path == str(fake.path)


def test_another_process_holds_it(fake: FakeDevice, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from esp_hosted_ota import Device\n"
            f"with Device({str(fake.path)!r}): print('held', flush=True); sys.stdin.read()",
        ],
        env={**os.environ, "PYTHONPATH": str(HOST_CONTROL / "python_support")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OtaError, match=str(holder.pid)) as caught:
            Device(fake.path)
        holder.stdin.close()
    assert caught.value.status == Status.BUSY
    Device(fake.path).close()


def test_a_forgotten_device_is_closed(fake: FakeDevice) -> None:
    device = Device(fake.path)
    fd_count = len(os.listdir("/proc/self/fd"))
    del device
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) < fd_count
    Device(fake.path).close()


def test_a_closed_device(device: Device) -> None:
    device.close()
    device.close()
    with pytest.raises(ValueError, match="closed"):
        device.get_mode()


def test_a_forgotten_session_and_its_device(fake: FakeDevice) -> None:
    """Whatever order they go in."""
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    session = Session(Device(fake.path))
    session.itself = session  # the collector of cycles chooses
    del session
    gc.collect()
    Device(fake.path).close()


def test_a_session_ends_with_its_device(fake: FakeDevice) -> None:
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    with Device(fake.path) as device:
        session = Session(device)
    with pytest.raises(ValueError, match="closed"):
        session.write(b"x")
    session.close()
    assert fake.kinds().count(Kind.OTA_WRITE) == 0


def test_one_call_at_a_time(fake: FakeDevice) -> None:
    """A second one, and a close, are refused while the first one waits; nothing is mixed up."""
    cancel = Cancel()
    outcome: list[OtaError] = []

    def wait() -> None:
        with pytest.raises(OtaError) as caught:
            device.get_mac()
        outcome.append(caught.value)

    with Device(fake.path, timeout=600, cancel=cancel) as device:
        thread = threading.Thread(target=wait)
        thread.start()
        fake.wait_request(Kind.GET_MAC)
        for refused in (device.get_mode, device.close):
            with pytest.raises(OtaUsageError, match="in use"):
                refused()
        cancel.request()
        thread.join()
    assert outcome[0].errno == errno.ECANCELED
    assert fake.kinds() == [Kind.GET_MODE, Kind.GET_MAC]


def test_not_from_a_callback(fake: FakeDevice) -> None:
    refused: list[Exception] = []

    def log(line: str) -> None:
        try:
            device.scan()
        except OtaUsageError as error:
            refused.append(error)

    fake.script(Kind.GET_MAC, classic.answer(Kind.OTA_END) + mac_answer())
    with Device(fake.path, log=log) as device:
        assert device.get_mac() == MAC
    assert refused


def test_what_log_raises(fake: FakeDevice) -> None:
    """It comes once the call is done, with what the call itself has failed with."""

    def log(line: str) -> None:
        raise LookupError(line)

    fake.script(Kind.GET_MAC, classic.answer(Kind.OTA_END) + mac_answer())
    fake.script(Kind.SCAN, classic.answer(Kind.OTA_END) + classic.answer(Kind.SCAN, -1))
    with Device(fake.path, log=log) as device:
        with pytest.raises(LookupError, match="dialect") as caught:  # the first line
            device.get_mac()
        assert caught.value.__cause__ is None
        with pytest.raises(LookupError, match="dropped") as caught:
            device.scan()
        assert "refused" in str(caught.value.__cause__)
        assert device.counters == Counters(bytes=0, messages=2, events=0)
        assert device.get_mode() == (Mode.NONE, None)


def test_chip_names() -> None:
    assert (chip_name(0), chip_name(5)) == ("ESP32", "ESP32-C3")
    assert [chip_name(chip) for chip in (-1, 0xFFFF, 1 << 40)] == [None] * 3


def test_log(fake: FakeDevice) -> None:
    lines: list[str] = []
    fake.script(Kind.GET_MAC, classic.answer(Kind.OTA_END) + mac_answer())
    with Device(fake.path, log=lines.append) as device:
        device.get_mac()
    assert lines[0].startswith("dialect classic, found out in ")
    assert lines[1:] == ["dropped a message: a reply to end while waiting for one to get_mac"]


# An update by hand


@pytest.fixture
def session(fake: FakeDevice, device: Device) -> Session:
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END):
        fake.script(kind, classic.answer(kind))
    return Session(device)


def test_a_session_sends_what_it_is_given(fake: FakeDevice, session: Session) -> None:
    data = os.urandom(40001)
    with session:
        session.write(data)
        assert session.confirmed == 40001
        session.finish()
    lengths = [len(m.image_bytes) for m in fake.requests if m.kind is Kind.OTA_WRITE]
    assert lengths == [4000] * 10 + [1]
    assert fake.sent_image() == data
    assert fake.kinds()[-1] is Kind.OTA_END


@pytest.mark.parametrize(
    "kind", [bytes, bytearray, memoryview, lambda data: array.array("I", data)]
)
def test_a_session_takes_any_buffer(
    fake: FakeDevice, session: Session, kind: Callable[[bytes], bytes]
) -> None:
    data = os.urandom(4004)
    session.write(kind(data))
    assert fake.sent_image() == data


def test_a_session_takes_no_text(session: Session) -> None:
    with pytest.raises(TypeError):
        session.write("text")


def test_after_a_failed_write(fake: FakeDevice, device: Device) -> None:
    """Nothing is sent any more, an `end` least of all."""
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    fake.script(Kind.OTA_WRITE, classic.answer(Kind.OTA_WRITE), classic.answer(Kind.OTA_WRITE, -1))
    with Session(device) as session:
        with pytest.raises(OtaError, match="refused") as caught:
            session.write(bytes(12000))
        assert (caught.value.offset, caught.value.device_code) == (4000, -1)
        for refused in (lambda: session.write(b"x"), session.finish):
            with pytest.raises(OtaUsageError, match="failed write"):
                refused()
    assert fake.kinds()[1:] == [Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_WRITE]
