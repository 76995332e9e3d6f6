# SPDX-License-Identifier: Apache-2.0
"""No suspend and no shutdown in the middle of an update, where logind decides about both."""

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

import pytest
from support.classic import Kind
from support.logind import Lock, Logind, SystemBus
from support.process import Process
from support.rig import UPDATERS, VERB, Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL
from support.waiting import wait_for

NOT_INHIBITED = "suspend and shutdown are not inhibited"


@pytest.fixture
def bus(rig: Rig) -> SystemBus:
    bus = SystemBus(rig.folder)
    rig.finally_close(bus)
    return bus


@pytest.fixture
def logind(bus: SystemBus) -> Iterator[Logind]:
    logind = Logind(bus)
    yield logind
    logind.close()


def start(rig: Rig, bus: SystemBus, tool: str, *options: str, reboot_timeout: int = 0) -> Process:
    image = rig.where(tool, make_image("2.0.0", size=40000))
    return rig.tools.start(
        tool,
        *VERB[tool],
        image,
        *("--device", rig.device, "--timeout", "60", "--reboot-timeout", str(reboot_timeout)),
        *options,
        env=bus.env,
    )


def check_held(logind: Logind, tool: str) -> Lock:
    (lock,) = logind.locks
    assert (lock.what, lock.who, lock.mode) == ("sleep:shutdown", tool, "block")
    assert "ESP32" in lock.why
    assert lock.held
    return lock


@pytest.mark.parametrize("tool", UPDATERS)
def test_from_before_begin_until_the_new_firmware_has_answered(
    rig: Rig, bus: SystemBus, logind: Logind, tool: str
) -> None:
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_BEGIN, rig.proxy.hold)
    rig.proxy.hold_first_question_after(Kind.OTA_END)
    process = start(rig, bus, tool, reboot_timeout=40)
    rig.proxy.wait_request(Kind.OTA_BEGIN)
    lock = check_held(logind, tool)
    rig.proxy.release_next()
    rig.proxy.wait_held()
    check_held(logind, tool)
    rig.proxy.release_next()
    assert rig.tools.finish(process).status == DONE
    wait_for(lambda: not lock.held, "the end of the lock")


@pytest.mark.parametrize("tool", ["test.out", "ota_update.py"])
def test_it_ends_with_a_tool_that_is_killed(
    rig: Rig, bus: SystemBus, logind: Logind, tool: str
) -> None:
    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_WRITE, rig.proxy.hold, nth=3)
    process = start(rig, bus, tool)
    rig.proxy.wait_request(Kind.OTA_WRITE, 3)
    lock = check_held(logind, tool)
    process.kill()
    wait_for(lambda: not lock.held, "the end of the lock")


@pytest.mark.parametrize("mood", ["refuse", "mute"])
def test_a_logind_that_gives_none(rig: Rig, bus: SystemBus, logind: Logind, mood: str) -> None:
    rig.power_on(proxy=False)
    setattr(logind, mood, True)
    result = rig.tools.finish(start(rig, bus, "test.out", "--verbose"))
    assert result.status == DONE, result
    assert NOT_INHIBITED in result.stderr
    assert logind.asked == 1


@pytest.mark.parametrize("tool", ["test.out", "ota_update.py"])
def test_a_bus_without_logind(rig: Rig, bus: SystemBus, tool: str) -> None:
    rig.power_on(proxy=False)
    result = rig.tools.finish(start(rig, bus, tool, "--verbose"))
    assert result.status == DONE, result
    assert NOT_INHIBITED in result.stderr


@pytest.mark.parametrize("answer", [b"", b"REJECTED EXTERNAL\r\n", b"A" * 100000])
def test_a_bus_that_is_none(rig: Rig, answer: bytes) -> None:
    """Whatever it says, and then hangs up."""
    path = rig.folder / "system-bus"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with listener.accept()[0] as connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        rig.power_on(proxy=False)
        image = rig.where("test.out", make_image("2.0.0", size=40000))
        args = ("ota", image, "--device", rig.device, "--reboot-timeout", "0", "--verbose")
        env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}
        result = rig.tools.run("test.out", *args, env=env)
        server.join()
    assert result.status == DONE, result
    assert NOT_INHIBITED in result.stderr


@pytest.mark.parametrize("address", ["unix:path=/nonexistent/bus", "tcp:host=localhost,port=1"])
def test_no_bus_is_no_trouble_and_no_word(rig: Rig, address: str) -> None:
    rig.power_on(proxy=False)
    image = rig.where("test.out", make_image("2.0.0", size=40000))
    args = ("ota", image, "--device", rig.device, "--reboot-timeout", "0")
    result = rig.tools.run("test.out", *args, env={"DBUS_SYSTEM_BUS_ADDRESS": address})
    assert (result.status, result.stderr) == (DONE, ""), result


def test_an_interrupt_does_not_wait_for_a_mute_logind(
    rig: Rig, bus: SystemBus, logind: Logind
) -> None:
    rig.power_on()
    logind.mute = True
    process = start(rig, bus, "test.out")
    wait_for(lambda: logind.asked == 1, "a question to logind")
    process.signal(signal.SIGINT)
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert "nothing was erased" in result.stderr
    assert Kind.OTA_BEGIN not in rig.proxy.kinds()


def test_a_verification_needs_none(rig: Rig, bus: SystemBus, logind: Logind) -> None:
    image = rig.where("esp-ota", make_image("2.0.0", size=40000))
    assert rig.tools.run("esp-ota", "verify", image, env=bus.env).status == DONE
    assert logind.asked == 0
