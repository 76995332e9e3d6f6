# SPDX-License-Identifier: Apache-2.0
"""The update component as an archive for other projects."""

import re
import shlex
import subprocess
import tarfile
from pathlib import Path

import pytest
from support.tools import ROOT

FLAGS = ("-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-Werror")


def pack() -> Path:
    done = subprocess.run([ROOT / "script/component"], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


@pytest.fixture(scope="module", name="unpacked")
def fixture_unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("component")
    with tarfile.open(pack()) as archive:
        archive.extractall(folder, filter="data")
    return folder / "ota_device"


def protobuf_flags() -> list[str]:
    command = ["pkg-config", "--cflags", "libprotobuf-c"]
    return shlex.split(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compile_all(component: Path, sources: list[Path], *flags: str) -> None:
    for source in sources:
        command = ["cc", *FLAGS, *flags, *protobuf_flags(), "-c", "-o", "/dev/null", str(source)]
        for include in (component / "include", component / "wire", ROOT / "sim/idf/include"):
            command += ["-I", str(include)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_version_is_the_projects(unpacked: Path) -> None:
    project = re.search(
        r"VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text().split("project(")[1]
    )
    assert project is not None
    assert f'version: "{project[1]}"' in (unpacked / "idf_component.yml").read_text()


def test_the_sources_that_are_named_are_there_and_compile_alone(unpacked: Path) -> None:
    named = re.findall(r'"([\w./-]+\.c)"', (unpacked / "CMakeLists.txt").read_text())
    assert "wire/hosted_extension.pb-c.c" in named
    there = {path.relative_to(unpacked).as_posix() for path in unpacked.glob("*.c")}
    assert there | {"wire/hosted_extension.pb-c.c"} == set(named)
    compile_all(unpacked, [unpacked / name for name in named])


def test_the_example_compiles(unpacked: Path) -> None:
    compile_all(unpacked, sorted((unpacked / "example").glob("*.c")))


def test_the_same_sources_make_the_same_archive() -> None:
    first = pack().read_bytes()
    assert pack().read_bytes() == first


def test_the_readme_names_what_is_there(unpacked: Path) -> None:
    text = (unpacked / "README.md").read_text()
    header = "".join(path.read_text() for path in unpacked.glob("*/*.h"))
    for name in re.findall(r"\b(?:ota_(?:device|slave|extension)_\w+|OTA_\w+)\(?", text):
        if name.endswith("("):
            assert name in header
