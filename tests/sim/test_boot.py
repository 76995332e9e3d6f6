# SPDX-License-Identifier: Apache-2.0
"""What boots after an update, and --bad-boot: firmware that does not come up."""

import json
from collections.abc import Callable

import ctrl_host
import pytest
from support import classic
from support.bus import Bus
from support.classic import Kind
from support.simulator import Simulator
from support.waiting import wait_for
from tiny_image import tiny_image
from update import is_alive, send_image, update

Start = Callable[..., Simulator]

both = pytest.mark.parametrize("firmware", [["--stock"], []], ids=["stock", "ours"])


def boots(simulator: Simulator) -> list[tuple[str | None, str | None, str]]:
    return [(e["slot"], e["version"], e["state"]) for e in simulator.events("boot")]


def reasons(simulator: Simulator) -> list[str]:
    return [event["reason"] for event in simulator.events("reset")]


def test_new_flash_file_boots_the_factory_image(start: Start) -> None:
    assert boots(start("--stock")) == [("factory", "0.3", "none")]


def test_ours_is_on_probation_until_it_answers(start: Start) -> None:
    simulator = start()
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, tiny_image("2.0"))
        assert boots(simulator)[1] == ("ota_0", "2.0", "pending_verify")
        assert is_alive(bus)
        simulator.control("reset")
        bus.receive_init()
        assert boots(simulator)[2] == ("ota_0", "2.0", "valid")
    assert reasons(simulator) == ["software", "external"]


def test_updates_take_turns(start: Start) -> None:
    simulator = start()
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        for number in range(4):
            update(bus, tiny_image(f"2.{number}"))
            assert is_alive(bus)
    assert [slot for slot, _, _ in boots(simulator)] == [
        "factory",
        "ota_0",
        "ota_1",
        "ota_0",
        "ota_1",
    ]


@both
def test_events_of_an_update(start: Start, firmware: list[str]) -> None:
    simulator = start(*firmware)
    image = tiny_image("2.0", 10000)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, image)
    kinds = [event["event"] for event in simulator.events()]
    assert kinds == ["boot", "begin", "write", "write", "write", "end", "reset", "boot"]
    assert simulator.events("begin")[0]["slot"] == "ota_0"
    assert [(e["offset"], e["length"]) for e in simulator.events("write")] == [
        (0, 4000),
        (4000, 4000),
        (8000, 2000),
    ]
    assert simulator.events("end")[0]["result"] == 0
    simulator.flash.check_slot_holds("ota_0", image)


@both
def test_a_refused_end_is_an_event_too(start: Start, firmware: list[str]) -> None:
    simulator = start(*firmware)
    image = bytearray(tiny_image("2.0"))
    image[500] ^= 1
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, bytes(image))
        assert bus.request(classic.request(Kind.OTA_END)).result == -1
        assert is_alive(bus)
    assert simulator.events("end")[0]["result"] == 0x1503
    assert reasons(simulator) == []


@both
def test_reply_to_end_comes_before_the_restart(start: Start, firmware: list[str]) -> None:
    """In computed time the restart waits for the host, however slow; then five seconds are over."""
    simulator = start(*firmware)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, tiny_image("2.0"))
        bus.send_message(classic.request(Kind.OTA_END))
        wait_for(lambda: simulator.events("end"), "the end of the update")
        assert reasons(simulator) == []
        assert json.loads(simulator.control("status"))["t"] == 0
        assert bus.receive_message().result == 0
        bus.receive_init()
        assert is_alive(bus)
    assert simulator.events("reset")[0]["t"] == 5


@both
def test_restart_does_not_wait_for_a_host_that_is_gone(start: Start, firmware: list[str]) -> None:
    simulator = start(*firmware)
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, tiny_image("2.0"))
        bus.send_message(classic.request(Kind.OTA_END))
        wait_for(lambda: simulator.events("end"), "the end of the update")
    assert simulator.wait_boots(2)["version"] == "2.0"


def test_crash_is_rolled_back(start: Start) -> None:
    simulator = start("--bad-boot", "2.0=crash")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, tiny_image("2.0"))
        assert is_alive(bus)
    assert boots(simulator)[1:] == [
        ("ota_0", "2.0", "pending_verify"),
        ("factory", boots(simulator)[0][1], "none"),
    ]
    assert reasons(simulator) == ["software", "panic"]


def test_hang_is_bitten_by_the_watchdog(start: Start) -> None:
    simulator = start("--bad-boot", "2.0=hang")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, tiny_image("2.0"))
        assert is_alive(bus)
    assert reasons(simulator) == ["software", "watchdog"]
    assert boots(simulator)[2][0] == "factory"


def test_crash_in_its_start_up_is_rolled_back(start: Start) -> None:
    simulator = start("--bad-boot", "2.0=crash@start")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, tiny_image("2.0"))
        assert is_alive(bus)
    assert reasons(simulator) == ["software", "panic"]
    assert boots(simulator)[2][0] == "factory"


