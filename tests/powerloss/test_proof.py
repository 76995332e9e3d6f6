# SPDX-License-Identifier: Apache-2.0
"""A sample of the proof, which as a whole is tests/powerloss/run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import proof
import pytest
from support.tools import Build

RUN = Path(__file__).with_name("run")


def test_sample(build: Build) -> None:
    """The summary is printed; a failure comes with the line that reproduces it."""
    if build.preset == "release":
        pytest.skip("script/test runs and prints it by itself")
    args = [sys.executable, RUN, "--sample", "--preset", build.preset]
    done = subprocess.run(args, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failure_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the name that reproduces it; the other cases still run, and count."""

    def fail(folder: Path) -> None:
        raise AssertionError("nothing boots")

    cases = [proof.Case("good", lambda folder: 41), proof.Case("bad", fail)]
    part = proof.Part("demo", "shows a failure", lambda setup: cases, 10, 2)
    setup = proof.Setup(sample=False, seed=7, preset="release")
    outcome = proof.run_part(part, setup, [])
    assert (outcome.cases, [name for name, _ in outcome.failures]) == (42, ["bad"])
    proof.report(outcome, setup)
    told = capsys.readouterr().out
    assert "42 cases" in told
    assert "AssertionError: nothing boots" in told
    assert "--seed 7 --part demo --case 'bad'" in told


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    cases = [proof.Case(str(i), lambda folder: None) for i in range(100)]
    part = proof.Part("demo", "", lambda setup: cases, 10, 1)
    first, again, other = (
        [case.name for case in proof.choose(cases, part, proof.Setup(True, seed, "release"), [])]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert len(first) == 10
