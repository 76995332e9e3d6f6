# SPDX-License-Identifier: Apache-2.0
"""The library as it is installed: what it exports, and a program of somebody else's on it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.classic import Kind
from support.process import Process
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL, ROOT, Build

HEADERS = ROOT / "host/include/hosted"
SYMBOLS = ROOT / "packaging/debian/libhosted-ota0.symbols"
EXAMPLE = ROOT / "docs/examples/update.c"
VERSION = "HOSTED_OTA_0"


@pytest.fixture(autouse=True)
def shipped(build: Build) -> None:
    """With sanitizers or gcov in it a library asks that of its programs, too."""
    if build.preset != "release":
        pytest.skip("the library is the one that is shipped")


@pytest.fixture
def installed(build: Build, tmp_path: Path) -> Path:
    """The root of a tree in which the library is at its place."""
    root = tmp_path / "root"
    subprocess.run(
        ["cmake", "--install", build.folder],
        env={**os.environ, "DESTDIR": str(root)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return root


def declared(header: Path) -> set[str]:
    """Functions and variables with external linkage."""
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.DOTALL)
    text = re.sub(r"^#.*", "", text, flags=re.MULTILINE)
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", "", text)
    names = set()
    for declaration in text.split(";"):
        function = re.match(r"[^()]*?(\w+)\s*\(", declaration)
        variable = re.match(r"\s*extern\b.*?(\w+)\s*$", declaration, re.DOTALL)
        if function or variable:
            names.add((function or variable)[1])
    return names


def test_exports_what_the_headers_declare(installed: Path) -> None:
    library = next(installed.rglob("libhosted-ota.so.0"))
    listed = subprocess.run(
        ["nm", "--dynamic", "--defined-only", "--with-symbol-versions", library],
        capture_output=True,
        text=True,
        check=True,
    )
    exported = {line.split()[-1] for line in listed.stdout.splitlines()} - {f"{VERSION}@@{VERSION}"}
    exported -= {VERSION}
    headers = sorted(next(installed.rglob("hosted/update.h")).parent.glob("*.h"))
    assert [path.name for path in headers] == sorted(path.name for path in HEADERS.glob("*.h"))
    wanted = {f"{name}@@{VERSION}" for header in headers for name in declared(header)}
    assert len(wanted) > 50
    assert exported == wanted, "host/host_common/hosted-ota.map lists them"
    tracked = set(re.findall(r"^ (\w+)@", SYMBOLS.read_text(), re.MULTILINE)) - {VERSION}
    assert {f"{name}@@{VERSION}" for name in tracked} == exported, SYMBOLS


def start(rig: Rig, program: Path, library: Path, image: bytes) -> Process:
    process = Process(
        [program, rig.file("image.bin", image)],
        rig.folder / "example",
        {
            **rig.tools.kept,
            "ESP_HOSTED_DEVICE": str(rig.device),
            "LD_LIBRARY_PATH": str(library.parent),
        },
        stdin=subprocess.PIPE,
    )
    rig.finally_kill(process)
    return process


def test_program_by_pkg_config(rig: Rig, installed: Path, tmp_path: Path) -> None:
    """A whole update."""
    library = next(installed.rglob("libhosted-ota.so"))
    env = {
        **os.environ,
        "PKG_CONFIG_SYSROOT_DIR": str(installed),
        "PKG_CONFIG_LIBDIR": str(library.parent / "pkgconfig"),
    }
    program = tmp_path / "update"
    subprocess.run(
        f"cc -Wall -Wextra -Werror {EXAMPLE} $(pkg-config --cflags --libs hosted-ota) "
        f"-pthread -o {program}",
        shell=True,
        env=env,
        check=True,
    )
    image = make_image("2.0.0", size=40000)
    rig.power_on()
    result = rig.tools.finish(start(rig, program, library, image))
    assert result.status == DONE, result
    assert "check: 0 of 40000 (ESP32, 2.0.0)" in result.stdout
    assert "write: 40000 of 40000" in result.stdout
    assert result.stdout.splitlines()[-1] == "runs 2.0.0"
    rig.check_arrived(image)


def test_program_by_cmake(rig: Rig, installed: Path, tmp_path: Path) -> None:
    """An update that its other thread stops while the ESP32 is silent."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(EXAMPLE, project)
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\n"
        "project(example C)\n"
        "find_package(HostedOta 0.1 REQUIRED)\n"
        "find_package(Threads REQUIRED)\n"
        "add_executable(update update.c)\n"
        "target_link_libraries(update HostedOta::hosted_ota Threads::Threads)\n"
    )
    output = tmp_path / "built"
    prefix = f"-DCMAKE_PREFIX_PATH={installed}/usr/local"
    subprocess.run(["cmake", "-S", project, "-B", output, prefix], check=True)
    subprocess.run(["cmake", "--build", output], check=True)

    rig.power_on()
    rig.proxy.on_answer(Kind.OTA_WRITE, rig.proxy.hold, 3)
    library = next(installed.rglob("libhosted-ota.so"))
    process = start(rig, output / "update", library, make_image("2.0.0", size=40000))
    rig.proxy.wait_request(Kind.OTA_WRITE, 3)
    process.popen.stdin.write(b"\n")
    process.popen.stdin.close()
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert f"{rig.old} is still in place" in result.stderr
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


