# SPDX-License-Identifier: Apache-2.0
"""How long an update takes, in virtual time: the same on every machine, and so a limit holds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.cut_updates import WHOLE_BLOCK_SECTORS
from support.tools import ROOT, Build

BENCH = ROOT / "bench"
sys.path.insert(0, str(BENCH))

from update_bound import BLOCK, FLASH, SECTOR, program_s  # noqa: E402
from update_runs import FIRMWARE, MIB, Case, images, measure  # noqa: E402

LIMITS = 8


def test_limits(build: Build, tmp_path: Path) -> None:
    """Each of them is there, and kept; a picture is drawn."""
    command = [sys.executable, BENCH / "update-time", "--limits", "--preset", build.preset]
    run = subprocess.run(
        [*command, "--svg", tmp_path / "picture.svg"], capture_output=True, text=True, check=False
    )
    said = re.findall(r"^ *([\d.]+) (.+?) +\(limit ([\d.]+)\)  (\w+)$", run.stdout, re.M)
    assert len(said) == LIMITS, run
    assert [what for _, what, _, verdict in said if verdict != "ok"] == []
    assert all(0 < float(value) <= float(limit) for value, _, limit, _ in said)
    assert run.returncode == 0, run
    assert (tmp_path / "picture.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_the_same_each_time(build: Build, firmware: str) -> None:
    """Else a limit would hold today, and not tomorrow."""
    case = Case(firmware=firmware, size=MIB // 4)
    assert measure(case, build) == measure(case, build)


@pytest.mark.parametrize("firmware", FIRMWARE)
@pytest.mark.parametrize("chip", FLASH)
def test_simulator_and_datasheet_agree(build: Build, chip: str, firmware: str) -> None:
    """Whoever is wrong about a chip: the bound is written from the datasheets, the simulator is
    not. Beside the slot the sector that selects it is erased; of that 32 bytes are programmed."""
    case = Case(flash=chip, firmware=firmware)
    image, _ = images(case.of("ours"))
    times = FLASH[chip]
    measured = measure(case, build).parts
    assert MIB - 16 <= len(image) <= MIB
    assert measured["erase"] == pytest.approx(MIB // BLOCK * times.block + times.sector, rel=0.01)
    assert measured["program"] == pytest.approx(program_s(times, image), rel=0.01)


@pytest.mark.parametrize("scenario", ["rebuilt", "resumed"])
def test_a_part_of_the_slot_costs_its_part(build: Build, scenario: str) -> None:
    """The sectors that differ, in whole blocks where many do, and of each what the chip needs."""
    case = Case(scenario=scenario)
    image, before = images(case)
    times = FLASH[case.flash]
    erase = times.sector  # of the selection
    program = 0.0
    for at in range(0, MIB, BLOCK):
        differ = [
            image[sector : sector + SECTOR]
            for sector in range(at, at + BLOCK, SECTOR)
            if image[sector : sector + SECTOR] != before[sector : sector + SECTOR]
        ]
        whole = len(differ) >= WHOLE_BLOCK_SECTORS
        erase += times.block if whole else len(differ) * times.sector
        program += program_s(times, image[at : at + BLOCK] if whole else b"".join(differ))
    measured = measure(case, build).parts
    assert measured["erase"] == pytest.approx(erase, rel=0.01)
    assert measured["program"] == pytest.approx(program, rel=0.01)
