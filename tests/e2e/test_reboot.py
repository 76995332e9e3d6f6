# SPDX-License-Identifier: Apache-2.0
"""After `end`: an update has succeeded when the new firmware has answered."""

import re
import signal
from pathlib import Path

import pytest
from support.classic import Kind
from support.dialects import CLASSIC, CTRL, DIALECTS, Dialect
from support.proxy import RESTARTED
from support.rig import UPDATERS, Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL, NO_ANSWER, NOT_UP, USAGE
from support.waiting import wait_for

NEW = "2.0.0"
WAIT_S = 40  # far above what it takes: reaching it is a failure


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize("tool", UPDATERS)
def test_our_firmware_tells_who_it_is(rig: Rig, tool: str, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect, proxy=False)
    result = rig.update(tool, make_image(NEW, size=40000), reboot_timeout=WAIT_S)
    assert result.status == DONE, result
    assert "the ESP32 runs 2.0.0" in result.stdout
    assert rig.sim.wait_boots(2)["version"] == NEW


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_the_same_version_again_is_told_by_its_slot(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect, proxy=False)
    for _ in range(2):
        result = rig.update("test.out", make_image(NEW, size=40000), reboot_timeout=WAIT_S)
        assert result.status == DONE, result
        assert "the ESP32 runs 2.0.0" in result.stdout


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize("fault", ["crash", "hang"])
def test_firmware_that_does_not_start_is_status_6(rig: Rig, dialect: Dialect, fault: str) -> None:
    """The boot loader goes back to the old one, which then says so."""
    rig.power_on("--bad-boot", f"{NEW}={fault}", dialect=dialect, proxy=False)
    result = rig.update("test.out", make_image(NEW, size=40000), reboot_timeout=WAIT_S)
    assert result.status == NOT_UP, result
    assert re.search(rf"runs {rig.old} instead of {NEW}", result.stderr)


def test_mute_firmware_is_status_4(rig: Rig) -> None:
    rig.power_on("--bad-boot", f"{NEW}=mute", proxy=False)
    result = rig.update("test.out", make_image(NEW, size=40000), reboot_timeout=2)
    assert result.status == NO_ANSWER, result
    assert "does not answer for 2 s" in result.stderr


def test_stock_classic_firmware_tells_nothing(rig: Rig) -> None:
    rig.power_on("--stock", proxy=False)
    result = rig.update("test.out", make_image(NEW, size=40000), reboot_timeout=WAIT_S)
    assert result.status == DONE, result
    assert "answers; version not provable" in result.stdout


@pytest.mark.parametrize(
    ("version", "verified", "said"),
    [
        ("FG-1.0.0.0.1", True, "FG-1.0.0.0.1"),
        ("FG-1.0.0.0.0", False, "FG-1.0.0.0.0"),  # as the old one: it could be that
        (NEW, False, "FG-0.0.0.0.0"),  # of another form
    ],
)
def test_stock_ctrl_firmware_tells_its_release(
    rig: Rig, version: str, verified: bool, said: str
) -> None:
    rig.power_on("--stock", dialect=CTRL, proxy=False)
    assert rig.old == "FG-1.0.0.0.0"
    image = make_image(version, size=40000)
    result = rig.update("esp-ota", image, "--json", reboot_timeout=WAIT_S)
    assert result.status == DONE, result
    assert result.told.items() >= {"answered": True, "verified": verified, "version": said}.items()


def test_nobody_waits(rig: Rig) -> None:
    rig.power_on(proxy=False)
    result = rig.update("esp-ota", make_image(NEW, size=40000), "--json", reboot_timeout=0)
    assert result.status == DONE, result
    assert result.told.items() >= {"answered": False, "verified": False, "version": None}.items()


def test_a_failure_as_json(rig: Rig) -> None:
    rig.power_on("--bad-boot", f"{NEW}=mute", proxy=False)
    result = rig.update("esp-ota", make_image(NEW, size=40000), "--json", reboot_timeout=1)
    assert (result.status, result.told["error"]) == (NO_ANSWER, "no_answer")
    assert "does not answer" in result.told["message"]


def test_the_device_node_goes_and_comes_back(rig: Rig) -> None:
    """As upstream's module does when the ESP32 restarts: at the first question after `end`."""
    rig.power_on()
    proxy, path = rig.proxy, rig.proxy.path
    proxy.gone_at_first_question_after(Kind.OTA_END)
    process = rig.start_update("test.out", make_image(NEW, size=40000), reboot_timeout=WAIT_S)
    wait_for(lambda: not path.is_symlink(), "the node to vanish")
    rig.sim.wait_boots(2)
    proxy.close()
    path.symlink_to(rig.hostedd.control)
    result = rig.tools.finish(process)
    assert result.status == DONE, result
    assert "the ESP32 runs 2.0.0" in result.stdout


def test_the_device_node_does_not_come_back(rig: Rig) -> None:
    rig.power_on()
    rig.proxy.gone_at_first_question_after(Kind.OTA_END)
    result = rig.update("test.out", make_image(NEW, size=40000), reboot_timeout=2)
    assert result.status == NO_ANSWER, result
    assert "No such file" in result.stderr


# What brings the link back


