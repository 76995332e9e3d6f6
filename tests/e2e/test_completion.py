# SPDX-License-Identifier: Apache-2.0
"""`esp-ota completion`, typed into real shells."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.rig import Rig
from support.screen import Screen
from support.tools import DONE, USAGE

PROMPT = "ready$"

# How each is started without anybody's settings, and what makes it ready.
SHELLS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], f"PS1='{PROMPT} '; source comp.bash"),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"PS1='{PROMPT} '; autoload -U compinit; compinit -u -D; source comp.zsh",
    ),
    "fish": (
        ["fish", "--no-config", "--private", "-i"],
        f"function fish_prompt; echo -n '{PROMPT} '; end; source comp.fish",
    ),
}

# How often TAB is pressed until there is a list: one is for what all of it begins with.
TABS = {"bash": 3, "zsh": 2, "fish": 1}

# What is typed in front of TAB, and what must be seen then.
CASES = [
    ("esp-ota up", ["esp-ota update"]),
    ("esp-ota wifi ", ["connect", "disconnect", "status", "scan"]),
    ("esp-ota --timeout 3 wifi sc", ["wifi scan"]),
    ("esp-ota update --chi", ["esp-ota update --chip"]),
    ("esp-ota update --chip ", ["esp32c3", "esp32s2", "esp32c6"]),
    ("esp-ota update --chip=esp32h", ["esp32h2", "esp32h4"]),
    ("esp-ota info --dialect cl", ["--dialect classic"]),
    ("esp-ota update --interface l", ["--interface lo"]),
    ("esp-ota wifi connect --list", ["--listen-interval"]),
    ("esp-ota monitor --heart", ["--heartbeat"]),
    ("esp-ota update fir", ["update firmware.bin"]),
    ("esp-ota update --device fir", ["--device firmware.bin"]),
    ("esp-ota completion zs", ["completion zsh"]),
]


def script(rig: Rig, shell: str) -> str:
    result = rig.tools.run("esp-ota", "completion", shell)
    assert result.status == DONE, result
    return result.stdout


def home_of(rig: Rig) -> dict[str, str]:
    """An environment without anybody's home: fish makes folders there."""
    home = rig.folder / "home"
    home.mkdir(exist_ok=True)
    path = f"{rig.build.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    folders = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    return {**dict.fromkeys(folders, str(home)), "PATH": path}


def open_shell(rig: Rig, shell: str) -> Screen:
    command, ready = SHELLS[shell]
    env = home_of(rig)
    home = Path(env["HOME"])
    (home / f"comp.{shell}").write_text(script(rig, shell))
    (home / "firmware.bin").touch()
    screen = Screen(rig.folder, ["env", "-C", home, *command], 120, env)
    rig.finally_close(screen)
    screen.keys(f" {ready}; clear", "Enter")
    wait_prompt(rig, screen)
    return screen


def wait_prompt(rig: Rig, screen: Screen) -> None:
    try:
        rig.wait(lambda: screen.text().strip() == PROMPT, "an empty screen")
    except AssertionError:
        print(screen.text())
        raise


@pytest.mark.parametrize("shell", SHELLS)
def test_tab(rig: Rig, shell: str) -> None:
    screen = open_shell(rig, shell)
    for typed, expected in CASES:
        screen.keys(typed, *["Tab"] * (TABS[shell] if len(expected) > 1 else 1))
        screen.wait(*expected)
        screen.keys("C-u", "C-l")  # Ctrl-C would swallow what is typed behind it
        wait_prompt(rig, screen)


def test_an_option_is_offered_where_it_is_taken(rig: Rig) -> None:
    """As the help of each command has it."""
    for command in ("update", "verify", "info", "wifi connect", "wifi scan", "monitor"):
        text = rig.tools.run("esp-ota", *command.split(), "--help").stdout
        taken = re.findall(r"^  (--[a-z0-9-]+)", text, re.MULTILINE)
        assert len(taken) > 3
        line = f"esp-ota {command} --"
        code = f"{script(rig, 'fish')}\ncomplete -C '{line}'"
        fish = subprocess.run(
            ["fish", "--no-config", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=home_of(rig),
        )
        assert {each.split("\t")[0] for each in fish.stdout.split("\n") if each} == set(taken)


def test_shellcheck_is_content(rig: Rig) -> None:
    path = rig.file("comp.bash", script(rig, "bash").encode())
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, "--shell=bash", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_another_shell_is_a_usage_error(rig: Rig) -> None:
    result = rig.tools.run("esp-ota", "completion", "cmd.exe")
    assert result.status == USAGE, result
    assert "zsh" in result.stderr
