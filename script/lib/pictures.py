# SPDX-License-Identifier: Apache-2.0
"""The part of script/pictures that runs in namespaces: runs tools in a terminal and draws it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS = 96
LINES = 40
PATIENCE_S = 60.0
PROMPT = "$"

# Readable on white and on black pages alike: the picture brings its own dark ground.
THEME = TerminalTheme(
    (24, 26, 31),
    (214, 218, 224),
    [
        (65, 68, 78),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (214, 218, 224),
    ],
)

# The fonts of whoever looks at it: nothing is loaded from anywhere.
SVG = """\
<svg viewBox="0 0 {width} {height}" width="{width}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>{unique_id}</title>
<style>
.{unique_id}-matrix {{
font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
font-size: {char_height}px;
}}
{styles}
</style>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

# What differs from run to run and says nothing: two pictures are alike if only this differs.
PASSING = [
    (r'(x|textLength)="[^"]*"', ""),
    (r"&#160;", " "),
    (r"[\d.]+ KiB/s", "RATE"),
    (r"[\d.,]+ of [\d.,]+ KiB", "AMOUNT"),
    (r"\[[^\]<>]*\]", "BAR"),
    (r"[\d:.]+ (s|min|ms)\b", "TIME"),
    (r"\d+ ?%", "PERCENT"),
    (r" +", " "),
]


def wait_for(what: str, probe: Callable[[], bool]) -> None:
    """Returns once `probe` says yes."""
    end = time.monotonic() + PATIENCE_S
    while not probe():
        if time.monotonic() > end:
            sys.exit(f"script/pictures: waited {PATIENCE_S:g} s for {what}")
        time.sleep(0.02)


class Terminal:
    """A shell in a terminal of a fixed size."""

    def __init__(self, folder: Path, path: Path) -> None:
        self._socket = folder / "tmux"
        shell = [
            "env",
            "-i",
            "TERM=screen-256color",
            "LC_ALL=C.UTF-8",
            f"PATH={path}:/usr/bin:/bin",
            f"PS1=\\[\\e[1;32m\\]{PROMPT} \\[\\e[0m\\]",
            "bash",
            "--norc",
            "--noprofile",
        ]
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), *shell)
        wait_for("the shell", self.is_idle)

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-S", str(self._socket), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def screen(self, colours: bool = False) -> list[str]:
        """The lines that are on the screen, without the empty ones below."""
        text = self._tmux("capture-pane", "-p", *(["-e"] if colours else []))
        return text.rstrip().splitlines()

    def is_idle(self) -> bool:
        """Whether the shell waits for a command."""
        return self.screen()[-1:] == [PROMPT]

    def clear(self) -> None:
        """Empties the screen."""
        self.start("clear")
        wait_for("an empty screen", lambda: self.screen() == [PROMPT])

    def start(self, line: str) -> None:
        """Types a command."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def run(self, line: str) -> None:
        """Types a command and waits for its end."""
        prompts = self._prompts()
        self.start(line)
        wait_for(line, lambda: self.is_idle() and self._prompts() > prompts)

    def _prompts(self) -> int:
        return sum(line.startswith(PROMPT) for line in self.screen())

    def close(self) -> None:
        """Ends the shell."""
        self._tmux("kill-server")


class World:
    """A virtual ESP32, its driver, and a terminal of the host."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._folder = folder
        self._programs = programs
        self._processes: list[subprocess.Popen[bytes]] = []
        self._give_host_a_device_folder()
        table = Path(__file__).resolve().parents[2] / "esp/network_adapter/partitions.esp32.csv"
        self._start(
            "esp32-sim", "--flash=flash.bin", "--bus=bus", f"--partition-table={table}",
            "--events=events",
        )  # fmt: skip
        wait_for("the ESP32 to boot", lambda: self._boots() == 1)
        self._start("esp-hostedd", "--bus=sim:bus", "--control=/dev/esps0")
        wait_for("the control device", Path("/dev/esps0").exists)
        self.terminal = Terminal(folder, programs)

    def _boots(self) -> int:
        events = self._folder / "events"
        return events.read_text().count('"boot"') if events.exists() else 0

    def _give_host_a_device_folder(self) -> None:
        real = self._folder / "dev"
        real.mkdir()
        subprocess.run(["mount", "--rbind", "/dev", str(real)], check=True)
        for folder in ("/dev", "/run"):
            subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
        for node in real.iterdir():
            Path("/dev", node.name).symlink_to(node)

    def _start(self, program: str, *arguments: str) -> None:
        with (self._folder / f"{program}.log").open("wb") as log:
            command = [str(self._programs / program), *arguments]
            self._processes.append(
                subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
            )

    def close(self) -> None:
        """Ends all that was started."""
        self.terminal.close()
        for process in reversed(self._processes):
            process.terminate()
            process.wait()


