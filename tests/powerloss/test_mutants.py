# SPDX-License-Identifier: Apache-2.0
"""The mutants (mutants/run) are of the code as it is now: each patch applies, and compiles."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from support.tools import ROOT, Build

MUTANTS = Path(__file__).parent / "mutants"
TEN = sorted(MUTANTS.glob("*.patch"))
MORE = sorted(MUTANTS.glob("more/*.patch"))
COMPONENT = "esp/network_adapter/components/ota_device"


def test_there_are_ten() -> None:
    assert len(TEN) == 10


def test_more_name_who_catches_them() -> None:
    """Of a part that passes whatever the device does nobody would know."""
    first = [patch.read_text().splitlines()[0] for patch in MORE]
    found = {line.split()[2] for line in first if line.startswith("Caught by: ")}
    assert found >= {"cuts", "bus", "killed", "named", "power-trial", "power-pairs", "resume"}
    assert all(len(line.split()) >= 4 for line in first)


@pytest.mark.parametrize("patch", [*TEN, *MORE], ids=lambda path: path.stem)
def test_applies_and_compiles(patch: Path, tmp_path: Path, build: Build) -> None:
    copy = tmp_path / COMPONENT
    shutil.copytree(ROOT / COMPONENT, copy)
    applied = subprocess.run(
        ["patch", "-p1", "--fuzz=0", "-i", patch], cwd=tmp_path, capture_output=True, text=True
    )
    assert applied.returncode == 0, f"write it anew:\n{applied.stdout}"
    commands = json.loads((build.folder / "compile_commands.json").read_text())
    changed = [line.split()[2] for line in applied.stdout.splitlines() if "patching" in line]
    assert changed
    for name in changed:
        # The firmware's own build of it, which is the first; unit tests build it for more releases.
        entry = next(one for one in commands if one["file"] == str(ROOT / name))
        words = shlex.split(entry["command"].replace(str(ROOT / COMPONENT), str(copy)))
        # Elsewhere: the coverage notes beside the build's object must not become the mutant's.
        words[words.index("-o") + 1] = str(tmp_path / "mutant.o")
        done = subprocess.run(words, cwd=entry["directory"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
