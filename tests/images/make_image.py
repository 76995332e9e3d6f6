# SPDX-License-Identifier: Apache-2.0
"""Makes real ESP32 and ESP32-C3 applications, of any name, version and size, from source.

Needs Debian's gcc-xtensa-lx106 or gcc-riscv64-unknown-elf, and esptool. The same arguments give the
same bytes.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

COMPILERS = {
    "esp32": ["xtensa-lx106-elf-gcc", "-mlongcalls", "-mtext-section-literals"],
    "esp32c3": ["riscv64-unknown-elf-gcc", "-march=rv32imc_zicsr", "-mabi=ilp32"],
}
FLAGS = ["-Os", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib"]

CHECKSUM_LINE = 16  # the checksum ends a line of so many bytes
MARKER = b"esp-hosted-ota-ext-1"  # what firmware with this project's extension contains


def compile_program(chip: str, project: str, version: str, fill: bytes, folder: Path) -> Path:
    """Compiles and links the program with `fill` behind its descriptor; returns the ELF file."""
    elf = folder / "program.elf"
    fill_file = folder / "fill.bin"
    fill_file.write_bytes(fill)
    command = [
        *COMPILERS[chip],
        *FLAGS,
        f"-DCHIP_{chip.upper()}",
        f'-DPROJECT="{project}"',
        f'-DVERSION="{version}"',
        f"-DFILL_BYTES={len(fill)}",
        f'-DFILL_FILE="{fill_file}"',
        "-Wl,--build-id=none",
        f"-Wl,-T,{HERE / (chip + '.ld')}",
        "-o",
        str(elf),
        str(HERE / f"start_{chip}.S"),
        str(HERE / "program.c"),
    ]
    subprocess.run(command, check=True)
    return elf


def convert(chip: str, elf: Path, image: Path) -> None:
    """Has esptool make the image; `image` is written."""
    command = [
        sys.executable,
        "-m",
        "esptool",
        "--chip",
        chip,
        "elf2image",
        "--elf-sha256-offset",
        "0xb0",
        "--flash-mode",
        "dio",
        "--flash-size",
        "4MB",
        "-o",
        str(image),
        str(elf),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"elf2image: {done.stdout}{done.stderr}")


def make_image(
    path: Path,
    *,
    chip: str = "esp32",
    project: str = "network_adapter",
    version: str = "1.0.0",
    size: int | None = None,
    marker: bool = False,
) -> bytes:
    """Makes an image of `size` bytes, or the smallest, and returns it.

    `size` must be a multiple of 16 that the program fits into, else ValueError. `marker` puts the
    words into it by which hosts know firmware that has this project's extension.
    """
    if size is not None and size % CHECKSUM_LINE != 0:
        raise ValueError(f"an image of {size} bytes cannot be: not a multiple of {CHECKSUM_LINE}")
    head = MARKER if marker else b""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        convert(chip, compile_program(chip, project, version, head, folder), path)
        if size is not None:
            # Each line of fill is a line of image, whatever the padding before the checksum is.
            missing = size - path.stat().st_size
            if missing < 0:
                raise ValueError(f"the smallest image of this name has {size - missing} bytes")
            fill = head + random.Random(f"{project} {version}").randbytes(missing)
            convert(chip, compile_program(chip, project, version, fill, folder), path)
    image = path.read_bytes()
    if size is not None and len(image) != size:
        raise RuntimeError(f"asked for {size} bytes, got {len(image)}")
    return image


def main() -> int:
    """Command line of script/make-image."""
    parser = argparse.ArgumentParser(prog="make-image", description=__doc__.splitlines()[0])
    parser.add_argument("--chip", choices=sorted(COMPILERS), default="esp32")
    parser.add_argument("--project", default="network_adapter")
    parser.add_argument("--version", default="1.0.0")
    parser.add_argument("--size", type=int, help="bytes, a multiple of 16 (default: the smallest)")
    parser.add_argument("--marker", action="store_true", help="as firmware with the extension")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    args = parser.parse_args()
    try:
        make_image(
            args.output,
            chip=args.chip,
            project=args.project,
            version=args.version,
            size=args.size,
            marker=args.marker,
        )
    except (ValueError, RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(f"make-image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
