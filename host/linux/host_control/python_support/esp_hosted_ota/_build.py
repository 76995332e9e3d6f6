# SPDX-License-Identifier: Apache-2.0
"""Builds the native module: the C library as Python sees it, by cffi in API mode.

The declarations are those of the library's own headers, and the C compiler checks them against
these headers again. Run by the Makefile beside the package, and by setup.py.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import cffi

ROOT = Path(__file__).resolve().parents[5]
INCLUDE = ROOT / "host" / "include"
CLI = ROOT / "host" / "linux" / "cli"
COMMON = ROOT / "common"
HEADERS = ("fault", "device", "source", "update", "session", "netif")
NAME = "_native.abi3.so"  # the stable ABI: one file for every CPython 3

# What no header declares: calls from C into Python, and the command-line tools' signal handling.
EXTRA = """
const char *fw_chip_name(uint16_t chip_id);
int fw_chip_by_name(const char *name);
int cli_catch_signals(struct hosted_cancel **ret, struct hosted_fault *fault);
void free(void *pointer);
extern "Python" int on_progress(void *ctx, enum hosted_stage stage,
    const struct hosted_image *image, uint64_t done, uint64_t total);
extern "Python" void on_log(void *ctx, const char *line);
"""


def declarations() -> str:
    """The headers as cffi reads C: without comments and most of the preprocessor."""
    text = ""
    for name in HEADERS:
        header = (INCLUDE / "hosted" / f"{name}.h").read_text()
        header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
        for line in header.splitlines():
            if not line.startswith("#") or re.match(r"#define \w+\s+\d+\s*$", line):
                text += line.rstrip() + "\n"
    return text


def emit(path: Path) -> None:
    """Writes the C source of the module."""
    ffi = cffi.FFI()
    ffi.cdef(declarations() + EXTRA)
    includes = "".join(f'#include "hosted/{name}.h"\n' for name in HEADERS)
    ffi.set_source(
        "esp_hosted_ota._native",
        includes + '#include "cli.h"\n#include "fw_image.h"\n#include <stdlib.h>\n',
    )
    ffi.emit_c_code(str(path))


def build_library(folder: Path) -> None:
    """Builds the C library, without simulator and tests, in `folder`."""
    options = ["-DHOSTED_SIM=OFF", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, *options], check=True, stdout=sys.stderr)
    targets = ["--target", "hosted_ota", "hosted_cli"]
    subprocess.run(["cmake", "--build", folder, *targets], check=True, stdout=sys.stderr)


def libraries(folder: Path) -> list[str]:
    """What the module is linked with, in the linker's order."""
    ours = ["libhosted_cli.a", "libhosted_ota.a", "libhosted_common.a", "libhosted_proto.a"]
    flags = ["pkg-config", "--libs", "libprotobuf-c", "libcrypto"]
    others = subprocess.run(flags, check=True, capture_output=True, text=True).stdout
    return [str(next(folder.rglob(name))) for name in ours] + shlex.split(others) + ["-ldl"]


def build(target: Path, folder: Path = ROOT / "build" / "python") -> None:
    """Builds the module as `target` (a file of the name NAME)."""
    build_library(folder)
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "_native.c"
        emit(source)
        command = [
            *compiler,
            *("-shared", "-fPIC", "-O2", "-o", str(target)),
            *(f"-I{path}" for path in (sysconfig.get_path("include"), INCLUDE, CLI, COMMON)),
            str(source),
            *libraries(folder),
        ]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    build(Path(__file__).resolve().parent / NAME)
