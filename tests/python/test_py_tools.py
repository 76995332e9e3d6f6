# SPDX-License-Identifier: Apache-2.0
"""ota_update.py and station_connect.py: what the end-to-end tests of all tools do not ask."""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import classic, images
from support.classic import Kind
from support.fake_device import FakeDevice
from support.http_faults import FaultServer
from support.netns import UNSHARE
from support.process import environment as tool_environment
from support.tools import DONE, HOST_CONTROL, LOCAL, NO_ANSWER, REFUSED, USAGE
from support.waiting import HANG_S, wait_for

SCRIPTS = HOST_CONTROL / "python_support"
SECRET = "Sesam-7-auf!"
MAC = "24:0a:c4:11:22:33"

Done = subprocess.CompletedProcess


@pytest.fixture
def agreeable(fake: FakeDevice) -> FakeDevice:
    """A device that agrees to everything."""
    for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END, Kind.CONNECT_AP):
        fake.script(kind, classic.answer(kind))
    mac = classic.answer(Kind.GET_MAC, before=classic.field(1, MAC.encode()))
    fake.script(Kind.GET_MAC, mac)
    return fake


@pytest.fixture
def run(fake: FakeDevice, tmp_path: Path) -> Callable[..., "Done[str]"]:
    """Runs a script on the fake device, from a folder that is none of its own."""

    def run(script: str, *args: str | Path, **how: object) -> "Done[str]":
        # Where a script could change an interface, it finds none.
        wrap = UNSHARE if script == "station_connect.py" else ()
        # The fake device never restarts.
        options = ["--reboot-timeout", "0"] if script == "ota_update.py" else []
        done = subprocess.run(
            [*wrap, sys.executable, SCRIPTS / script, "--timeout", "2", *options, *args],
            env=tool_environment({"ESP_HOSTED_DEVICE": str(fake.path)}),
            cwd=tmp_path,
            timeout=HANG_S,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how},
        )
        assert "Traceback" not in (done.stderr or "")
        return done

    return run


# An update


def test_what_an_update_says(
    agreeable: FakeDevice, run: Callable[..., "Done[str]"], image: bytes, server: FaultServer
) -> None:
    """A line for each stage in a pipe, the same as of the C tools."""
    url = server.url("ok")
    done = run("ota_update.py", url.replace("http://", f"http://me:{SECRET}@"))
    assert (done.returncode, done.stderr) == (DONE, "")
    seconds = r"\d+\.\d s"
    expected = [
        rf"image   {re.escape(url)}: ESP32, 2\.0\.0, 40,000 bytes, (checked on its way|digest ok)",
        rf"device  {re.escape(str(agreeable.path))}: dialect classic, does not tell its chip",
        rf"begin   the slot is prepared, {seconds}",
        rf"write   40,000 bytes, {seconds}, \d+ KiB/s",
        rf"end     the ESP32 has verified the image, {seconds}",
        r"done    the ESP32 has selected the image and restarts in 5 s; .*",
    ]
    lines = done.stdout.splitlines()
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


