# SPDX-License-Identifier: Apache-2.0
"""What the pages name is there: files and headings, commands and options."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from support.tools import Build, Toolbox

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "esp").rglob("README.md"),
        *(ROOT / "packaging").rglob("*.md"),
    ]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

# Options of programs that are not this project's.
FOREIGN = {
    "--preset": "cmake, pytest",
    "--build": "cmake",
    "--install": "cmake",
    "--drive": "gpioset",
    "--mode": "gpioset",
    "--usec": "gpioset",
    "--toggle": "gpioset",
    "--follow": "dmesg",
    "--head": "curl",
    "--scheme": "espsecure",
    "--keyfile": "espsecure",
    "--output": "espsecure",
    "--system": "groupadd",
    "--create": "systemd-tmpfiles",
    "--reload": "udevadm",
    "--name-match": "udevadm",
    "--append": "usermod",
    "--groups": "usermod",
    "--fix": "script/lint",
    "--merge": "script/fuzz",
}

TOOLS = ["esp-ota", "esp-hostedd", "esp32-sim", "test.out", "ota_update.py", "station_connect.py"]
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
LINK = re.compile(r"\]\(([^()\s]+)\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def _slugs(page: Path) -> set[str]:
    """The anchors that code hosts give to the headings of a page."""
    slugs: set[str] = set()
    for line in FENCE.sub("", page.read_text()).splitlines():
        if line.startswith("#"):
            title = re.sub(r"\]\([^)]*\)|[\[`*]", "", line.lstrip("# "))
            slugs.add(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"))
    return slugs


def _links(page: Path) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))
    for found in LINK.finditer(text):
        target = found.group(1) or found.group(2)
        if not re.match(r"[a-z]+:", target):
            yield target


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for target in _links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists():
            broken.append(target)
        elif anchor and file.suffix == ".md" and anchor not in _slugs(file):
            broken.append(f"{target}: no such heading")
    assert not broken, f"{name}: {broken}"


def test_a_page_with_links_was_read() -> None:
    assert len(list(_links(ROOT / "README.md"))) > 3


@pytest.fixture(scope="module")
def helps(build: Build, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each tool says with --help."""
    tools = Toolbox(build, tmp_path_factory.mktemp("helps"))
    return {tool: tools.run(tool, "--help").stdout for tool in TOOLS}


@cache
def _usages() -> str:
    """What the project's own scripts say of themselves."""
    maker = [sys.executable, ROOT / "tests" / "images" / "make_image.py", "--help"]
    said = [subprocess.run(maker, capture_output=True, text=True, check=True).stdout]
    for script in (ROOT / "script").iterdir():
        if script.is_file():
            said += re.findall(r"Usage: [^']*", script.read_text())
    return "\n".join(said)


@pytest.mark.parametrize("name", NAMES)
def test_options_are_known(name: str, helps: dict[str, str]) -> None:
    known = set(OPTION.findall("\n".join([*helps.values(), _usages()]))) | set(FOREIGN)
    unknown = sorted(set(OPTION.findall((ROOT / name).read_text())) - known)
    assert not unknown, f"{name}: no tool's --help has {unknown}"


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_known(name: str, helps: dict[str, str]) -> None:
    commands = set(re.findall(r"^  (?:wifi )?([a-z]+)\b", helps["esp-ota"], re.MULTILINE))
    text = (ROOT / name).read_text()
    code = "\n".join([*FENCE.findall(text), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))])
    used = set(re.findall(r"(?<![\w/-])esp-ota (?:wifi )?([a-z]+)\b", code))
    assert used <= commands | {"wifi"}, f"{name}: esp-ota has no {sorted(used - commands)}"
