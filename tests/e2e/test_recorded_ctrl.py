# SPDX-License-Identifier: Apache-2.0
"""Exchanges recorded between upstream's tools and firmware of the ctrl dialect, for our host.

What our firmware does with them is in tests/sim.
"""

import re
from pathlib import Path

import pytest
from support import classic, ctrl
from support.classic import Kind, field
from support.dialects import CtrlMessage, ctrl_reply
from support.fake_device import FakeDevice, recorded_ctrl
from support.process import Result
from support.rig import UPDATERS, VERB, Rig
from support.tools import DONE, LOCAL, NO_ANSWER, REFUSED, ROOT

RECORDINGS = ROOT / "tests/data/transcripts"
PASSWORD = "MyWifiPass@123"


def recording(name: str) -> Path:
    return RECORDINGS / f"ctrl-{name}.jsonl"


@pytest.fixture
def fake(rig: Rig) -> FakeDevice:
    device = FakeDevice(rig.folder / "fake")
    rig.finally_close(device)
    return device


def run(rig: Rig, fake: FakeDevice, tool: str, *args: str | Path) -> Result:
    """A tool on the fake device, in a network namespace without interfaces."""
    options = ("--device", fake.path, "--timeout", "2", "--dialect", "ctrl")
    return rig.tools.run(tool, *args, *options, wrap=rig.no_network())


def update(rig: Rig, fake: FakeDevice, tool: str, image: bytes) -> Result:
    options = ("--device", fake.path, "--timeout", "2", "--dialect", "ctrl")
    return rig.tools.run(
        tool, *VERB[tool], rig.where(tool, image), *options, "--reboot-timeout", "0"
    )


def theirs(name: str, kind: Kind) -> list[CtrlMessage]:
    return [request for request, _ in recorded_ctrl(recording(name)) if request.kind is kind]


def image_of_recording() -> bytes:
    """40,001 bytes; behind them the recorded host sent bytes of its own."""
    return b"".join(m.image_bytes for m in theirs("ota-40001", Kind.OTA_WRITE))[:40001]


def like(request: CtrlMessage, recorded: CtrlMessage) -> bytes:
    """The recorded request with the number of ours, and the submessage that ours always has."""
    payload = dict(classic.fields(recorded.body)).get(recorded.number, b"")
    return ctrl.request(recorded.number, payload, request.uid)


@pytest.mark.parametrize("updater", UPDATERS)
@pytest.mark.parametrize("name", ["ota-40001", "ota-event-midway"])
def test_an_update(rig: Rig, fake: FakeDevice, updater: str, name: str) -> None:
    """Byte for byte as recorded, but for the last chunk: the recorded host pads it."""
    image = image_of_recording()
    fake.replay(recording(name))
    result = update(rig, fake, updater, image)
    assert result.status == DONE, result
    assert fake.sent_image() == image
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END):
        sent = [m for m in fake.requests if m.kind is kind]
        expected = theirs(name, kind)
        assert len(sent) == len(expected)
        if kind is Kind.OTA_WRITE:
            assert sent.pop().image_bytes == image[40000:]
        for ours, recorded in zip(sent, expected, strict=False):
            assert ours.raw == like(ours, recorded)


@pytest.mark.parametrize("updater", UPDATERS)
def test_a_refused_write(rig: Rig, fake: FakeDevice, updater: str) -> None:
    fake.replay(recording("ota-write-refused"))
    result = update(rig, fake, updater, image_of_recording())
    assert result.status == REFUSED, result
    assert re.search(r"write at 8,000", result.stderr)
    assert Kind.OTA_END not in fake.kinds()


@pytest.mark.parametrize("updater", UPDATERS)
def test_a_restart(rig: Rig, fake: FakeDevice, updater: str) -> None:
    """The recorded ESP32 restarts at `begin`; upstream's host prints the event and goes on."""
    fake.replay(recording("ota-restart"))
    result = update(rig, fake, updater, image_of_recording())
    assert result.status == NO_ANSWER, result
    assert "restarted" in result.stderr
    assert Kind.OTA_WRITE not in fake.kinds()


def test_mode(rig: Rig, fake: FakeDevice) -> None:
    fake.replay(recording("mode"))
    result = run(rig, fake, "test.out", "get_mode")
    assert (result.status, result.stdout) == (DONE, "1 station\n")


def test_mac(rig: Rig, fake: FakeDevice) -> None:
    fake.replay(recording("mac"))
    result = run(rig, fake, "test.out", "get_mac")
    assert (result.status, result.stdout) == (DONE, "24:0a:c4:11:22:33\n")


def test_version(rig: Rig, fake: FakeDevice) -> None:
    fake.replay(recording("fw-version"))
    fake.replay(recording("mac"))
    fake.script(Kind.GET_AP, ctrl_reply(206, field(6, 1)))
    result = run(rig, fake, "esp-ota", "info")
    assert result.status == DONE, result
    assert re.search(r"^firmware +FG-1\.0\.0\.0\.0$", result.stdout, re.MULTILINE)
    assert re.search(r"^mac +24:0a:c4:11:22:33$", result.stdout, re.MULTILINE)