@pytest.fixture
def show(
    fake: FakeDevice, image: bytes, tmp_path: Path
) -> Iterator[Callable[..., tuple["subprocess.Popen[bytes]", int]]]:
    """Starts an update on a terminal of its own; the process, and the terminal's other end."""
    (tmp_path / "image.bin").write_bytes(image)
    started = []

    def show(columns: int = 100, *options: str, **variables: str):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        script = SCRIPTS / "ota_update.py"
        where = ("image.bin", "--device", fake.path, "--reboot-timeout=0")
        process = subprocess.Popen(
            [sys.executable, script, *where, *options],
            env=tool_environment({"TERM": "xterm", **variables}),
            cwd=tmp_path,
            stdin=slave,  # where rich asks for its width
            stdout=slave,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        os.close(slave)
        return process, master

    yield show
    for process in started:
        process.kill()
        process.communicate()


def shown(process: "subprocess.Popen[bytes]", master: int) -> str:
    """Everything on the terminal, once the update has succeeded."""
    text = b""
    while True:
        try:
            text += os.read(master, 65536)
        except OSError:  # all of it is read, and nobody will write more
            break
    os.close(master)
    _, errors = process.communicate(timeout=HANG_S)
    assert (process.returncode, errors) == (DONE, b"")
    return text.decode()


@pytest.fixture
def no_rich(tmp_path: Path) -> dict[str, str]:
    """Variables with which Python finds no package rich."""
    (tmp_path / "rich.py").write_text("raise ImportError('no such package')\n")
    return {"PYTHONPATH": str(tmp_path)}


@pytest.mark.parametrize("columns", [100, 40])
def test_a_bar_without_rich(
    agreeable: FakeDevice, show: Callable[..., object], no_rich: dict[str, str], columns: int
) -> None:
    """Lines that are rewritten in place, none wider than the terminal."""
    text = shown(*show(columns, **no_rich))
    drawn = re.findall(r"(write   [^\r\n]*)\r(?!\n)", text)
    assert re.search(r"0 %  0 of 39 KiB", drawn[0]), drawn
    assert ("[-----" in drawn[0]) == (columns == 100)
    assert all(len(line.rstrip()) < columns for line in drawn)
    assert re.search(r"\rwrite   40,000 bytes[^\r]*\r\n", text)
    assert "\ndone " in text
    assert "\x1b" not in text


CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*[39][0-7]m")


@pytest.mark.parametrize("columns", [100, 40])
def test_a_bar(agreeable: FakeDevice, show: Callable[..., object], columns: int) -> None:
    """Of rich, none wider than the terminal; the lines that stay are those of a pipe."""
    text = shown(*show(columns))
    plain = [line for line in re.split(r"[\r\n]+", CONTROL.sub("", text)) if line]
    drawn = [line for line in plain if re.match(r"write .* KiB( |$)", line)]
    assert re.search(r"0 %  0 of 39 KiB", drawn[0]), drawn
    assert ("\u2501\u2501\u2501" in drawn[0]) == (columns == 100)
    assert all(len(line) <= columns for line in drawn)
    assert COLOUR.search(text)
    assert "\x1b[?25l" not in text, "a second Ctrl-C would leave no cursor"
    for stays in (
        r"begin   the slot is prepared, [\d.]+ s",
        r"write   40,000 bytes, [\d.]+ s, \d+ KiB/s",
        r"end     the ESP32 has verified the image, [\d.]+ s",
        r"done    the ESP32 has selected the image .*",
    ):
        assert [line for line in plain if re.fullmatch(stays, line)], plain


def test_no_colour(agreeable: FakeDevice, show: Callable[..., object]) -> None:
    text = shown(*show(NO_COLOR="1"))
    assert re.search(r"write .* 0 %  0 of 39 KiB .*\r\x1b\[2K", text)
    assert not COLOUR.search(text)


def test_no_bar_on_a_dumb_terminal(agreeable: FakeDevice, show: Callable[..., object]) -> None:
    text = shown(*show(TERM="dumb"))
    assert text.startswith("image   image.bin: ESP32, 2.0.0, 40,000 bytes, digest ok\r\ndevice ")
    assert "\r" not in text.replace("\r\n", "")
    assert "\x1b" not in text


def test_a_terminal_that_goes_away(fake: FakeDevice, show: Callable[..., object]) -> None:
    """The update goes on, and nobody complains."""
    for kind in (Kind.OTA_WRITE, Kind.OTA_END):
        fake.script(kind, classic.answer(kind))
    process, master = show()
    fake.wait_request(Kind.OTA_BEGIN)
    os.close(master)
    fake.inject(classic.answer(Kind.OTA_BEGIN))
    _, errors = process.communicate(timeout=HANG_S)
    assert (process.returncode, errors) == (DONE, b"")


def test_an_image_cannot_write_on_the_terminal(
    agreeable: FakeDevice, run: Callable[..., "Done[str]"], tmp_path: Path
) -> None:
    """Anybody may call a version anything."""
    (tmp_path / "image.bin").write_bytes(images.smallest(version="1\x1b[31m\r\nfake"))
    done = run("ota_update.py", "image.bin")
    assert done.returncode == DONE, done
    assert r"ESP32, 1\x1b[31m\x0d\x0afake, " in done.stdout
    assert "\x1b" not in done.stdout


def test_quiet(
    agreeable: FakeDevice, run: Callable[..., "Done[str]"], image: bytes, server: FaultServer
) -> None:
    done = run("ota_update.py", "--quiet", server.url("ok"))
    assert (done.returncode, done.stdout, done.stderr) == (DONE, "", "")
    assert agreeable.sent_image() == image


@pytest.mark.parametrize("output", ["closed pipe", "full disk", "closed"])
def test_nobody_reads_on(
    agreeable: FakeDevice,
    run: Callable[..., "Done[str]"],
    image: bytes,
    server: FaultServer,
    output: str,
) -> None:
    """`| head -1` must not break an update off."""
    if output == "closed pipe":
        read, write = os.pipe()
        os.close(read)
    elif output == "full disk":
        write = os.open("/dev/full", os.O_WRONLY)
    else:
        write = os.open(os.devnull, os.O_WRONLY)
    close = {"preexec_fn": lambda: os.close(1)} if output == "closed" else {}
    done = run("ota_update.py", server.url("ok"), stdout=write, **close)
    os.close(write)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert agreeable.sent_image() == image


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("x", "--chip", "esp8266"), "--chip"),
        (("x", "--slot-size", "big"), "--slot-size"),
        (("x", "--slot-size", "0"), "--slot-size"),
        (("x", "--slot-size", "4G"), "--slot-size"),
        (("x", "--timeout", "0"), "--timeout"),
        (("x", "--dialect", "latin"), "--dialect"),
        (("x", "--device"), "--device"),
        (("x", f"http://me:{SECRET}@y/"), "too many"),
        (("x", f"--unknown={SECRET}"), "unknown option"),
        ((), "url"),
    ],
)
def test_usage_of_ota_update(
    run: Callable[..., "Done[str]"], args: tuple[str, ...], word: str
) -> None:
    done = run("ota_update.py", *args)
    assert done.returncode == USAGE
    assert word in done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("size", ["40000", "0x9c40", "40K", "1m"])