@pytest.mark.parametrize(("fault", "reason"), [("crash", "panic"), ("hang", "watchdog")])
def test_failing_after_the_first_answer(start: Start, fault: str, reason: str) -> None:
    simulator = start("--stock", "--bad-boot", f"0.3={fault}@answer")
    with Bus(simulator.bus) as bus:
        for life in range(2, 4):
            bus.receive_init()
            assert is_alive(bus)
            simulator.wait_boots(life)
        bus.receive_init()
    assert reasons(simulator) == [reason, reason]


def test_an_event_is_no_answer(start: Start) -> None:
    """Of the ctrl dialect: it tells by itself that it has started."""
    simulator = start("--stock", "--dialect", "ctrl", "--bad-boot", "FG-1.0.0.0.0=crash@answer")
    with Bus(simulator.bus) as bus:
        ctrl_host.receive_started(bus)
        assert json.loads(simulator.control("status"))["reset"] == "power_on"
        assert ctrl_host.is_alive(bus)
        ctrl_host.receive_started(bus)
    assert reasons(simulator) == ["panic"]


def test_ours_fails_after_it_was_confirmed(start: Start) -> None:
    simulator = start("--bad-boot", "2.0=crash@answer")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, tiny_image("2.0"))
        assert is_alive(bus)
        bus.receive_init()
        assert is_alive(bus)
        bus.receive_init()
    assert boots(simulator)[1:3] == [("ota_0", "2.0", "pending_verify"), ("ota_0", "2.0", "valid")]
    assert reasons(simulator)[:3] == ["software", "panic", "panic"]


def test_mute_after_the_first_answer(start: Start) -> None:
    simulator = start("--bad-boot", "2.0=mute@answer")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        update(bus, tiny_image("2.0"))
        assert is_alive(bus)
        bus.send_message(classic.request(Kind.GET_MODE))
        assert json.loads(simulator.control("status"))["version"] == "2.0"
        assert bus.is_silent()
    with Bus(simulator.bus) as bus:
        assert json.loads(simulator.control("status"))["bus"]
        assert bus.is_silent(), "no INIT event either"


def test_mute_stays_mute_until_it_is_reset(start: Start) -> None:
    simulator = start("--bad-boot", "2.0=mute")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, tiny_image("2.0"))
        assert bus.request(classic.request(Kind.OTA_END)).result == 0
        simulator.wait_boots(2)
        bus.send_message(classic.request(Kind.GET_MODE))
        assert json.loads(simulator.control("status"))["version"] == "2.0"
        assert bus.is_silent()
        assert simulator.control("reset") == "ok"
        bus.receive_init()
        assert is_alive(bus)
    assert boots(simulator)[2][0] == "factory"


@pytest.mark.parametrize(("fault", "runs"), [("mute", True), ("hang@start", True), ("hang", False)])
def test_how_far_it_comes(start: Start, fault: str, runs: bool) -> None:
    """The console tells whether the application was started at all."""
    simulator = start("--verbose", "--time", "real", "--stock", "--bad-boot", f"0.3={fault}")
    assert json.loads(simulator.control("status"))["version"] == "0.3"
    assert ("App version: 0.3" in simulator.output()) == runs


@pytest.mark.parametrize("fault", ["crash", "crash@start"])
def test_without_rollback_a_crash_goes_round(start: Start, fault: str) -> None:
    """It would for ever, with nothing to see on the bus: the events end at the second time."""
    simulator = start("--bootloader", "plain", "--bad-boot", f"2.0={fault}")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, tiny_image("2.0"))
        assert bus.request(classic.request(Kind.OTA_END)).result == 0
        simulator.wait_boots(3)
        assert json.loads(simulator.control("status"))["version"] == "2.0"
        assert bus.is_silent()
    assert reasons(simulator) == ["software", "panic"]


def test_nothing_bootable_is_silent(start: Start) -> None:
    simulator = start("--stock")
    simulator.stop()
    factory = simulator.flash.partition("factory")
    simulator.flash.write(factory.offset, b"\xff" * factory.size)
    simulator.start()
    event = simulator.events("boot")[0]
    assert event["slot"] is None
    assert event["state"] == "none"
    with Bus(simulator.bus) as bus:
        bus.send_message(classic.request(Kind.GET_MODE))
        assert json.loads(simulator.control("status"))["slot"] is None
        assert bus.is_silent()
    assert len(simulator.events("boot")) == 1


def test_real_time_restarts_after_five_seconds(start: Start) -> None:
    simulator = start("--stock", "--time", "real")
    with Bus(simulator.bus) as bus:
        bus.receive_init()
        send_image(bus, tiny_image("2.0"))
        assert bus.request(classic.request(Kind.OTA_END)).result == 0
        assert is_alive(bus), "the old firmware is still there"
        bus.receive_init()
    begin, end, reset = (simulator.events(name)[0]["t"] for name in ("begin", "end", "reset"))
    assert 5 <= reset - end < 6
    assert begin > 16 * 0.150, "a whole slot, block by block"


def test_virtual_time_is_the_same_every_time(start: Start) -> None:
    times = []
    for _ in range(2):
        simulator = start("--stock", "--time", "virtual")
        with Bus(simulator.bus) as bus:
            bus.receive_init()
            update(bus, tiny_image("2.0", 100000))
        times.append([event["t"] for event in simulator.events()])
        simulator.stop()
        simulator.flash.path.unlink()
    assert times[0] == times[1]
    assert times[0][-1] > 5
