# SPDX-License-Identifier: Apache-2.0
"""Builds the native module: the C library as Python sees it, by cffi in API mode.

The declarations are those of the library's own headers, and the C compiler checks them against
these headers again. Run by the Makefile beside the package, and by setup.py.
"""

from __future__ import annotations

import os
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
HEADERS = ("fault", "device", "source", "update", "session", "netif")
NAME = "_native.abi3.so"  # the stable ABI: one file for every CPython 3

# What cffi cannot read in the headers or no public header has: a value that is an expression, the
# names of chips, what the tools have of signals and suspend; and the calls from C into Python.
EXTRA = """
#define HOSTED_SIZE_UNKNOWN ...
const char *fw_chip_name(uint16_t chip_id);
int fw_chip_by_name(const char *name);
int cli_catch_signals(struct hosted_cancel **ret, struct hosted_fault *fault);
int cli_inhibit(const char *who, const struct hosted_cancel *cancel);
void free(void *pointer);
extern "Python" int on_progress(void *ctx, enum hosted_stage stage,
    const struct hosted_image *image, uint64_t done, uint64_t total);
extern "Python" void on_log(void *ctx, const char *line);
extern "Python" void on_event(void *ctx, const struct hosted_event *event);
extern "Python" int on_reconnect(void *ctx, const char *path, struct hosted_fault *fault);
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
        includes
        + '#include "cli.h"\n#include "fw_image.h"\n#include "inhibit.h"\n#include <stdlib.h>\n',
    )
    ffi.emit_c_code(str(path))


def configure(folder: Path) -> None:
    """Makes `folder` a build of the C library, without simulator and tests."""
    options = ["-DHOSTED_SIM=OFF", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
    command = ["cmake", "-S", str(ROOT), "-B", str(folder), *options]
    subprocess.run(command, check=True, stdout=sys.stderr)


def libraries(folder: Path) -> list[str]:
    """Builds the C library in `folder`: what the module is linked with, in the linker's order."""
    command = ["cmake", "--build", str(folder), "--target", "hosted_ota", "hosted_cli"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    ours = ["libhosted_cli.a", "libhosted_ota.a", "libhosted_common.a", "libhosted_proto.a"]
    flags = ["pkg-config", "--libs", "libprotobuf-c", "libcrypto"]
    others = subprocess.run(flags, check=True, capture_output=True, text=True).stdout
    # The library's functions are the module's own: whatever else a process has loaded.
    hidden = "-Wl,--exclude-libs,ALL"
    return [hidden, *(str(next(folder.rglob(name))) for name in ours), *shlex.split(others), "-ldl"]


def compiler() -> list[str]:
    """The C compiler and its flags."""
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return [*shlex.split(command), "-O2", *shlex.split(os.environ.get("CFLAGS", ""))]


def build(target: Path, folder: Path | None = None) -> None:
    """Builds the module as `target`, with the library as it is built in `folder`, if it is."""
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").exists():
        raise SystemExit(f"{sys.executable} has no headers: {headers}/Python.h is missing")
    if not INCLUDE.exists():
        raise SystemExit(f"the C library is not here: {INCLUDE} is missing")
    if folder is None:
        folder = ROOT / "build" / "python"
        configure(folder)
    includes = (headers, INCLUDE, ROOT / "host" / "linux" / "cli", ROOT / "common")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as name:
        source = Path(name) / "_native.c"
        module = Path(name) / NAME
        emit(source)
        subprocess.run(
            [
                *compiler(),
                *("-shared", "-fPIC", "-o", str(module)),
                *(f"-I{path}" for path in includes),
                str(source),
                *libraries(folder),
                *shlex.split(os.environ.get("LDFLAGS", "")),
            ],
            check=True,
        )
        module.replace(target)  # at once: somebody may be using the old one


if __name__ == "__main__":
    build(Path(__file__).resolve().parent / NAME, *(Path(arg) for arg in sys.argv[1:2]))
