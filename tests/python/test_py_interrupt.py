# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in a program that uses the package: KeyboardInterrupt at once, and no `end`."""

import _thread
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from esp_hosted_ota import Cancel, Device, OtaError, OtaUsageError, Session, _call
from support import classic
from support.classic import Kind
from support.fake_device import FakeDevice
from support.http_faults import FaultServer
from support.tools import HOST_CONTROL
from support.waiting import HANG_S, wait_for

PROGRAM = """
import signal, sys
import commands
from esp_hosted_ota import Device, Session, update, verify

device, source = sys.argv[1:]
try:
    {body}
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted")
{then}
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(fake: FakeDevice, tmp_path: Path, image: bytes) -> Iterator[Start]:
    """Starts a program of one statement, which Ctrl-C is to end, and what it does after that."""
    started: list[subprocess.Popen[str]] = []
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    (tmp_path / "image.bin").write_bytes(image)

    def run(body: str, then: str = "", source: str | Path = tmp_path / "image.bin"):
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(body=body, then=then), fake.path, source],
            env={
                **os.environ,
                "PYTHONPATH": str(HOST_CONTROL / "python_support"),
                "ESP_HOSTED_DEVICE": str(fake.path),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield run
    for program in started:
        program.kill()
        program.communicate()


def interrupt(program: "subprocess.Popen[str]", expected: str = "interrupted\n") -> None:
    program.send_signal(signal.SIGINT)
    said, errors = program.communicate(timeout=HANG_S)
    assert (said, errors, program.returncode) == (expected, "", 0)


LONG = "Device(device, timeout=600)"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f"{LONG}.get_mac()", Kind.GET_MAC),
        (f"{LONG}.connect('net', '12345678')", Kind.CONNECT_AP),
        (f"Session({LONG}).write(bytes(40000))", Kind.OTA_WRITE),
        (f"update({LONG}, source)", Kind.OTA_WRITE),
        (f"update({LONG}, source, progress=lambda *_: None)", Kind.OTA_WRITE),
        ("commands.wifi_ap_scan_list()", Kind.SCAN),
    ],
)
def test_while_it_waits(fake: FakeDevice, start: Start, body: str, kind: Kind) -> None:
    program = start(body)
    fake.wait_request(kind)
    interrupt(program)
    assert fake.kinds()[-1] is kind


def test_while_the_server_stalls(fake: FakeDevice, start: Start, server: FaultServer) -> None:
    program = start(f"update({LONG}, source)", source=server.url("stall-head"))
    wait_for(lambda: server.seen, "a request to the server")
    interrupt(program)
    assert Kind.OTA_BEGIN not in fake.kinds()


def test_while_it_verifies(start: Start, server: FaultServer) -> None:
    program = start("verify(source)", source=server.url("stall"))
    wait_for(lambda: server.seen, "a request to the server")
    interrupt(program)


def test_the_update_of_commands_is_over(fake: FakeDevice, start: Start) -> None:
    """What is left of it cannot be ended, and the device is free."""
    program = start(
        "print(commands.esp_ota_begin(), flush=True); commands.esp_ota_write(bytes(4000))",
        "print(commands.esp_ota_end()); print(commands.wifi_get_mode())",
    )
    fake.wait_request(Kind.OTA_WRITE)
    interrupt(program, "success\ninterrupted\nfailure\n0\n")
    assert Kind.OTA_END not in fake.kinds()


def test_an_interrupted_device_can_only_be_closed(fake: FakeDevice, start: Start) -> None:
    """But another one can be opened."""
    program = start(
        f"d = {LONG}; d.get_mac()",
        "try: d.get_mode()\nexcept OSError as error: print(error)\n"
        "d.close(); print(int(Device(device).get_mode()[0]))",
    )
    fake.wait_request(Kind.GET_MAC)
    interrupt(program, f"interrupted\n{fake.path}: interrupted at get_mode\n0\n")


def test_a_handler_that_does_not_raise(fake: FakeDevice, start: Start) -> None:
    """It runs while the call waits, and the call goes on."""
    program = start(
        "signal.signal(signal.SIGINT, lambda *_: print('heard', flush=True)); "
        f"print({LONG}.get_mac())"
    )
    fake.wait_request(Kind.GET_MAC)
    program.send_signal(signal.SIGINT)
    assert program.stdout.readline() == "heard\n"
    mac = classic.answer(Kind.GET_MAC, before=classic.field(1, b"24:0a:c4:11:22:33"))
    fake.inject(mac)
    said, errors = program.communicate(timeout=HANG_S)
    assert (said, errors) == ("24:0a:c4:11:22:33\nnot interrupted\n", "")


# Where Ctrl-C meets the package itself, between two of its steps.


InterruptStart = Callable[..., None]


@pytest.fixture
def interrupt_start(monkeypatch: pytest.MonkeyPatch) -> InterruptStart:
    """Has Ctrl-C come as a call has started its thread: when that has ended, or got so far."""
    start = _thread.start_new_thread
    assert threading.current_thread() is threading.main_thread()

    def interrupted(until: Callable[[], object] | None = None) -> None:
        def start_thread(function: Callable[[], None], _arguments: tuple[()]) -> None:
            over = threading.Event()

            def run() -> None:
                function()
                over.set()

            start(run, ())
            wait_for(until or over.is_set, "the thread")
            monkeypatch.undo()
            raise KeyboardInterrupt

        monkeypatch.setattr(_thread, "start_new_thread", start_thread)

    return interrupted


class OftenInterrupted(Cancel):
    """Ctrl-C comes again and again while it is requested."""

    count = 0

    def request(self) -> None:
        super().request()
        self.count += 1
        if self.count <= 3:
            raise KeyboardInterrupt


@pytest.mark.parametrize("kind", [Cancel, OftenInterrupted])
def test_as_a_call_starts(interrupt_start: InterruptStart, kind: type[Cancel]) -> None:
    """It is cancelled, and has ended before Ctrl-C goes on its way."""
    done: list[str] = []
    cancel = kind()

    def action() -> None:
        done.append("begun")
        wait_for(lambda: cancel.requested, "the request")
        time.sleep(0.01)  # whoever does not wait is ahead now
        done.append("ended")

    interrupt_start(lambda: done)
    with pytest.raises(KeyboardInterrupt):
        _call.run(cancel, action)
    assert done == ["begun", "ended"]


@pytest.mark.parametrize("late", [False, True])
def test_before_a_call_starts(monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    """Nothing is waited for, and nothing is done later."""
    threads: list[Callable[[], None]] = []

    def start_thread(function: Callable[[], None], _arguments: tuple[()]) -> None:
        if late:
            threads.append(function)
        raise KeyboardInterrupt

    cancel = Cancel()
    done: list[str] = []
    monkeypatch.setattr(_thread, "start_new_thread", start_thread)
    with pytest.raises(KeyboardInterrupt):
        _call.run(cancel, lambda: done.append("begun"))
    for thread in threads:
        thread()
    assert done == []


def test_as_a_device_has_been_opened(fake: FakeDevice, interrupt_start: InterruptStart) -> None:
    cancel = Cancel()
    interrupt_start()
    try:
        Device(fake.path, cancel=cancel)
    except KeyboardInterrupt:
        Device(fake.path).close()  # though the traceback keeps what there was
    else:
        pytest.fail("not interrupted")


@pytest.mark.parametrize("begun", [False, True])
def test_as_a_device_is_closed(
    fake: FakeDevice,
    interrupt_start: InterruptStart,
    monkeypatch: pytest.MonkeyPatch,
    begun: bool,
) -> None:
    fake.script(Kind.OTA_BEGIN, classic.answer(Kind.OTA_BEGIN))
    device = Device(fake.path)
    session = Session(device)
    interrupt_start()
    start_thread = _thread.start_new_thread
    if not begun:
        monkeypatch.setattr(_thread, "start_new_thread", lambda *_: start_thread(lambda: None, ()))
    with pytest.raises(KeyboardInterrupt):
        device.close()
    with pytest.raises(ValueError, match="closed"):
        session.finish()
    Device(fake.path).close()


def test_as_a_write_has_ended(fake: FakeDevice, interrupt_start: InterruptStart) -> None:
    """Nobody can know that it has: the same bytes again must not double them."""
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE):
        fake.script(kind, classic.answer(kind))
    data = bytearray(4000)
    with Device(fake.path) as device, Session(device) as session:
        interrupt_start()
        with pytest.raises(KeyboardInterrupt):
            session.write(data)
        data.clear()  # nobody has it any more
        with pytest.raises(OtaError) as caught:
            session.write(bytes(4000))
        assert caught.value.errno == errno.ECANCELED
    assert fake.sent_image() == bytes(4000)


def test_a_call_that_was_left_to_itself(
    fake: FakeDevice, interrupt_start: InterruptStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many times Ctrl-C came: close() ends it before it takes its memory away."""
    device = Device(fake.path, timeout=600)
    interrupt_start(lambda: fake.wait_request(Kind.GET_MAC) or True)
    with monkeypatch.context() as patch:
        patch.setattr(_call._Work, "stop", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            device.get_mac()
    with pytest.raises(OtaUsageError, match="in use"):
        device.get_mode()
    device.close()
    Device(fake.path).close()


STORM = """
import gc, os, random, signal, sys, time
from esp_hosted_ota import Cancel, Device, Session, _call

choose = random.Random(1)
running = lost = 0
armed = False

def ring(*_):
    if armed:  # else the thread that the signal was for took its time
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, ring)

def interrupted(longest, action):
    global armed
    try:
        armed = True
        signal.setitimer(signal.ITIMER_REAL, choose.uniform(5e-6, longest))
        action()
        armed = False
    except KeyboardInterrupt:
        armed = False

def update():
    with Device(sys.argv[1]) as device, Session(device) as session:
        for _ in range(50):
            session.write(bytes(4000))

def action():
    global running
    running += 1
    time.sleep(1e-4)
    running -= 1

def open_files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))

before = open_files()
for _ in range(150):
    interrupted(0.02, update)
    Device(sys.argv[1]).close()
for _ in range(1000):
    cancel = Cancel()
    interrupted(2e-4, lambda: _call.run(cancel, action))
    lost += running
del cancel
print(lost, open_files() - before)
"""


def test_at_any_time(fake: FakeDevice) -> None:
    """Nothing but KeyboardInterrupt comes of it; no call outlives its return, no device a with."""
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE):
        fake.script(kind, classic.answer(kind))
    done = subprocess.run(
        [sys.executable, "-c", STORM, fake.path],
        env={**os.environ, "PYTHONPATH": str(HOST_CONTROL / "python_support")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 0\n", "")
