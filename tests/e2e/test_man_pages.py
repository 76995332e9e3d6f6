# SPDX-License-Identifier: Apache-2.0
"""The manual pages: well-formed, and with the sections that a user looks for."""

import re
import subprocess
from pathlib import Path

import pytest
from support.rig import Rig
from support.tools import ROOT

PAGES = sorted((ROOT / "packaging/man").iterdir())


@pytest.fixture(params=PAGES, ids=lambda path: path.name)
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_well_formed(page: Path) -> None:
    """To both programs that may show it."""
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True
    )
    assert lint.stdout == ""
    groff = subprocess.run(
        ["man", "--warnings", "--encoding=UTF-8", "--local-file", "--ditroff", page],
        capture_output=True,
        text=True,
    )
    assert (groff.returncode, groff.stderr) == (0, "")


def test_sections(page: Path) -> None:
    text = page.read_text()
    sections = re.findall(r"^\.Sh (.*)", text, re.MULTILINE)
    assert sections[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert sections.index("EXIT STATUS") < sections.index("EXAMPLES")
    name, section = page.name.rsplit(".", 1)
    assert f".Dt {name.upper()} {section}\n" in text
    for reference, number in re.findall(r"^\.Xr (\S+) (\d)", text, re.MULTILINE):
        if (reference, number) != ("pty", "7"):
            assert (page.parent / f"{reference}.{number}").exists()


TOOLS = {"ota-update": "ota_update.py", "station-connect": "station_connect.py"}


def test_options(rig: Rig, page: Path) -> None:
    """Those of --help, and no others."""
    text = rig.tools.run(TOOLS.get(page.stem, page.stem), "--help").stdout
    known = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", text, re.MULTILINE))
    told = set()
    for item in re.findall(r"^\.It (Fl .*)", page.read_text(), re.MULTILINE):
        told |= set(re.findall(r"\bFl -([\w-]+)", item))
    assert known
    assert sorted(told - known) == [], "not an option of the tool"
    assert sorted(known - told) == [], "not in the page"


def test_commands(rig: Rig) -> None:
    text = rig.tools.run("esp-ota", "--help").stdout
    section = text.split("Commands:\n")[1].split("\n\n")[0]
    known = set(re.findall(r"^  ([a-z]+(?: [a-z]+)*)", section, re.MULTILINE))
    page = (ROOT / "packaging/man/esp-ota.1").read_text()
    assert set(re.findall(r"^\.It Cm ([a-z]+(?: [a-z]+)*)", page, re.MULTILINE)) == known
