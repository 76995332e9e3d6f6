#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C source of the native module: the C library as Python sees it, by cffi in API mode.

The declarations are those of the library's own headers, and the C compiler checks them against
these headers again. Run by CMakeLists.txt: emit_native.py OUTPUT HEADER...
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cffi

# What cffi cannot read in the headers or no public header has: a value that is an expression,
# what the tools have of signals and suspend; and the calls from C into Python.
EXTRA = """
#define HOSTED_SIZE_UNKNOWN ...
int cli_catch_signals(struct hosted_cancel **ret, struct hosted_fault *fault);
int cli_inhibit(const char *who, const struct hosted_cancel *cancel);
void free(void *pointer);
extern "Python" int on_progress(void *ctx, enum hosted_stage stage,
    const struct hosted_image *image, uint64_t done, uint64_t total);
extern "Python" void on_log(void *ctx, const char *line);
extern "Python" void on_event(void *ctx, const struct hosted_event *event);
extern "Python" void on_objection(void *ctx, const struct hosted_fault *fault);
extern "Python" int on_reconnect(void *ctx, const char *path, struct hosted_fault *fault);
"""


def declarations(headers: list[Path]) -> str:
    """The headers as cffi reads C: without comments and most of the preprocessor."""
    text = ""
    for path in headers:
        header = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        header = re.sub(r"#ifdef __cplusplus.*?#endif", "", header, flags=re.DOTALL)
        for line in header.splitlines():
            if not line.startswith("#") or re.match(r"#define \w+\s+\d+\s*$", line):
                text += line.rstrip() + "\n"
    return text


def emit(target: Path, headers: list[Path]) -> None:
    """Writes the C source of the module."""
    ffi = cffi.FFI()
    ffi.cdef(declarations(headers) + EXTRA)
    includes = "".join(f'#include "hosted/{path.name}"\n' for path in headers)
    ffi.set_source(
        "esp_hosted_ota._native",
        includes + '#include "cli.h"\n#include "inhibit.h"\n#include <stdlib.h>\n',
    )
    ffi.emit_c_code(str(target))


if __name__ == "__main__":
    emit(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
