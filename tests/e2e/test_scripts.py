# SPDX-License-Identifier: Apache-2.0
"""The scripts of script/ where something is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.tools import ROOT

PROGRAM = "#!/bin/sh\nexit 1\n"


def run(script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "script" / script, *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )


def test_demo_without_a_network(tmp_path: Path) -> None:
    """--network does not put up with the update from a file alone."""
    for name in ("unshare", "sudo"):
        (tmp_path / name).write_text(PROGRAM)
        (tmp_path / name).chmod(0o755)
    result = run("demo", "--built", "--network", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (result.returncode, result.stdout) == (1, "")
    assert "no network namespaces or no access to /dev/net/tun" in result.stderr


@pytest.mark.parametrize("script", ["lint", "package"])
def test_checkout_that_git_does_not_read(tmp_path: Path, script: str) -> None:
    """As git takes one that belongs to somebody else."""
    for folder in ("script", "packaging/debian"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for name in ("venv", "setup"):
        (tmp_path / "script" / name).write_text("#!/bin/sh\n")
    result = subprocess.run(
        [tmp_path / "script" / script],
        env={**os.environ, "GIT_DIR": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert f"script/{script}: git cannot list the files of this checkout" in result.stderr
