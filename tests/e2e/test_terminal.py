# SPDX-License-Identifier: Apache-2.0
"""What an update looks like to somebody at a terminal."""

import re
from pathlib import Path

import pytest
from support.classic import Kind
from support.rig import Rig
from support.screen import Screen
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER
from support.waiting import wait_for

NEW = "2.0.0"
SIZE = 400000
GREEN, RED = "\x1b[32m", "\x1b[31m"


def show(rig: Rig, *args: str | Path, columns: int = 100, **env: str) -> Screen:
    """The tool in a window; it uses no file of another test's devices."""
    command = [*rig.tools.command("esp-ota"), *args]
    screen = Screen(rig.folder, command, columns, {**rig.tools.kept, **env})
    rig.finally_close(screen)
    return screen


def update(rig: Rig, *options: str, columns: int = 100, **env: str) -> Screen:
    image = rig.file("image.bin", make_image(NEW, size=SIZE))
    args = ("update", image, "--device", rig.device, "--reboot-timeout", "0", *options)
    return show(rig, *args, columns=columns, **env)


def test_a_bar_that_moves_and_fits_the_window(rig: Rig) -> None:
    rig.power_on()
    proxy = rig.proxy
    for nth in range(1, SIZE // 4000 + 1):
        proxy.on_answer(Kind.OTA_WRITE, proxy.hold, nth)
    screen = update(rig)
    bar = r"^write   \[#*-+\] +(\d+) %  +\d+ of 390 KiB  +\d+ KiB/s"
    screen.wait("write   [--------------------------]   0 %")

    def moved() -> bool:
        """The bar is drawn ten times a second at most."""
        proxy.release_next()
        match = re.search(bar, screen.text(), re.MULTILINE)
        return match is not None and int(match[1]) > 0

    wait_for(moved, "the bar to move")
    screen.resize(50)

    def narrow() -> bool:
        proxy.release_next()
        return re.search(r"^write    *\d+ %  +\d+ of 390 KiB", screen.text(), re.MULTILINE)

    wait_for(narrow, "a line without the bar")

    def ended() -> bool:
        proxy.release()
        return screen.status is not None

    wait_for(ended, "the end of the update")
    assert screen.status == DONE
    stages = ("begin   the slot", f"write   {SIZE:,} bytes", "end     ", "done    ")
    places = [screen.text().find(f"\n{stage}") for stage in stages]
    assert places[0] > 0
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=["colours", "NO_COLOR", "empty NO_COLOR", "dumb"],
)
def test_colour_is_sparing(rig: Rig, env: dict[str, str], coloured: bool) -> None:
    rig.power_on(proxy=False)
    screen = update(rig, **env)
    assert screen.wait_end() == DONE
    shown = screen.text(colours=True)
    assert (f"{GREEN}done" in shown) == coloured
    assert "done    the ESP32 has selected the image" in screen.text()
    assert shown.count("\x1b[3") in ((1, 2) if coloured else (0,)), shown


@pytest.mark.parametrize("no_colour", ["", "1"])
def test_an_error_is_red(rig: Rig, no_colour: str) -> None:
    screen = show(rig, "info", "--device", rig.folder / "none", NO_COLOR=no_colour)
    assert screen.wait_end() == NO_ANSWER
    assert "esp-ota: info: " in screen.text()
    assert (f"{RED}esp-ota: info:" in screen.text(colours=True)) == (no_colour == "")


def test_quiet_leaves_the_screen_empty(rig: Rig) -> None:
    rig.power_on(proxy=False)
    screen = update(rig, "--quiet")
    assert screen.wait_end() == DONE
    assert screen.text() == ""