def test_slot_size(
    agreeable: FakeDevice, run: Callable[..., "Done[str]"], server: FaultServer, size: str
) -> None:
    assert run("ota_update.py", server.url("ok"), "--slot-size", size).returncode == DONE


# Joining a network


def test_what_joining_says(agreeable: FakeDevice, run: Callable[..., "Done[str]"]) -> None:
    """The MAC address, that it is connected, and the truth about ethsta0, which is not there."""
    done = run("station_connect.py", "Caf\u00e9 \u2615", SECRET)
    assert done.returncode == LOCAL
    assert done.stdout == f"station MAC address {MAC}\nconnected to 'Caf\u00e9 \u2615'\n"
    assert re.fullmatch(
        r"station_connect\.py: ethsta0: .*no such.*; the ESP32 is connected all the same\n",
        done.stderr,
    )
    assert agreeable.requests[-1].get(1) == "Caf\u00e9 \u2615".encode()


@pytest.mark.parametrize(
    "args",
    [
        ("net", SECRET, "too", "many"),
        ("net", "half of", SECRET),
        ("net", "-" + SECRET),
        ("net", "-h" + SECRET),
        ("net", "--ti=" + SECRET),
        ("net", "--timeout=" + SECRET),
        ("net", "--quiet=" + SECRET),
        ("net", "x", "--listen_interval", SECRET),
        ("net", "x", "--is_wpa3_supported", SECRET),
        (SECRET * 3, SECRET),
        ("net", SECRET * 6),
    ],
)
def test_no_password_in_any_usage(
    fake: FakeDevice, run: Callable[..., "Done[str]"], args: tuple[str, ...]
) -> None:
    """A password with a space and no quotes, one that begins with -, or one in a wrong place."""
    done = run("station_connect.py", *args)
    assert done.returncode == USAGE or done.stdout.startswith("usage: ")
    assert SECRET[1:] not in done.stdout + done.stderr
    assert Kind.CONNECT_AP not in fake.kinds()