def test_every_function_from_cpp(installed: Path, tmp_path: Path) -> None:
    """A program in C++ that takes the address of each links."""
    headers = sorted(next(installed.rglob("hosted/update.h")).parent.glob("*.h"))
    library = next(installed.rglob("libhosted-ota.so"))
    names = sorted(name for header in headers for name in declared(header))
    source = tmp_path / "all.cc"
    source.write_text(
        "".join(f"#include <hosted/{header.name}>\n" for header in headers)
        + "const void *const all[] = {"
        + ", ".join(f"(const void *)&{name}" for name in names)
        + "};\nint main() { return all[0] == nullptr; }\n"
    )
    program = tmp_path / "all"
    include = headers[0].parent.parent
    subprocess.run(
        ["g++", "-std=c++17", f"-I{include}", source, library, "-o", program], check=True
    )
    env = {**os.environ, "LD_LIBRARY_PATH": str(library.parent)}
    subprocess.run([program], env=env, check=True)


def test_program_with_this_project_inside(tmp_path: Path) -> None:
    """By the same name as when it is installed, and with its headers. The linker is not asked."""
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\n"
        "project(example C)\n"
        "set(CMAKE_EXPORT_COMPILE_COMMANDS ON)\n"
        f"add_subdirectory({ROOT} hosted EXCLUDE_FROM_ALL)\n"
        f"add_executable(update {EXAMPLE})\n"
        "target_link_libraries(update HostedOta::hosted_ota)\n"
    )
    output = tmp_path / "built"
    subprocess.run(["cmake", "-G", "Ninja", "-S", tmp_path, "-B", output], check=True)
    commands = json.loads((output / "compile_commands.json").read_text())
    example = next(item for item in commands if item["file"] == str(EXAMPLE))
    subprocess.run(example["command"], shell=True, cwd=output, check=True)


def test_absolute_folders(tmp_path: Path) -> None:
    """As some distributions give them."""
    options = ["-DHOSTED_SIM=OFF", "-DHOSTED_TESTS=ON", "-DCMAKE_INSTALL_LIBDIR=/else/lib"]
    subprocess.run(["cmake", "-S", ROOT, "-B", tmp_path, *options], check=True)
    file = tmp_path / "host/host_common/hosted-ota.pc"
    flags = subprocess.run(
        ["pkg-config", "--libs", file], capture_output=True, text=True, check=True
    )
    assert flags.stdout.split() == ["-L/else/lib", "-lhosted-ota"]


def test_example_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 60