def draw(lines: list[str], name: str) -> str:
    """The lines of a terminal as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for line in lines:
        console.print(Text.from_ansi(line), overflow="ignore", no_wrap=True, crop=False)
    svg = console.export_svg(title="", theme=THEME, code_format=SVG, unique_id=name)
    svg = re.sub(r' clip-path="[^"]*"', "", svg)  # no line is longer than the terminal
    svg = re.sub(r"<text [^>]*>\n</text>", "\n", svg)  # ends of lines
    svg = re.sub(  # some programs leave out the spaces that a text begins with
        r'(<text [^>]*?) x="([\d.]+)"([^>]*) textLength="([\d.]+)">(?P<text>((?:&#160;)+)[^<]+)<',
        indent,
        svg,
    )
    return re.sub(r"[ \n]*\n *", "\n", svg)


def indent(found: re.Match[str]) -> str:
    """A text without the spaces that it begins with, further to the right."""
    head, x, between, length, _, spaces = found.groups()
    width = float(length) / len(re.findall(r"&#?\w+;|.", found["text"]))
    skipped = width * spaces.count("&#160;")
    x, length = f"{float(x) + skipped:g}", f"{float(length) - skipped:g}"
    rest = found["text"].removeprefix(spaces)
    return f'{head} x="{x}"{between} textLength="{length}">{rest}<'


def gist(svg: str) -> str:
    """What two pictures must have in common to be alike."""
    for pattern, word in PASSING:
        svg = re.sub(pattern, word, svg)
    return svg


class Album:
    """The folder of pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, name: str, terminal: Terminal) -> None:
        """Draws what is on the screen, without the prompt that waits below it."""
        lines = terminal.screen(colours=True)
        if terminal.is_idle():
            lines = lines[:-1]
        svg = draw(lines, name)
        path = self._folder / f"{name}.svg"
        if path.exists() and gist(path.read_text()) == gist(svg):
            print(f"{path}: unchanged")
            return
        path.write_text(svg)
        print(f"{path}: new")


def percent(terminal: Terminal) -> int:
    """How far the update on the screen is."""
    found = re.search(r"(\d+) ?%", terminal.screen()[-1])
    return int(found.group(1)) if found else 0


def shoot(terminal: Terminal, album: Album) -> None:
    """All pictures, in the order in which the ESP32 can be had for them."""
    terminal.clear()
    terminal.run("esp-ota update damaged.bin")
    terminal.run("echo $?")
    album.take("refused", terminal)

    terminal.clear()
    terminal.run("esp-ota update --dry-run network_adapter.bin")
    album.take("dry-run", terminal)

    terminal.clear()
    terminal.start("esp-ota update network_adapter.bin")
    wait_for("the middle of the update", lambda: percent(terminal) >= 40)
    album.take("update-running", terminal)
    wait_for("the end of the update", terminal.is_idle)
    album.take("update", terminal)

    terminal.clear()
    terminal.run("esp-ota info")
    album.take("info", terminal)


def main() -> None:
    """Arguments: the folder of the programs, an image, the folder of the pictures."""
    programs, image, target = (Path(word).absolute() for word in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        data = image.read_bytes()
        Path(folder, image.name).write_bytes(data)
        Path(folder, "damaged.bin").write_bytes(data[:500_000] + b"!" + data[500_001:])
        world = World(programs, Path(folder))
        try:
            shoot(world.terminal, Album(target))
        finally:
            world.close()
            subprocess.run(["umount", "--recursive", "--lazy", f"{folder}/dev"], check=True)


main()