def test_a_password_that_begins_with_a_dash(
    agreeable: FakeDevice, run: Callable[..., "Done[str]"]
) -> None:
    run("station_connect.py", "--", "net", "-" + SECRET)
    assert agreeable.requests[-1].get(2) == b"-" + SECRET.encode()


def test_a_password_of_the_environment(
    agreeable: FakeDevice, run: Callable[..., "Done[str]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run(
        [*UNSHARE, sys.executable, SCRIPTS / "station_connect.py", "net", "-"],
        env=tool_environment(
            {"ESP_HOSTED_DEVICE": str(agreeable.path), "ESP_HOSTED_PASSWORD": SECRET}
        ),
        capture_output=True,
        text=True,
    )
    assert done.returncode == LOCAL  # no ethsta0
    assert agreeable.requests[-1].get(2) == SECRET.encode()
    assert SECRET not in done.stdout + done.stderr


def test_no_terminal_to_ask_on(fake: FakeDevice, run: Callable[..., "Done[str]"]) -> None:
    done = run("station_connect.py", "net", "-", stdin=subprocess.DEVNULL, start_new_session=True)
    assert done.returncode == USAGE
    assert "ESP_HOSTED_PASSWORD" in done.stderr
    assert fake.requests == []


@pytest.mark.parametrize(
    "stop",
    [
        lambda process, master: process.send_signal(signal.SIGTERM),
        lambda process, master: process.send_signal(signal.SIGHUP),
        lambda process, master: os.write(master, b"\x03"),
        lambda process, master: os.write(master, b"\x04"),
    ],
    ids=["SIGTERM", "SIGHUP", "Ctrl-C", "Ctrl-D"],
)
def test_interrupted_at_the_prompt(
    fake: FakeDevice, stop: Callable[["subprocess.Popen[bytes]", int], None]
) -> None:
    """The terminal shows again what is typed."""
    master, slave = pty.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, SCRIPTS / "station_connect.py", "net", "-", "--device", fake.path],
        env=tool_environment(),
        preexec_fn=own_terminal,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )

    def echoes() -> bool:
        return bool(termios.tcgetattr(slave)[3] & termios.ECHO)

    wait_for(lambda: not echoes(), "a prompt without echo")
    stop(process, master)
    assert process.wait(HANG_S) == LOCAL
    assert echoes()
    shown = os.read(master, 4096).decode()
    os.close(slave)
    os.close(master)
    assert "Password for 'net': " in shown
    assert "interrupted" in shown
    assert "Traceback" not in shown
    assert fake.requests == []


def test_refused(fake: FakeDevice, run: Callable[..., "Done[str]"]) -> None:
    fake.script(Kind.GET_MAC, classic.answer(Kind.GET_MAC, -1))
    done = run("station_connect.py", "net", SECRET)
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert "refused get_mac" in done.stderr


# The module


@pytest.mark.parametrize("script", ["ota_update.py", "station_connect.py"])
def test_without_the_native_module(script: str, tmp_path: Path) -> None:
    """Not built, or built for another kind of machine: a clear word and status 1."""
    copy = tmp_path / "python_support"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("*.so", "build", "__pycache__"))
    for content in (None, b"\x7fELF no module"):
        if content is not None:
            (copy / "esp_hosted_ota" / "_native.abi3.so").write_bytes(content)
        done = subprocess.run(
            [sys.executable, copy / script, "x"], capture_output=True, text=True, cwd="/"
        )
        assert done.returncode == LOCAL
        assert re.fullmatch(rf"{re.escape(script)}: .*make .*python3-cffi.*\n", done.stderr)


def test_no_device(run: Callable[..., "Done[str]"], server: FaultServer, tmp_path: Path) -> None:
    done = run("ota_update.py", server.url("ok"), "--device", tmp_path / "nowhere")
    assert done.returncode == NO_ANSWER
    assert server.seen == [], "who has no device need not fetch the image"