def hook(rig: Rig, body: str) -> Path:
    path = rig.file("hook", f"#!/bin/sh\n{body}\n".encode())
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("tool", UPDATERS)
def test_the_reconnect_hook_gets_the_device(rig: Rig, tool: str) -> None:
    """It runs while nobody has the device open: a module in use cannot be unloaded."""
    rig.power_on(proxy=False)
    note = rig.folder / "note"
    program = hook(
        rig, f'echo "$1 $ESP_HOSTED_DEVICE" > {note}; flock -n "$1" true && echo free >> {note}'
    )
    result = rig.update(
        tool,
        make_image(NEW, size=40000),
        "--reconnect-hook",
        str(program),
        reboot_timeout=WAIT_S,
    )
    assert result.status == DONE, result
    assert note.read_text().split() == [str(rig.device), str(rig.device), "free"]


@pytest.mark.parametrize("tool", ["test.out", "ota_update.py"])
def test_interrupted_in_the_hook(rig: Rig, tool: str) -> None:
    """The program ends with the tool, and so does what it has started."""
    rig.power_on(proxy=False)
    note = rig.folder / "note"
    program = hook(rig, f"sleep 600 &\necho $! > {note}\nwait")
    options = ("--reconnect-hook", str(program))
    process = rig.start_update(tool, make_image(NEW, size=40000), *options, reboot_timeout=600)
    rig.wait(lambda: note.exists() and note.read_text().endswith("\n"), "the hook")
    process.signal(signal.SIGTERM)
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert "interrupted; the ESP32 has selected the new firmware" in result.stderr
    assert "timed out" not in result.stderr
    sleeper = Path("/proc") / note.read_text().strip() / "cmdline"
    rig.wait(lambda: not sleeper.exists() or not sleeper.read_bytes(), "the end of the hook")


def test_a_hook_that_fails_is_said_and_no_more(rig: Rig) -> None:
    rig.power_on(proxy=False)
    result = rig.update(
        "test.out",
        make_image(NEW, size=40000),
        "--verbose",
        "--reconnect-hook",
        str(hook(rig, "exit 3")),
        reboot_timeout=WAIT_S,
    )
    assert result.status == DONE, result
    assert "ended with status 3" in result.stderr


@pytest.mark.parametrize("tool", UPDATERS)
def test_a_hook_that_is_none_is_told_before_anything_is_erased(rig: Rig, tool: str) -> None:
    rig.power_on(proxy=False)
    result = rig.update(tool, make_image(NEW, size=40000), "--reconnect-hook", "/nonexistent")
    assert result.status == USAGE, result
    assert "/nonexistent" in result.stderr
    assert not rig.sim.events("begin")
    never = rig.update(
        tool, make_image(NEW, size=40000), "--reconnect-hook", str(hook(rig, "true"))
    )
    assert never.status == USAGE, "with --reboot-timeout 0 nobody would run it"
    folder = rig.update(tool, make_image(NEW, size=40000), "--reconnect-hook", str(rig.folder))
    assert folder.status == USAGE, folder


@pytest.mark.parametrize("tool", ["esp-ota", "ota_update.py"])
def test_what_a_hook_says_is_not_the_tools_result(rig: Rig, tool: str) -> None:
    rig.power_on(proxy=False)
    program = hook(rig, "echo hello from the hook; exit 3")
    options = ("--json",) if tool == "esp-ota" else ()
    result = rig.update(
        tool,
        make_image(NEW, size=40000),
        "--reconnect-hook",
        str(program),
        *options,
        reboot_timeout=WAIT_S,
    )
    assert result.status == DONE, result
    assert "hello" not in result.stdout
    assert "hello from the hook" in result.stderr
    assert str(program) in result.stderr, "that it failed is said"
    if options:
        assert result.told["verified"]


def test_a_version_with_odd_characters_is_compared_as_it_is(rig: Rig) -> None:
    rig.power_on(proxy=False)
    version = "2.0\\beta"
    result = rig.update("esp-ota", make_image(version, size=40000), reboot_timeout=WAIT_S)
    assert result.status == DONE, result


# Nobody is hurt


def test_classic_firmware_that_starts_slowly_is_not_asked_otherwise(rig: Rig) -> None:
    """From ctrl to classic: as long as it boots, nobody but `control` hears a question."""
    rig.detect = True
    rig.power_on("--stock", dialect=CTRL, proxy=False, bus_tap=True)
    image = make_image(NEW, size=40000)
    process = rig.start_update("test.out", image, reboot_timeout=WAIT_S)
    rig.sim.wait_event("end")
    rig.exchange("--stock", dialect=CLASSIC)
    rig.bus_tap.take_sent()
    result = rig.tools.finish(process)
    assert result.status in (DONE, NO_ANSWER), result
    assert not [e for e in rig.sim.events("reset") if e["reason"] == "panic"]


def test_a_restart_is_no_proof_of_ctrl_for_a_classic_reply(rig: Rig) -> None:
    """A stray event among the answers of classic firmware: the answers count."""
    rig.power_on("--stock")
    rig.proxy.inject(RESTARTED)
    assert rig.command("test.out", "get_mode").status == DONE
    assert {m.endpoint for m in rig.proxy.requests} == {b"control"}
