# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` puts where."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from support.tools import ROOT, Build


@pytest.mark.parametrize("prefix", ["/usr/local", "/opt/hosted"])
def test_stays_below_the_prefix(build: Build, tmp_path: Path, prefix: str) -> None:
    subprocess.run(
        ["cmake", "--install", build.folder, "--prefix", prefix],
        env={**os.environ, "DESTDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    files = {
        "/" + str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    }
    assert sorted(file for file in files if not file.startswith(prefix + "/")) == []

    unit = (tmp_path / prefix[1:] / "lib/systemd/system/esp-hostedd.service").read_text()
    named = re.findall(r"^(?:EnvironmentFile|ExecStart)=(\S+)", unit, re.MULTILINE)
    assert len(named) == 2
    assert set(named) <= files


def test_settings_of_the_system(tmp_path: Path) -> None:
    """With the prefix that README.md says they are where the system reads them."""
    options = ["-DCMAKE_INSTALL_PREFIX=/usr", "-DHOSTED_SIM=OFF"]
    subprocess.run(["cmake", "-S", ROOT, "-B", tmp_path / "build", *options], check=True)
    subprocess.run(
        ["cmake", "--install", tmp_path / "build/packaging"],
        env={**os.environ, "DESTDIR": str(tmp_path / "root")},
        stdout=subprocess.DEVNULL,
    )  # ends where it misses what was not built
    root = tmp_path / "root"
    assert (root / "etc/default/esp-hostedd").is_file()
    for file in (
        "systemd/system/esp-hostedd.service",
        "sysusers.d/esp-hosted-ota.conf",
        "tmpfiles.d/esp-hosted-ota.conf",
        "udev/rules.d/60-esp-hosted.rules",
        "NetworkManager/conf.d/80-esp-hosted.conf",
    ):
        assert (root / "usr/lib" / file).is_file(), file
    unit = (root / "usr/lib/systemd/system/esp-hostedd.service").read_text()
    assert "EnvironmentFile=/etc/default/esp-hostedd\n" in unit
    assert "ExecStart=/usr/sbin/esp-hostedd " in unit
