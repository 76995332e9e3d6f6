# SPDX-License-Identifier: Apache-2.0
"""The manual pages: well-formed, and with the sections that a user looks for."""

import re
import subprocess
from pathlib import Path

import pytest
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
