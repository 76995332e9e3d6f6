# SPDX-License-Identifier: Apache-2.0
"""The image comes from a web server, a real one and one that breaks its word."""

import re
import socket

import pytest
from support import classic
from support.classic import Kind
from support.fake_device import FakeDevice
from support.nginx import Nginx
from support.rig import UPDATERS, VERB, Rig
from support.shelf import make_image
from support.tools import DONE, IMAGE, LOCAL

pytestmark = pytest.mark.usefixtures("dialect")

IMAGE_BYTES = 40000
LONG = 200000  # several blocks of 64 KiB


@pytest.fixture(scope="module")
def image() -> bytes:
    return make_image("2.0.0", size=IMAGE_BYTES)


def check_done(rig: Rig, updater: str, url: str, image: bytes) -> None:
    result = rig.update(updater, url)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image)


def check_local_trouble(
    rig: Rig, updater: str, url: str, message: str, began: bool, *options: str
) -> None:
    """Status 1 and the reason; the ESP32 heard of it only if `began`, and never an `end`."""
    before = rig.sim.flash.read()
    result = rig.update(updater, url, *options)
    assert result.status == LOCAL, result
    assert re.search(message, result.stderr, re.IGNORECASE), result
    kinds = rig.proxy.kinds()
    assert Kind.OTA_END not in kinds
    if not began:
        assert Kind.OTA_BEGIN not in kinds
        assert rig.sim.flash.read() == before
    rig.check_boots(rig.old)


@pytest.mark.parametrize(
    "location",
    ["plain", "no-ranges", "chunked", "gzip", "offer-gzip", "redirect", "moved", "slow"],
)
def test_nginx(rig: Rig, updater: str, nginx: Nginx, image: bytes, location: str) -> None:
    nginx.publish("ota.bin", image)
    rig.power_on()
    check_done(rig, updater, nginx.url(location, "ota.bin"), image)


@pytest.mark.parametrize(
    ("location", "message"),
    [("plain/missing", r"\b404\b"), ("500", r"\b500\b"), ("403", r"\b403\b")],
)
def test_nginx_refuses(rig: Rig, updater: str, nginx: Nginx, location: str, message: str) -> None:
    rig.power_on()
    check_local_trouble(rig, updater, nginx.url(location, "no.bin"), message, began=False)


@pytest.mark.parametrize("behaviour", ["no-length", "chunked", "redirect"])
def test_what_servers_may_do(rig: Rig, updater: str, image: bytes, behaviour: str) -> None:
    rig.power_on()
    check_done(rig, updater, rig.serve(image).url(behaviour), image)


@pytest.mark.parametrize(
    ("behaviour", "message", "began"),
    [
        ("401", r"\b401\b", False),
        ("404", r"\b404\b", False),
        ("500", r"\b500\b", False),
        ("503", r"\b503\b", False),
        ("partial", r"\b206\b", False),
        ("redirect-loop", r"redirect", False),
        ("redirect-file", r"redirect|protocol", False),
        ("lying-gzip", r"gzip|encod|decod|compress", False),
        ("cut-at-zero", r"of 40.?000|cut|incomplete|closed|remaining|short|empty", False),
    ],
)
def test_broken_word(
    rig: Rig, updater: str, image: bytes, behaviour: str, message: str, began: bool
) -> None:
    rig.power_on()
    check_local_trouble(rig, updater, rig.serve(image).url(behaviour), message, began)


@pytest.mark.parametrize("behaviour", ["cut", "cut-chunked"])
def test_cut(rig: Rig, updater: str, image: bytes, behaviour: str) -> None:
    """Without retries; with them see test_http_resume.py."""
    message = r"cut|incomplete|closed|remaining|short|outstanding"
    rig.power_on()
    url = rig.serve(image).url(behaviour)
    check_local_trouble(rig, updater, url, message, True, "--retries", "0")


@pytest.mark.parametrize("behaviour", ["html", "empty"])
def test_not_an_image(rig: Rig, updater: str, image: bytes, behaviour: str) -> None:
    """Status 200, and yet no image."""
    rig.power_on()
    before = rig.sim.flash.read()
    result = rig.update(updater, rig.serve(image).url(behaviour))
    assert result.status == IMAGE, result
    assert rig.sim.flash.read() == before
    rig.check_boots(rig.old)


def test_short_without_a_length(rig: Rig, updater: str, image: bytes) -> None:
    """Nobody can tell from HTTP that bytes are missing; the image can."""
    rig.power_on()
    result = rig.update(updater, rig.serve(image).url("short-no-length"))
    assert result.status == IMAGE, result
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


def test_reset_midway(rig: Rig, updater: str) -> None:
    rig.power_on()
    server = rig.serve(make_image("2.0.0", size=LONG))
    process = rig.start_update(updater, server.url("reset"), "--retries", "0")
    rig.proxy.wait_request(Kind.OTA_WRITE)
    server.go_on.set()
    result = rig.tools.finish(process)
    assert result.status == LOCAL, result
    assert re.search(r"reset", result.stderr, re.IGNORECASE)
    assert Kind.OTA_END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


def test_second_half_comes_later(rig: Rig, updater: str) -> None:
    """Blocks are passed on as they come: the first are written before the last are sent."""
    image = make_image("2.0.0", size=LONG)
    rig.power_on()
    server = rig.serve(image)
    process = rig.start_update(updater, server.url("late"))
    rig.proxy.wait_request(Kind.OTA_WRITE)
    server.go_on.set()
    assert rig.tools.finish(process).status == DONE
    rig.check_arrived(image)


def test_nobody_listens(rig: Rig, updater: str) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/image.bin"
        rig.power_on()
        check_local_trouble(rig, updater, url, r"connect|refused", began=False)


@pytest.mark.parametrize(
    "url", ["http://host.invalid/image.bin", "http://127.0.0.1:99999/x", "http:///x"]
)
def test_no_such_place(rig: Rig, updater: str, url: str) -> None:
    rig.power_on()
    check_local_trouble(rig, updater, url, r"resolve|URL|port|host", began=False)


def test_password_of_a_url_is_never_printed(rig: Rig, updater: str, image: bytes) -> None:
    rig.power_on()
    url = rig.serve(image).url("404").replace("//", "//user:Sesam-7-auf@")
    assert rig.update(updater, url).status == LOCAL
    assert "Sesam-7-auf" not in rig.said()


@pytest.mark.slow
def test_a_stalled_server(rig: Rig, image: bytes) -> None:
    """Every wait has an end. All tools at once, each with a device of its own: it takes a while."""
    server = rig.serve(image)
    running = []
    for tool in UPDATERS:
        for behaviour in ("stall", "stall-head"):
            fake = FakeDevice(rig.folder / f"{tool}-{behaviour}")
            rig.finally_close(fake)
            for kind in (Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END):
                fake.script(kind, classic.answer(kind))
            patience = ("--stall-timeout", "3")
            args = (*VERB[tool], server.url(behaviour), "--device", fake.path, *patience)
            running.append((behaviour, fake, rig.tools.start(tool, *args)))
    for behaviour, fake, process in running:
        result = rig.tools.finish(process)
        assert result.status == LOCAL, result
        assert re.search(r"stall|time|slow", result.stderr, re.IGNORECASE), result
        assert Kind.OTA_END not in fake.kinds()
        assert (Kind.OTA_BEGIN in fake.kinds()) == (behaviour == "stall")
