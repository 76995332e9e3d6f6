# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/examples for --reconnect-hook: what they ask of the kernel and of gpioset.

There is no SDIO here. /sys is a made-up one, in a mount namespace of the script's own, and a thread
plays the kernel behind its `bind` and `unbind`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.waiting import wait_for

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
CONTROLLER = "fe300000.mmcnr"
PATIENCE_S = 60


def can_mount() -> bool:
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Kernel(threading.Thread):
    """An SD controller with an ESP32, as sysfs shows it."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True)
        self.asked: list[str] = []
        self.comes_back_at = 1  # the bind that finds the ESP32, counted from 1; 0: none does
        self.binds = 0
        self.host = "mmc1"
        self.root = root
        self.controller = root / "devices/platform/soc" / CONTROLLER
        self.driver = root / "bus/platform/drivers/mmc-bcm2835"
        self.cards = root / "bus/sdio/devices"
        for folder in (self.controller, self.driver, self.cards, root / "class/mmc_host"):
            folder.mkdir(parents=True)
        for name in ("bind", "unbind"):
            os.mkfifo(self.driver / name)
        self.stopping = False
        self.attach()
        self.put_card("0x6666")

    def attach(self) -> None:
        host = self.controller / "mmc_host" / self.host
        host.mkdir(parents=True)
        (host / "device").symlink_to("../..")
        (self.root / "class/mmc_host" / self.host).symlink_to(
            f"../../devices/platform/soc/{CONTROLLER}/mmc_host/{self.host}"
        )
        (self.controller / "driver").symlink_to("../../../../bus/platform/drivers/mmc-bcm2835")
        (self.driver / CONTROLLER).symlink_to(f"../../../../devices/platform/soc/{CONTROLLER}")

    def detach(self) -> None:
        self.lose_card()
        shutil.rmtree(self.controller / "mmc_host")
        (self.root / "class/mmc_host" / self.host).unlink()
        (self.controller / "driver").unlink()
        (self.driver / CONTROLLER).unlink()

    def put_card(self, vendor: str) -> None:
        for number in (1, 2):
            card = self.controller / "mmc_host" / self.host / f"{self.host}:0001"
            function = card / f"{self.host}:0001:{number}"
            function.mkdir(parents=True)
            (function / "vendor").write_text(vendor + "\n")
            (self.cards / function.name).symlink_to(f"../../../{function.relative_to(self.root)}")

    def lose_card(self) -> None:
        for function in self.cards.iterdir():
            shutil.rmtree(function.resolve())
            function.unlink()

    def close(self) -> None:
        """Before its files are removed, which it may be about to open."""
        self.stopping = True
        if self.ident is not None:
            wait_for(self._wake, "the thread to end")
            self.join()

    def _wake(self) -> bool:
        """Nobody writes to it: whatever it reads ends."""
        for name in ("unbind", "bind"):
            with suppress(OSError):  # it does not read that one
                os.close(os.open(self.driver / name, os.O_WRONLY | os.O_NONBLOCK))
        return not self.is_alive()

    def run(self) -> None:
        while True:
            for name in ("unbind", "bind"):
                if name == "unbind" and not (self.driver / CONTROLLER).exists():
                    continue
                text = (self.driver / name).read_text().strip()
                if self.stopping:
                    return
                self.asked.append(f"{name} {text}")
                if name == "unbind":
                    self.detach()
                    continue
                self.binds += 1
                self.host = f"mmc{self.binds + 1}"  # another number than before
                self.attach()
                if self.binds == self.comes_back_at:
                    self.put_card("0x0092")


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    if not can_mount():
        pytest.skip("no mount namespaces")
    kernel = Kernel(tmp_path / "sys")
    yield kernel
    kernel.close()


def reconnect_sdio(kernel: Kernel, **environment: str) -> subprocess.CompletedProcess[str]:
    inner = 'mount --bind "$1" /sys && exec "$2" /dev/esps0'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", inner, "sh"]
    return subprocess.run(
        [*command, str(kernel.root), str(EXAMPLES / "reconnect-sdio")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


REBIND = [f"unbind {CONTROLLER}", f"bind {CONTROLLER}"]


def test_the_controller_of_the_esp32_is_bound_anew(kernel: Kernel) -> None:
    kernel.start()
    ended = reconnect_sdio(kernel)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert kernel.asked == REBIND


def test_a_controller_that_lost_its_card_is_named(kernel: Kernel) -> None:
    kernel.lose_card()
    ended = reconnect_sdio(kernel)
    assert ended.returncode == 1
    assert "ESP_HOSTED_MMC_HOST" in ended.stderr
    kernel.start()
    ended = reconnect_sdio(kernel, ESP_HOSTED_MMC_HOST="mmc1")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert kernel.asked == REBIND


def test_an_esp32_that_still_boots_is_looked_for_again(kernel: Kernel) -> None:
    kernel.comes_back_at = 2
    kernel.start()
    ended = reconnect_sdio(kernel)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert kernel.asked == REBIND * 2


def test_a_controller_with_a_disk_is_left_alone(kernel: Kernel) -> None:
    (kernel.root / "class/mmc_host/mmc1/mmc1:aaaa/block").mkdir(parents=True)
    kernel.start()
    ended = reconnect_sdio(kernel, ESP_HOSTED_MMC_HOST="mmc1")
    assert ended.returncode == 1
    assert "mmc1 has a disk" in ended.stderr
    assert kernel.asked == []


def test_another_maker_s_card_is_no_esp32(kernel: Kernel) -> None:
    kernel.lose_card()
    kernel.put_card("0x02d0")
    ended = reconnect_sdio(kernel)
    assert ended.returncode == 1
    assert "no controller has an ESP32" in ended.stderr


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Callable[[str, str], Path]]:
    """Puts a program on the path that notes its arguments; gives the file with the notes."""
    notes = tmp_path / "notes"
    notes.touch()

    def add(name: str, prints: str) -> Path:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            "#!/bin/sh\n"
            f'[ "$1" != --version ] || {{ echo "{prints}"; exit; }}\n'
            f'echo "$*" >>"{notes}"\n'
        )
        program.chmod(0o755)
        return notes

    before = os.environ["PATH"]
    os.environ["PATH"] = f"{tmp_path / 'bin'}:{before}"
    yield add
    os.environ["PATH"] = before


PULSE_1 = [
    "--drive=open-drain --mode=time --usec=100000 gpiochip0 6=0",
    "--drive=open-drain gpiochip0 6=1",
]
PULSE_2 = ["--drive open-drain --toggle 100ms,0 --chip gpiochip0 6=0"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("gpioset (libgpiod) v1.6.3", PULSE_1), ("gpioset (libgpiod) v2.2.1", PULSE_2)],
)
def test_the_reset_pin_is_pulsed(
    commands: Callable[[str, str], Path], version: str, expected: list[str]
) -> None:
    notes = commands("gpioset", version)
    script = EXAMPLES / "reset-esp32"
    where = {"ESP_HOSTED_RESET_CHIP": "gpiochip0", "ESP_HOSTED_RESET_LINE": "6"}
    subprocess.run([script], env={**os.environ, **where}, check=True, timeout=PATIENCE_S)
    assert notes.read_text().splitlines() == expected
    lost = subprocess.run([script], capture_output=True, text=True, check=False)
    assert lost.returncode != 0
    assert "ESP_HOSTED_RESET_CHIP" in lost.stderr


def test_the_module_is_loaded_anew(commands: Callable[[str, str], Path]) -> None:
    notes = commands("modprobe", "")
    script = EXAMPLES / "reconnect-module"
    subprocess.run([script], check=True, timeout=PATIENCE_S)
    assert notes.read_text().splitlines() == ["esp32_spi"]  # which was not loaded
    loaded = sorted(path.name for path in Path("/sys/module").iterdir())[0]
    environment = {**os.environ, "ESP_HOSTED_MODULE": loaded}
    subprocess.run([script], env=environment, check=True, timeout=PATIENCE_S)
    assert notes.read_text().splitlines()[1:] == [f"-r {loaded}", loaded]
