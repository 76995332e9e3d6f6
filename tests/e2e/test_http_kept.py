# SPDX-License-Identifier: Apache-2.0
"""A download, and a slot that holds a part of the image already: that is not sent again."""

import pytest
from support.classic import Kind, field
from support.cut_updates import BLOCK, SECTOR, cut_off, left_to_send
from support.cutting_relay import CuttingRelay
from support.dialects import CLASSIC, CTRL, Dialect
from support.extended_device import DIGESTS, ExtendedDevice
from support.images import DIGEST_BYTES, refresh_digest
from support.nginx import Nginx
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE

SIZE = 300_000  # four blocks of 64 KiB and a short one
CUT_AT = 200_000  # in the fourth block
IMAGE = make_image("2.0.0", size=SIZE)

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)


def update(rig: Rig, url: str, *options: str) -> tuple[int, int]:
    """A whole one; returns how many bytes were sent, and how many were there."""
    result = rig.update("esp-ota", url, "--json", *options)
    assert result.status == DONE, result
    sent, kept = result.told["sent_bytes"], result.told["kept_bytes"]
    assert sent + kept == SIZE
    return sent, kept


def check_boots(rig: Rig, image: bytes) -> None:
    booted = rig.sim.wait_boots(2)
    rig.sim.flash.check_slot_holds(booted["slot"], image, used_before=True)


@DIALECTS
@pytest.mark.parametrize(
    ("behaviour", "rest"),
    [("ranges", f"bytes={CUT_AT}-"), ("no-ranges", f"bytes={CUT_AT}-"), ("no-validators", None)],
)
def test_a_download_that_breaks(
    rig: Rig, dialect: Dialect, behaviour: str, rest: str | None
) -> None:
    """With ranges or without, the ESP32 gets each byte once, in one update."""
    rig.power_on(dialect=dialect)
    server = rig.serve(IMAGE)
    server.cuts = [CUT_AT]
    assert update(rig, server.url(behaviour)) == (SIZE, 0)
    assert server.ranges() == [None, rest]
    assert rig.proxy.kinds().count(Kind.OTA_BEGIN) == 1
    assert sum(event["length"] for event in rig.sim.events("write")) == SIZE
    check_boots(rig, IMAGE)


@DIALECTS
@pytest.mark.parametrize("behaviour", ["ranges", "no-ranges", "no-length", "chunked"])
def test_a_killed_tool(rig: Rig, dialect: Dialect, behaviour: str) -> None:
    """The next one fetches all of it, and sends what the slot lacks."""
    rig.power_on(dialect=dialect)
    url = rig.serve(IMAGE).url(behaviour)
    had = cut_off(rig, url, 50, SIZE)
    sent, _kept = update(rig, url)
    assert sent == left_to_send(SIZE, had)
    check_boots(rig, IMAGE)


@DIALECTS
@pytest.mark.parametrize("behaviour", ["ranges", "no-ranges"])
def test_both_at_once(rig: Rig, dialect: Dialect, behaviour: str) -> None:
    """A killed tool, and then a download that breaks: before, at and behind what the slot has."""
    rig.power_on(dialect=dialect)
    server = rig.serve(IMAGE)
    url = server.url(behaviour)
    had = cut_off(rig, url, 40, SIZE)
    # A server with ranges sends the rest alone, which is cut in its turn.
    cuts = [100_000, had, 250_000]
    rests = [end - start for start, end in zip([0, *cuts], cuts)]
    server.cuts = rests if behaviour == "ranges" else cuts
    sent, _kept = update(rig, url)
    assert not server.cuts
    assert sent == left_to_send(SIZE, had)
    check_boots(rig, IMAGE)


def rebuilt(image: bytes, place: int) -> bytes:
    """The same image, with another byte in one place; checksum and digest are right."""
    changed = bytearray(image)
    changed[place] ^= 0xFF
    changed[-DIGEST_BYTES - 1] ^= 0xFF
    return refresh_digest(changed)


@pytest.mark.parametrize("behaviour", ["no-ranges", "new-tag", "another-tag"])
def test_another_image_midway(rig: Rig, behaviour: str) -> None:
    """A new update begins, to which what the slot has of the first one is as good as any."""
    rig.power_on()
    server = rig.serve(IMAGE)
    server.cuts = [CUT_AT]
    server.then = rebuilt(IMAGE, 5 * SECTOR + 17)
    sent, kept = update(rig, server.url(behaviour))
    assert rig.proxy.kinds().count(Kind.OTA_BEGIN) == 2
    # Whole blocks are sent: what had come of the fourth had not been.
    assert kept == CUT_AT - CUT_AT % BLOCK - SECTOR
    assert sent == SIZE - kept
    check_boots(rig, server.then)


@pytest.mark.parametrize(("location", "second"), [("plain", 206), ("no-ranges", 200)])
def test_nginx(rig: Rig, nginx: Nginx, location: str, second: int) -> None:
    name = f"kept-{location}.bin"
    nginx.publish(name, IMAGE)
    relay = CuttingRelay(nginx.port)
    rig.finally_close(relay)
    rig.power_on()
    url = f"http://127.0.0.1:{relay.port}/{location}/{name}"
    had = cut_off(rig, url, 50, SIZE)
    relay.cuts = [CUT_AT]
    sent, _kept = update(rig, url)
    assert sent == left_to_send(SIZE, had)
    check_boots(rig, IMAGE)
    rig.wait(
        lambda: [status for status, _ in nginx.asked(name)][-2:] == [200, second], "nginx's log"
    )


@pytest.mark.parametrize("code", [1, 16])
def test_refused_digests(rig: Rig, code: int) -> None:
    """Then all is sent, as to firmware that has none."""
    device = ExtendedDevice(rig.folder / "esps0")
    rig.finally_close(device)
    device.flash[:SIZE] = IMAGE
    device.on[DIGESTS] = lambda _digests: field(1, code)
    server = rig.serve(IMAGE)
    server.cuts = [CUT_AT]
    result = rig.tools.run(
        *("esp-ota", "update", server.url("ranges"), "--device", device.path, "--json"),
        *("--timeout", "3", "--reboot-timeout", "10", "--verbose"),
    )
    assert result.status == DONE, result
    assert (result.told["sent_bytes"], result.told["kept_bytes"]) == (SIZE, 0)
    assert "refused digests: " in result.stderr
    assert "; all is sent\n" in result.stderr
    assert [what for what, _ in device.seen].count(DIGESTS) == 1
