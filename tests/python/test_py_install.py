# SPDX-License-Identifier: Apache-2.0
"""The package as pip installs it, and its Makefile."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from support.tools import HOST_CONTROL, LOCAL, ROOT

PACKAGE = HOST_CONTROL / "python_support"


def test_pip_install(wheel: Path, tmp_path: Path) -> None:
    """Away from the repository, with its commands; the scripts' folder plays no part."""
    target = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--target", target, wheel),
        ],
        check=True,
    )
    code = (
        "import esp_hosted_ota.commands as c; "
        "print(c.__file__, c.wifi_get_mode(), type(c.last_error()).__name__)"
    )
    env = {**os.environ, "PYTHONPATH": str(target), "ESP_HOSTED_DEVICE": str(tmp_path / "nowhere")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd="/", capture_output=True, text=True
    )
    (info,) = target.glob("*.dist-info")
    assert f"VERSION {info.stem.split('-')[1]} " in (ROOT / "CMakeLists.txt").read_text()
    file = target / "esp_hosted_ota" / "commands.py"
    assert (done.stdout, done.stderr) == (f"{file} failure OtaNotFoundError\n", "")
    for name in ("ota-update", "station-connect"):
        tool = target / "bin" / name
        done = subprocess.run([tool, "--help"], env=env, cwd="/", capture_output=True, text=True)
        assert done.stdout.startswith(f"usage: {name} "), done
    done = subprocess.run(
        [target / "bin" / "ota-update", "nowhere.bin", "--device", os.devnull],
        env=env,
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.stderr.startswith("ota-update: "), done
    assert done.returncode >= LOCAL


def test_cmake_install(tmp_path: Path) -> None:
    """As a package of a distribution has it: pip and programs see which version there is."""
    build = tmp_path / "build"
    prefix = tmp_path / "root"
    options = ("-DHOSTED_PYTHON=ON", "-DHOSTED_PYTHON_INSTALL_DIR=site", "-DHOSTED_SIM=OFF")
    cmake = ("cmake", "-S", ROOT, "-B", build, *options, f"-DPython3_EXECUTABLE={sys.executable}")
    subprocess.run(cmake, check=True, capture_output=True)
    (build / "python").mkdir(exist_ok=True)
    module = "_native.abi3.so"  # is built already
    shutil.copy(PACKAGE / "esp_hosted_ota" / module, build / "python" / module)
    install = ("cmake", "--install", build, "--component", "python", "--prefix", prefix)
    subprocess.run(install, check=True, capture_output=True)

    code = (
        "import esp_hosted_ota, importlib.metadata as m; "
        "print(esp_hosted_ota.__file__, m.version('esp-hosted-ota'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(prefix / "site")},
        cwd="/",
        capture_output=True,
        text=True,
    )
    (version,) = re.findall(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())
    file = prefix / "site" / "esp_hosted_ota" / "__init__.py"
    assert (done.stdout, done.stderr) == (f"{file} {version}\n", "")
    pip = (sys.executable, "-m", "pip", "list", "--path", prefix / "site", "--format=freeze")
    listed = subprocess.run(pip, check=True, capture_output=True, text=True).stdout
    assert listed == f"esp-hosted-ota=={version}\n"


def test_make_without_cffi(tmp_path: Path) -> None:
    """A clear word, which the build of the C tool takes as a notice."""
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\nexec /usr/bin/env python3 -S -I "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "-C", PACKAGE, f"PYTHON={python}"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "python3-cffi python3-dev" in done.stderr
    assert "Traceback" not in done.stderr
