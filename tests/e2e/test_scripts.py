# SPDX-License-Identifier: Apache-2.0
"""The scripts of script/ where something is missing."""

import os
import subprocess
from pathlib import Path

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