def test_firmware_that_is_silent_about_its_version(rig: Rig, fake: FakeDevice) -> None:
    """Before July 2024."""
    mac = recorded_ctrl(recording("mac"))[-1][1]
    fake.script(Kind.GET_MAC, mac)
    fake.script(Kind.GET_AP, ctrl_reply(206, field(6, 1)))
    result = run(rig, fake, "esp-ota", "info")
    assert result.status == DONE, result
    assert re.search(r"^firmware +unknown$", result.stdout, re.MULTILINE)


def test_scan(rig: Rig, fake: FakeDevice) -> None:
    fake.replay(recording("scan"))
    result = run(rig, fake, "test.out", "scan")
    assert result.status == DONE, result
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    for line, facts in zip(
        lines,
        [
            ("TestNet-0", "02:11:22:33:44:50", "1", "-40", "WPA2"),
            ("TestNet-1", "02:11:22:33:44:51", "6", "-41", "WPA2"),
        ],
        strict=True,
    ):
        for fact in facts:
            assert re.search(rf"(?<![\w-]){fact}", line, re.IGNORECASE), (fact, line)


def test_a_connect_ends_with_its_event(rig: Rig, fake: FakeDevice) -> None:
    """The old network is left first, which is no failure; here there is no interface then."""
    fake.replay(recording("station-connect"))
    words = ("sta_connect", "--ssid", "MyWifi", "--password", PASSWORD, "--listen-interval", "3")
    result = run(rig, fake, "test.out", *words)
    assert result.status == LOCAL, result
    assert "connected to 'MyWifi'" in result.stdout
    assert "ethsta0" in result.stderr
    sent = next(m for m in fake.requests if m.kind is Kind.CONNECT_AP)
    recorded = theirs("station-connect", Kind.CONNECT_AP)[0]
    # The recorded host names a band, 2.4 GHz or 5: ours leaves that to the ESP32.
    assert [f for f in sent.payload] == [f for f in recorded.payload if f[0] != 6]


def test_a_refused_disconnect(rig: Rig, fake: FakeDevice) -> None:
    fake.replay(recording("station-disconnect"))
    result = run(rig, fake, "test.out", "sta_disconnect")
    assert result.status == REFUSED, result


# Answers that upstream's host does not survive


def entry(ssid: bytes) -> bytes:
    return field(1, ssid) + field(2, 6) + field(3, -40) + field(4, b"02:11:22:33:44:50")


def test_a_scan_that_counts_more_than_it_lists(rig: Rig, fake: FakeDevice) -> None:
    fake.script(Kind.SCAN, ctrl_reply(205, field(1, 1000) + field(2, entry(b"One")), 1))
    result = run(rig, fake, "test.out", "scan")
    assert result.status == DONE, result
    assert len(result.stdout.splitlines()) == 1


def test_names_that_are_too_long(rig: Rig, fake: FakeDevice) -> None:
    long = b"x" * 64
    fake.script(Kind.SCAN, ctrl_reply(205, field(1, 1) + field(2, entry(long)), 1))
    fake.script(Kind.GET_AP, ctrl_reply(206, field(1, long) + field(2, long), 1))
    for word in ("scan", "sta_status"):
        result = run(rig, fake, "test.out", word)
        assert result.status == DONE, result
        assert "x" * 32 in result.stdout
        assert "x" * 33 not in result.stdout.replace("x" * 32, "", 1).split("(")[0]


@pytest.mark.parametrize("word", ["get_mac", "scan", "sta_status", "get_mode"])
def test_an_answer_without_content(rig: Rig, fake: FakeDevice, word: str) -> None:
    """A missing MAC address makes upstream's host crash."""
    kinds = {"get_mac": 201, "scan": 205, "sta_status": 206, "get_mode": 203}
    names = {"get_mac": Kind.GET_MAC, "scan": Kind.SCAN, "sta_status": Kind.GET_AP}
    kind = names.get(word, Kind.GET_MODE)
    fake.script(kind, ctrl_reply(kinds[word], None, 1))
    result = run(rig, fake, "test.out", word)
    assert result.status == NO_ANSWER, result
    assert "no content" in result.stderr


def test_a_long_list_of_networks(rig: Rig, fake: FakeDevice) -> None:
    """Above the 4,096 bytes of a message to the ESP32."""
    entries = b"".join(field(2, entry(b"network-%03d" % n)) for n in range(110))
    reply = ctrl_reply(205, field(1, 110) + entries, 1)
    assert len(reply) > 4096
    fake.script(Kind.SCAN, reply)
    result = run(rig, fake, "test.out", "scan")
    assert result.status == DONE, result
    assert len(result.stdout.splitlines()) == 110
