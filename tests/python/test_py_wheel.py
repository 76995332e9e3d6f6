# SPDX-License-Identifier: Apache-2.0
"""One wheel for every CPython from 3.9 on, each with a virtual ESP32."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support import images
from support import wheel as wheels
from support.process import environment
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, Build
from support.waiting import HANG_S

# What a program does that is nobody's tool: check, watch, and stop an update from another thread.
PROGRAM = """
import errno, sys, threading
from esp_hosted_ota import Cancel, Device, OtaError, Stage, Status, update, verify

device, good, bad = sys.argv[1:]
assert verify(good).version == "2.0.0"
try:
    verify(bad)
    sys.exit("a bad image was not refused")
except OtaError as error:
    assert error.status == Status.IMAGE, error

cancel = Cancel()
calls = []
half_way = threading.Event()
requested = threading.Event()

def stop():
    half_way.wait()
    cancel.request()
    requested.set()

def progress(stage, image, done, total):
    calls.append((stage, done, total))
    if stage is Stage.WRITE and done * 2 >= total:
        half_way.set()
        requested.wait()

thread = threading.Thread(target=stop)
thread.start()
with Device(device, timeout=60, cancel=cancel) as esp32:
    try:
        update(esp32, good, progress=progress)
        sys.exit("not cancelled")
    except OtaError as error:
        assert error.errno == errno.ECANCELED, error
thread.join()
stages = [stage for stage, _, _ in calls]
assert stages == sorted(stages) and stages[0] is Stage.CHECK and stages[-1] is Stage.WRITE, calls
print(*calls[-1][1:])
"""


@pytest.fixture(autouse=True)
def once(build: Build) -> None:
    if build.preset in ("asan", "coverage"):
        pytest.skip("the wheel is the same whatever preset is tested")


def test_tag(wheel: Path) -> None:
    assert wheel.name.startswith("esp_hosted_ota-")
    assert "-cp39-abi3-linux_" in wheel.name


def test_nothing_but_the_stable_abi(wheel: Path) -> None:
    pytest.importorskip("abi3audit", reason="abi3audit is not installed")
    audit = [sys.executable, "-m", "abi3audit", "--strict", "--report", wheel]
    done = subprocess.run(audit, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_source_distribution(wheel: Path, tmp_path: Path) -> None:
    """It has all that the package is built of, and makes the same of it."""
    again = wheels.from_source_distribution(tmp_path)
    assert again.name == wheel.name
    assert files(again) == files(wheel)


def files(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


@pytest.mark.parametrize("minor", wheels.MINORS, ids="3.{}".format)
def test_on_every_cpython(rig: Rig, wheel: Path, minor: int) -> None:
    python = wheels.cpython(minor)
    if python is None:
        pytest.skip(f"no CPython 3.{minor} on this machine")
    folder = wheels.installed(wheel, minor, python)
    image = make_image("2.0.0", size=40000)
    good = rig.file("good.bin", image)
    bad = rig.file("bad.bin", images.with_bad_checksum(image))
    rig.power_on()

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=rig.folder,
            env=environment(rig.tools.kept),
            timeout=HANG_S,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (DONE, ""), done
        return done.stdout

    python = folder / "bin" / "python"
    assert run(python, "-I", "-c", PROGRAM, rig.device, good, bad) == "20000 40000\n"
    tool = folder / "bin" / "ota-update"
    said = run(tool, good, "--device", rig.device, "--reboot-timeout", "0")
    assert "\nwrite   40,000 bytes, " in said
    rig.check_arrived(image, used_before=True)
