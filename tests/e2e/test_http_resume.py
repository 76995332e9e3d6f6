# SPDX-License-Identifier: Apache-2.0
"""A download that breaks goes on, or begins anew, or ends; the ESP32 gets one image or none."""

import re
import subprocess
import sys

import pytest
from support.classic import Kind
from support.cutting_relay import CuttingRelay
from support.nginx import Nginx
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL
from support.waiting import wait_for

IMAGE_BYTES = 40000
CUT_AT = 20000
REST = f"bytes={CUT_AT}-"


@pytest.fixture(scope="module")
def image() -> bytes:
    return make_image("2.0.0", size=IMAGE_BYTES)


@pytest.fixture(scope="module")
def other() -> bytes:
    """Of the same size, and other bytes from the first one on."""
    return make_image("3.0.0", size=IMAGE_BYTES)


@pytest.fixture
def own_nginx(rig: Rig) -> Nginx:
    """One that a test may kill."""
    nginx = Nginx(rig.folder / "nginx")
    rig.finally_close(nginx)
    return nginx


def check_done(rig: Rig, updater: str, url: str, image: bytes, *options: str) -> None:
    result = rig.update(updater, url, *options)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image)


def answers_to(nginx: Nginx, name: str) -> list[int]:
    return [status for status, _ in nginx.asked(name) if status != 302]


def test_cut_once(rig: Rig, updater: str, image: bytes) -> None:
    """By itself, in each of the tools."""
    rig.power_on()
    server = rig.serve(image)
    server.cuts = [CUT_AT]
    check_done(rig, updater, server.url("ranges"), image)
    assert server.ranges() == [None, REST]


@pytest.mark.parametrize(
    ("behaviour", "ranges"),
    [
        ("no-ranges", [None, REST]),
        ("no-validators", [None, None]),
        ("weak-tag", [None, None]),
        ("new-tag", [None, REST]),
        ("another-start", [None, REST, None]),
        ("another-total", [None, REST, None]),
        ("another-tag", [None, REST, None]),
        ("no-such-range", [None, REST, None]),
        ("retry-after", [None, REST, REST]),
    ],
)
def test_servers_of_all_sorts(
    rig: Rig, image: bytes, behaviour: str, ranges: list[str | None]
) -> None:
    rig.power_on()
    server = rig.serve(image)
    server.cuts = [CUT_AT]
    check_done(rig, "esp-ota", server.url(behaviour), image)
    assert server.ranges() == ranges


def test_python_s_own_server(rig: Rig, image: bytes) -> None:
    """The one that the specification recommends: ranges are nothing to it."""
    folder = rig.folder / "www"
    folder.mkdir()
    (folder / "image.bin").write_bytes(image)
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            port = re.search(r"port (\d+)", server.stdout.readline())
            relay = CuttingRelay(int(port[1]))
            rig.finally_close(relay)
            relay.cuts = [CUT_AT, CUT_AT + 5000]
            rig.power_on()
            check_done(rig, "esp-ota", f"http://127.0.0.1:{relay.port}/image.bin", image)
        finally:
            server.kill()


@pytest.mark.parametrize("behaviour", ["no-ranges", "new-tag", "another-tag"])
def test_another_image_midway(rig: Rig, image: bytes, other: bytes, behaviour: str) -> None:
    """The start of one and the end of another is no firmware: a new update begins."""
    rig.power_on()
    server = rig.serve(image)
    server.cuts = [CUT_AT]
    server.then = other
    result = rig.update("esp-ota", server.url(behaviour), "--verbose")
    assert result.status == DONE, result
    assert "the image on the server has changed" in result.stderr
    assert rig.proxy.kinds().count(Kind.OTA_BEGIN) == 2
    assert rig.proxy.kinds().count(Kind.OTA_END) == 1
    rig.check_arrived(other, used_before=True)


def test_no_progress_ends(rig: Rig, image: bytes) -> None:
    """However often it is tried, behind the same byte there is nothing."""
    rig.power_on()
    server = rig.serve(image)
    result = rig.update("test.out", server.url("cut"), "--retries", "2")
    assert result.status == LOCAL, result
    assert len(server.seen) == 3
    assert "20,000 bytes had come, attempt 3" in result.stderr
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


@pytest.mark.parametrize("where", ["host.invalid/x.bin", "127.0.0.1:1/x.bin"])
def test_nobody_there_is_soon_known(rig: Rig, where: str) -> None:
    """A name that does not exist at once, and a server that refuses after two more attempts."""
    result = rig.tools.run("esp-ota", "verify", f"http://{where}", "--verbose")
    assert result.status == LOCAL, result
    assert result.stderr.count("; retry ") == (0 if "invalid" in where else 2)


def test_a_stall_is_resumed(rig: Rig, image: bytes) -> None:
    """A server that falls silent is asked again, once, and as often as that brings something."""
    rig.power_on()
    server = rig.serve(image)
    server.stalls = [CUT_AT, 10000]
    check_done(rig, "esp-ota", server.url("ranges"), image, "--stall-timeout", "3")
    # On a busy machine one of them may be asked for again.
    assert list(dict.fromkeys(server.ranges())) == [None, REST, "bytes=30000-"]


def test_what_it_says(rig: Rig, image: bytes) -> None:
    rig.power_on()
    server = rig.serve(image)
    server.cuts = [CUT_AT]
    url = server.url("ranges").replace("//", "//user:Sesam-7-auf@") + "?token=Sesam-8-auf"
    result = rig.update("esp-ota", url, "--verbose")
    assert result.status == DONE, result
    shown = server.url("ranges")
    assert re.search(rf"{shown}: .*remaining.*; retry 1 of 5 in 0\.1 s", result.stderr)
    assert f"{shown}: goes on at byte 20,000\n" in result.stderr
    assert "Sesam" not in rig.said()
    assert "user:" not in rig.said()


@pytest.mark.parametrize("location", ["plain", "redirect", "no-ranges", "gzip"])
def test_nginx_cut_twice(rig: Rig, nginx: Nginx, image: bytes, location: str) -> None:
    name = f"cut-{location}.bin"
    nginx.publish(name, image)
    relay = CuttingRelay(nginx.port)
    rig.finally_close(relay)
    # Each answer is a connection; of a redirect too, which is too short to be cut.
    relay.cuts = [10000, 10000, 15000, 15000] if location == "redirect" else [10000, 15000]
    rig.power_on()
    url = f"http://127.0.0.1:{relay.port}/{location}/{name}"
    check_done(rig, "esp-ota", url, image)
    assert not relay.cuts
    # What is encoded, or comes from a server without ranges, comes from its start each time.
    expected = {"plain": 206, "redirect": 206, "no-ranges": 200, "gzip": 200}[location]
    wait_for(lambda: len(answers_to(nginx, name)) == 3, "nginx's log")
    assert answers_to(nginx, name) == [200, expected, expected]


def test_nginx_killed_midway(rig: Rig, own_nginx: Nginx, updater: str) -> None:
    image = make_image("2.0.0", size=120_000)  # more than is read before anything is sent
    own_nginx.publish("ota.bin", image)
    rig.power_on()
    process = rig.start_update(updater, own_nginx.url("trickle", "ota.bin"))
    rig.proxy.wait_request(Kind.OTA_WRITE)
    own_nginx.kill()
    own_nginx.start_again()
    result = rig.tools.finish(process)
    assert result.status == DONE, result
    rig.check_arrived(image)
    # The first answer was never logged.
    wait_for(lambda: answers_to(own_nginx, "ota.bin") == [206], "nginx's log")
