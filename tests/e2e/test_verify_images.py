# SPDX-License-Identifier: Apache-2.0
"""`esp-ota verify` against a judge that was written from ESP-IDF's rules alone, and against esptool
where that checks the same, over images of every chip."""

import contextlib
import io
import re
import struct
import subprocess
from pathlib import Path

import pytest
from esptool import FatalError
from esptool.cmds import image_info
from support.image_cases import Case, cases
from support.image_rules import CHIPS, Chip, Verdict, judge
from support.process import check_sanitizers
from support.tools import DONE, IMAGE, Build
from support.waiting import HANG_S

# What `esp-ota verify` says for each reason of the judge.
WORDS = {
    "empty": "it is empty",
    "magic": "does not begin with 0xE9",
    "chip": "a chip that does not exist",
    "no segment": "number of segments is not 1 to 16",
    "too many segments": "number of segments is not 1 to 16",
    "digest flag": "digest flag is neither 0 nor 1",
    "length": "the length of a segment is impossible",
    "address": "a segment cannot be mapped",
    "descriptor": "no application descriptor",
    "truncated": "it is cut off",
    "checksum": "its checksum is wrong",
    "digest": "its SHA-256 digest is wrong",
}

# esptool knows nothing of these: it takes the chip that its caller says, also no segment at all,
# any length that the file has, any address, and the descriptor for decoration. What it calls
# invalid nobody else may call valid, but not the other way round.
ESPTOOL_IS_LAXER = {"chip", "no segment", "length", "address", "descriptor"}

LEAST_IMAGES = 500


def verify(build: Build, path: Path) -> tuple[int, str]:
    """Exit status, and what was said."""
    done = subprocess.run(
        [build.binary("esp-ota"), "verify", path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    check_sanitizers(done.stderr)
    return done.returncode, done.stdout + done.stderr


def disagreement(verdict: Verdict, chip_names: set[str], status: int, said: str) -> str:
    """In words, which are none where esp-ota says what the judge says."""
    if len(said.splitlines()) != 1:
        return "not one line"
    if verdict.valid:
        size = f"{verdict.image_bytes:,} bytes"
        named = any(f": valid: {name}, " in said for name in chip_names)
        return "" if status == DONE and named and size in said else f"should be valid, {size}"
    if status != IMAGE:
        return f"should be invalid: {set(verdict.reasons)}"
    if not any(WORDS[reason] in said for reason in verdict.reasons):
        return f"another reason: {set(verdict.reasons)}"
    return ""


def esptool_accepts(chip: Chip, image: bytes) -> bool:
    """`esptool image-info` says "(valid)" of the checksum and of the digest, if there is one. A
    file that ends too early it meets with some error of Python."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            image_info(image, chip=chip.token)
    except (FatalError, RuntimeError, struct.error, TypeError, IndexError):
        return False
    verdicts = re.findall(
        r"^(Checksum|Validation hash): .*\((valid|invalid)", said.getvalue(), re.M
    )
    assert verdicts, said.getvalue()
    return all(verdict == "valid" for _, verdict in verdicts)


def esptool_disagrees(chip: Chip, case: Case, verdict: Verdict) -> bool:
    accepts = esptool_accepts(chip, case.image)
    if verdict.valid:
        return not accepts
    return accepts and not verdict.reasons & ESPTOOL_IS_LAXER


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.token)
def test_verify_says_what_the_judge_says(build: Build, tmp_path: Path, chip: Chip) -> None:
    path = tmp_path / "image.bin"
    names = {other.name for other in CHIPS}
    wrong = []
    for case in cases(chip):
        path.write_bytes(case.image)
        status, said = verify(build, path)
        verdict = judge(case.image)
        problem = disagreement(verdict, names, status, said)
        if problem:
            wrong.append(f"{case.name}: {problem}: {status} {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: chip.token)
def test_esptool_says_what_the_judge_says(chip: Chip) -> None:
    wrong = [
        f"{case.name}: the judge says {set(judge(case.image).reasons) or 'valid'}"
        for case in cases(chip)
        if esptool_disagrees(chip, case, judge(case.image))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_images_are_many_and_of_every_kind() -> None:
    """Each reason on every chip that can have it, and valid images beside them."""
    count = 0
    seen = set()
    for chip in CHIPS:
        verdicts = [judge(case.image) for case in cases(chip)]
        count += len(verdicts)
        reasons = {reason for verdict in verdicts for reason in verdict.reasons}
        seen |= reasons
        assert sum(verdict.valid for verdict in verdicts) >= 30, chip.name
        assert reasons >= set(WORDS) - {"empty", "chip"}, chip.name
    assert seen == set(WORDS)
    assert count >= LEAST_IMAGES, count
    print(f"{count} images")
