# SPDX-License-Identifier: Apache-2.0
"""The wheel of the Python package, built once in a test run, and the CPythons to try it with."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .tools import HOST_CONTROL, ROOT

FOLDER = ROOT / "build" / "wheel"
PACKAGE = HOST_CONTROL / "python_support"
MINORS = range(9, max(13, sys.version_info.minor) + 1)  # of CPython 3, the tests' own among them


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One worker, of one test run, at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / f"{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def built(run: str | None) -> Path:
    """The wheel; of a run with a name it is built only once."""
    stamp = FOLDER / "run"
    with alone("wheel"):
        if run is None or not stamp.exists() or stamp.read_text() != run:
            _build()
            stamp.write_text(run or "")
        (wheel,) = (FOLDER / "dist").glob("*.whl")
        return wheel


def _build() -> None:
    before = _sources()
    shutil.rmtree(FOLDER / "dist", ignore_errors=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"),
            *("--no-build-isolation", "--no-deps", "--wheel-dir", FOLDER / "dist"),
            *(f"--config-settings=build-dir={FOLDER / 'cmake'}", ROOT),
        ],
        check=True,
    )
    assert _sources() == before, "left among the sources"


def _sources() -> set[Path]:
    there = {*ROOT.iterdir(), *PACKAGE.iterdir(), *(PACKAGE / "esp_hosted_ota").iterdir()}
    return {path for path in there if path.suffix != ".so" and "cache" not in path.name}


def from_source_distribution(folder: Path) -> Path:
    """A wheel as pip makes it from a source distribution, away from the repository."""
    code = "import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, check=True, capture_output=True)
    (source,) = folder.glob("*.tar.gz")
    quick = "--config-settings=cmake.build-type=Debug"
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check")
    how = ("--no-build-isolation", "--no-deps", "--wheel-dir", folder, quick)
    subprocess.run([*pip, *how, source], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def cpython(minor: int) -> Path | None:
    """A CPython 3.`minor` of this machine that can make virtual environments."""
    name = f"python3.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [*pyenv.glob(f"versions/3.{minor}.*/bin/{name}"), shutil.which(name), sys.executable]
    code = "import ensurepip, sys, venv; print(sys.implementation.name, *sys.version_info[:2])"
    for python in filter(None, found):
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
        if done.stdout.split() == ["cpython", "3", str(minor)]:
            return Path(python)
    return None


def _pins() -> Path:
    """What the package needs, in the versions of the other tests."""
    names = ("cffi", "rich")
    lines = (ROOT / "script" / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line.partition("==")[0] in names]
    assert len(pins) == len(names), pins
    file = FOLDER / "constraints.txt"
    text = "\n".join([*pins, ""])
    with alone(file.stem):
        if not file.exists() or file.read_text() != text:  # else somebody may be reading it
            file.write_text(text)
    return file


def installed(wheel: Path, minor: int, python: Path) -> Path:
    """A virtual environment of `python` with this wheel and what it depends on."""
    folder = FOLDER / f"venv-3.{minor}"
    pins = _pins()
    stamp = folder / "complete"
    state = hashlib.sha256(pins.read_bytes()).hexdigest()
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    with alone(folder.name):
        if not stamp.exists() or stamp.read_text() != state:
            subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([*pip, "install", "--constraint", pins, wheel], check=True)
            stamp.write_text(state)
        again = ("--force-reinstall", "--no-deps")
        subprocess.run([*pip, "install", *again, wheel], check=True)
    return folder
