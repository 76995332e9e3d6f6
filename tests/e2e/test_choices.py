# SPDX-License-Identifier: Apache-2.0
"""What a user may demand of an image before it is installed, and a run that changes nothing."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.classic import Kind
from support.process import Result
from support.rig import Rig
from support.shelf import make_image
from support.tools import BUSY, DONE, IMAGE, LOCAL, NO_ANSWER, NOTHING, USAGE

SIZE = 8192  # with a signature block it ends on a sector


def install(rig: Rig, *options: str | Path, version: str, tool: str = "esp-ota") -> Result:
    return rig.update(tool, make_image(version), *map(str, options))


DOWNGRADE = "; --allow-downgrade installs it all the same"


def kinds(rig: Rig) -> list[Kind]:
    return list(rig.proxy.kinds())


def check_untouched(rig: Rig, result: Result, status: int, words: str) -> None:
    assert result.status == status, result
    assert words in result.stderr, result
    assert "nothing was erased" in result.stderr, result
    assert Kind.OTA_BEGIN not in kinds(rig)


# Versions: the simulator's own image is 0.1.0.


@pytest.mark.parametrize(
    ("version", "options", "status", "words"),
    [
        ("0.1.0", (), NOTHING, "the ESP32 runs 0.1.0 already"),
        ("0.0.9", (), IMAGE, "0.0.9 is older than 0.1.0"),
        ("0.1.0", ("--if-newer",), NOTHING, "the ESP32 runs 0.1.0 already"),
        ("0.0.9", ("--if-newer",), NOTHING, "0.0.9 is not newer than 0.1.0"),
        ("nightly", ("--if-newer",), IMAGE, "cannot be told"),
        ("0.1.0", ("--allow-downgrade",), NOTHING, "the ESP32 runs 0.1.0 already"),
    ],
)
def test_versions_that_are_not_installed(
    rig: Rig, version: str, options: tuple[str, ...], status: int, words: str
) -> None:
    rig.power_on()
    assert rig.old == "0.1.0"
    check_untouched(rig, install(rig, *options, version=version), status, words)
    rig.check_boots("0.1.0")


def test_a_tool_names_its_own_option(rig: Rig) -> None:
    rig.power_on()
    assert install(rig, version="0.0.9").stderr.endswith("nothing was erased" + DOWNGRADE + "\n")
    message = json.loads(install(rig, "--json", version="0.0.9").stdout.splitlines()[-1])
    assert message["message"].endswith("nothing was erased" + DOWNGRADE)


@pytest.mark.parametrize(
    ("version", "options"),
    [
        ("0.1.1", ()),
        ("0.10.0", ("--if-newer",)),
        ("nightly", ()),
        ("0.0.9", ("--allow-downgrade",)),
        ("0.0.9", ("--force",)),
        ("0.1.0", ("--force",)),
    ],
)
def test_versions_that_are_installed(rig: Rig, version: str, options: tuple[str, ...]) -> None:
    rig.power_on()
    assert install(rig, *options, version=version).status == DONE
    rig.check_arrived(make_image(version))


@pytest.mark.parametrize("tool", ["test.out", "ota_update.py"])
def test_the_specifications_tools_have_no_policy(rig: Rig, tool: str) -> None:
    rig.power_on()
    assert install(rig, version="0.0.9", tool=tool).status == DONE
    rig.check_arrived(make_image("0.0.9"))


@pytest.mark.parametrize("tool", ["test.out", "ota_update.py"])
def test_the_specifications_tools_know_newer(rig: Rig, tool: str) -> None:
    rig.power_on()
    result = install(rig, "--if-newer", version="0.1.0", tool=tool)
    check_untouched(rig, result, NOTHING, "the ESP32 runs 0.1.0 already")


def test_stock_firmware_tells_no_version(rig: Rig) -> None:
    rig.power_on("--stock")
    check_untouched(rig, install(rig, "--if-newer", version="9.0.0"), IMAGE, "cannot be told")
    assert install(rig, version="0.0.9").status == DONE
    rig.check_arrived(make_image("0.0.9"))


@pytest.mark.parametrize(
    ("tool", "command", "option"),
    [
        ("esp-ota", "update", "--if-newer"),
        ("esp-ota", "update", "--allow-downgrade"),
        ("test.out", "ota", "--if-newer"),
    ],
)
def test_force_is_no_policy(rig: Rig, tool: str, command: str, option: str) -> None:
    result = rig.tools.run(tool, command, "x", "--force", option)
    assert result.status == USAGE
    assert f"{command}: --force takes every version: not with {option}; see" in result.stderr


# Digests


@pytest.mark.parametrize("tool", ["test.out", "esp-ota", "ota_update.py"])
def test_a_digest(rig: Rig, tool: str) -> None:
    rig.power_on()
    image = make_image("2.0.0")
    wrong = hashlib.sha256(b"another").hexdigest()
    server = rig.serve(image)
    file = rig.file("image.bin", image)
    if tool != "ota_update.py":
        result = rig.update(tool, file, "--sha256", wrong)
        check_untouched(rig, result, IMAGE, wrong)
    # Of a stream it is known at its end: no `end` is sent then.
    result = rig.update(tool, server.url("ok"), "--sha256", wrong)
    assert result.status == IMAGE, result
    assert Kind.OTA_END not in kinds(rig)
    right = hashlib.sha256(image).hexdigest().upper()
    assert rig.update(tool, server.url("ok"), "--sha256", right).status == DONE
    rig.check_arrived(image, used_before=True)


@pytest.mark.parametrize("digits", ["", "abc", "0" * 63, "0" * 65, "g" + "0" * 63])
def test_no_digest(rig: Rig, digits: str) -> None:
    result = rig.tools.run("esp-ota", "verify", "x", "--sha256", digits)
    assert result.status == USAGE, result


def test_digests_beside_a_file(rig: Rig) -> None:
    image, other = make_image("2.0.0"), make_image("2.0.1")
    file = rig.file("image.bin", image)
    rig.power_on()
    check_untouched(rig, rig.update("esp-ota", file, "--check-sums"), IMAGE, "SHA-256")
    rig.file("SHA256SUMS", f"{hashlib.sha256(other).hexdigest()}  image.bin\n".encode())
    check_untouched(rig, rig.update("esp-ota", file, "--check-sums"), IMAGE, "SHA-256")
    rig.file("image.bin.sha256", hashlib.sha256(image).hexdigest().encode())
    assert rig.update("esp-ota", file, "--check-sums").status == DONE
    rig.check_arrived(image)


def test_digests_beside_a_url(rig: Rig, nginx) -> None:
    image = make_image("2.0.0")
    rig.power_on()
    nginx.publish("summed.bin", image)
    url = nginx.url("plain", "summed.bin")
    result = rig.update("esp-ota", url, "--check-sums")
    check_untouched(rig, result, IMAGE, "SHA-256")
    nginx.publish(
        "summed.bin.sha256", f"{hashlib.sha256(image).hexdigest()} *summed.bin\n".encode()
    )
    assert rig.update("esp-ota", url, "--check-sums").status == DONE
    rig.check_arrived(image)


def test_one_digest_is_enough(rig: Rig) -> None:
    file = rig.file("image.bin", make_image("2.0.0"))
    result = rig.tools.run("esp-ota", "verify", file, "--check-sums", "--sha256", "0" * 64)
    assert result.status == USAGE, result


# Signatures


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        private, public = folder / f"{name}.key", folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", private],
            check=True,
            capture_output=True,
        )
        subprocess.run(
            ["openssl", "pkey", "-in", private, "-pubout", "-out", public],
            check=True,
            capture_output=True,
        )
    return {path.name: path for path in folder.iterdir()}


def sign(image: Path, key: Path) -> bytes:
    signed = image.with_suffix(".signed")
    subprocess.run(
        [
            *(sys.executable, "-m", "espsecure", "sign-data", "--version", "2"),
            *("--keyfile", key, "--output", signed, image),
        ],
        check=True,
        capture_output=True,
    )
    return signed.read_bytes()


def test_a_signature(rig: Rig, keys: dict[str, Path]) -> None:
    rig.power_on()
    plain = rig.file("plain.bin", make_image("2.0.0", size=SIZE))
    signed = rig.file("image.bin", sign(plain, keys["ours.key"]))
    ours, theirs = str(keys["ours.pem"]), str(keys["theirs.pem"])
    check_untouched(rig, rig.update("esp-ota", plain, "--public-key", ours), IMAGE, "not signed")
    result = rig.update("esp-ota", signed, "--public-key", theirs)
    check_untouched(rig, result, IMAGE, "theirs.pem")
    result = rig.tools.run("esp-ota", "verify", signed, "--public-key", ours)
    assert result.status == DONE
    assert "signature ok" in result.stdout
    # As a stream, the signature comes last.
    url = rig.serve(signed.read_bytes()).url("ok")
    assert rig.update("esp-ota", url, "--public-key", theirs).status == IMAGE
    assert Kind.OTA_END not in kinds(rig)
    assert rig.update("esp-ota", url, "--public-key", ours).status == DONE
    rig.check_arrived(signed.read_bytes(), used_before=True)


def test_a_key_that_is_none(rig: Rig) -> None:
    rig.power_on()
    file = rig.file("image.bin", make_image("2.0.0"))
    result = rig.update("esp-ota", file, "--public-key", str(file))
    assert result.status in (LOCAL, USAGE), result
    assert "nothing was erased" in result.stderr
    assert Kind.OTA_BEGIN not in kinds(rig)


# The whole of a URL first


def test_download_first_checks_all_of_it_before_begin(rig: Rig) -> None:
    rig.power_on()
    image = bytearray(make_image("2.0.0", size=40000))
    image[-1] ^= 1
    result = rig.update("esp-ota", rig.serve(bytes(image)).url("ok"), "--download-first")
    check_untouched(rig, result, IMAGE, "digest is wrong")
    good = make_image("2.0.0", size=40000)
    result = rig.update("esp-ota", rig.serve(good).url("ok"), "--download-first")
    assert result.status == DONE, result
    assert "digest ok" in result.stdout, "as of a file"
    rig.check_arrived(good)


def test_download_first_needs_a_folder(rig: Rig) -> None:
    rig.power_on()
    url = rig.serve(make_image("2.0.0")).url("ok")
    missing = {"TMPDIR": str(rig.folder / "missing")}
    result = rig.command("esp-ota", "update", url, "--download-first", env=missing)
    assert result.status == LOCAL, result
    assert "missing" in result.stderr
    assert Kind.OTA_BEGIN not in kinds(rig)


# As if


def test_a_dry_run_tells_what_would_be_done(rig: Rig) -> None:
    rig.power_on()
    before = rig.sim.flash.read()
    for image in (make_image("2.0.0"), rig.serve(make_image("2.0.0")).url("ok")):
        result = rig.command("esp-ota", "update", rig.where("esp-ota", image), "--dry-run")
        assert result.status == DONE, result
        for words in ("2.0.0", "running 0.1.0 from factory", "4,016 bytes", "nothing was changed"):
            assert words in result.stdout, result
    assert Kind.OTA_BEGIN not in kinds(rig)
    assert rig.sim.flash.read() == before


@pytest.mark.parametrize(("size", "words"), [(4000, "in 1 message\n"), (4001, "in 2 messages\n")])
def test_a_dry_run_counts_messages(rig: Rig, size: int, words: str) -> None:
    rig.power_on()
    file = rig.file("image.bin", make_image("2.0.0", size=1024).ljust(size, b"\xff"))
    assert words in rig.command("esp-ota", "update", file, "--dry-run").stdout


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_dry_run_that_nobody_can_read_is_not_done(rig: Rig, options: tuple[str, ...]) -> None:
    rig.power_on()
    file = rig.file("good.bin", make_image("2.0.0"))
    full = ("sh", "-c", 'exec "$@" >/dev/full', "sh")
    args = ("update", file, "--dry-run", "--device", rig.device, *options)
    result = rig.tools.run("esp-ota", *args, wrap=full)
    assert result.status == LOCAL, result
    assert "standard output cannot be written" in result.stderr


def test_a_dry_run_tells_every_reason(rig: Rig) -> None:
    rig.power_on()
    image = bytearray(make_image("0.0.9"))
    image[-1] ^= 1
    file = rig.file("bad.bin", bytes(image))
    options = ("--slot-size", "4K", "--chip", "esp32", "--sha256", "0" * 64)
    result = rig.command("esp-ota", "update", file, "--dry-run", *options)
    assert result.status == IMAGE, result
    reasons = [line for line in result.stdout.splitlines() if line.startswith("against ")]
    assert len(reasons) == 2, result
    assert "digest is wrong" in reasons[0]
    assert reasons[1].endswith("0.0.9 is older than 0.1.0, which the ESP32 runs" + DOWNGRADE)
    assert reasons[0].removeprefix("against ") in result.stderr
    assert Kind.OTA_BEGIN not in kinds(rig)


def test_silence_speaks_against_an_update(rig: Rig) -> None:
    """Also where the dialect is named: nobody knows who is there."""
    rig.power_on()
    assert rig.proxy is not None
    rig.proxy.on_request(Kind.GET_MODE, rig.proxy.mute)
    file = rig.file("good.bin", make_image("2.0.0"))
    options = ("--dry-run", "--dialect", "classic")
    result = rig.command("esp-ota", "update", file, *options, timeout=1)
    assert result.status == NO_ANSWER, result
    assert "nothing speaks against it" not in result.stdout
    assert result.stdout.count("against ") == 1, result


def test_a_path_that_is_no_text(rig: Rig) -> None:
    """One with bytes that are no UTF-8, and with a control character of two bytes."""
    path = os.fsdecode(b"/nonexistent/\xff\xc2\x9b31m")
    result = rig.tools.run("esp-ota", "verify", path, "--json")
    assert result.status == LOCAL, result
    assert "/nonexistent/???31m: No such file" in json.loads(result.stdout)["message"]


def test_a_dry_run_without_a_device(rig: Rig) -> None:
    file = rig.file("good.bin", make_image("2.0.0"))
    missing = str(rig.folder / "none")
    result = rig.tools.run("esp-ota", "update", file, "--dry-run", "--device", missing)
    assert result.status == NO_ANSWER
    assert result.stdout.count("against ") == 1, result
    assert "2.0.0" in result.stdout


def test_a_dry_run_of_a_busy_device(rig: Rig) -> None:
    rig.power_on()
    file = rig.file("good.bin", make_image("2.0.0"))
    with rig.device.open("rb+", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = rig.command("esp-ota", "update", file, "--dry-run")
    assert result.status == BUSY, result


def test_a_dry_run_for_programs(rig: Rig) -> None:
    rig.power_on()
    image = make_image("2.0.0")
    file = rig.file("good.bin", image)
    result = rig.command("esp-ota", "update", file, "--dry-run", "--json")
    (line,) = result.stdout.splitlines()
    found = json.loads(line)
    assert found["status"] == DONE
    assert found["dry_run"] is True
    assert found["version"] == "2.0.0"
    assert found["sha256"] == hashlib.sha256(image).hexdigest()
    result = rig.command("esp-ota", "update", file, "--dry-run", "--json", "--slot-size", "4000")
    *objections, last = map(json.loads, result.stdout.splitlines())
    assert result.status == last["status"] == IMAGE
    assert [(one["event"], one["error"]) for one in objections] == [("objection", "image")]
    assert objections[0]["message"] == last["message"]
