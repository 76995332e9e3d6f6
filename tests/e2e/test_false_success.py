# SPDX-License-Identifier: Apache-2.0
"""Upstream's tools say success after a failure in these cases. Ours must not, in either dialect."""

import signal

import pytest
from support.classic import Kind
from support.dialects import CTRL, Dialect, answer_to, ctrl_event, ctrl_reply
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL, NO_ANSWER, REFUSED

pytestmark = pytest.mark.usefixtures("dialect")

BEGIN, WRITE, END = Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END
IMAGE = make_image("2.0.0", size=40000)

HOME = {
    "ssid": "Home",
    "bssid": "02:00:00:00:00:01",
    "channel": 6,
    "rssi": -40,
    "security": "open",
    "password": "",
}


def check_failed(rig: Rig, result: object, status: int) -> None:
    assert result.status == status, result
    assert "done" not in result.stdout
    assert END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


# Classic defect D6


def test_end_after_a_failed_write_makes_no_success(rig: Rig, updater: str) -> None:
    """The device would accept the `end`: upstream prints its success over a stump."""
    rig.power_on()
    rig.proxy.on_request(WRITE, rig.proxy.refuse, 3)
    rig.proxy.on_request(END, rig.proxy.instead(answer_to))
    check_failed(rig, rig.update(updater, IMAGE), REFUSED)


# Classic defect D7


def test_a_late_write_answer_is_not_taken_for_the_ends(rig: Rig, updater: str) -> None:
    rig.power_on()
    rig.proxy.on_answer(WRITE, rig.proxy.hold, 3)
    rig.proxy.on_request(END, rig.proxy.refuse)
    process = rig.start_update(updater, IMAGE, timeout=1)
    result = rig.tools.finish(process)
    rig.proxy.release()
    check_failed(rig, result, NO_ANSWER)


def test_after_ctrl_c_the_next_tool_is_not_off_by_one(rig: Rig, updater: str) -> None:
    """The answer to the interrupted write comes when the next update has begun."""
    rig.power_on()
    rig.proxy.on_answer(WRITE, rig.proxy.hold, 3)
    first = rig.start_update(updater, IMAGE)
    rig.proxy.wait_request(WRITE, 3)
    first.signal(signal.SIGINT)
    assert rig.tools.finish(first).status == LOCAL
    rig.proxy.release()
    rig.proxy.on_request(END, rig.proxy.refuse)
    result = rig.update(updater, IMAGE)
    assert result.status == REFUSED, result
    assert "done" not in result.stdout
    rig.check_boots(rig.old)


def test_a_stale_answer_does_not_connect_to_what_is_not_there(rig: Rig, dialect: Dialect) -> None:
    rig.power_on("--aps", rig.aps(HOME))
    rig.proxy.inject(dialect.answer(Kind.CONNECT_AP, 0) * 3)
    for tool, words in (
        ("test.out", ("sta_connect", "--ssid", "Elsewhere", "--password", "12345678")),
        ("station_connect.py", ("Elsewhere", "12345678")),
    ):
        result = rig.command(tool, *words, timeout=10, wrap=rig.no_network())
        assert result.status == REFUSED, result
        assert "connected" not in result.stdout


# Ctrl defect 6


def test_begin_does_not_go_out_for_a_file_that_is_missing(rig: Rig) -> None:
    rig.power_on()
    result = rig.update("test.out", rig.folder / "nowhere.bin")
    check_failed(rig, result, LOCAL)
    assert BEGIN not in rig.proxy.kinds()


def test_begin_does_not_go_out_for_a_page_that_is_not_found(rig: Rig, updater: str) -> None:
    rig.power_on()
    result = rig.update(updater, rig.serve(IMAGE).url("404"))
    check_failed(rig, result, LOCAL)
    assert BEGIN not in rig.proxy.kinds()


# Ctrl defect 7


@pytest.mark.parametrize("fault", ["refuse", "drop"])
def test_an_abort_is_no_end(rig: Rig, updater: str, fault: str) -> None:
    """At the last chunk upstream's abort would boot the image that it calls failed."""
    rig.power_on()
    rig.proxy.on_request(WRITE, getattr(rig.proxy, fault), 10)
    status = REFUSED if fault == "refuse" else NO_ANSWER
    check_failed(rig, rig.update(updater, IMAGE, timeout=1), status)


# Ctrl defect 10: late, doubled and mismatched answers


def test_a_doubled_answer_hides_no_refusal(rig: Rig, updater: str) -> None:
    rig.power_on()
    rig.proxy.on_answer(WRITE, rig.proxy.twice, 9)
    rig.proxy.on_request(WRITE, rig.proxy.refuse, 10)
    check_failed(rig, rig.update(updater, IMAGE), REFUSED)


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_an_answer_to_another_request_is_none(
    rig: Rig, updater: str, dialect: Dialect, kind: Kind
) -> None:
    """A success for setting the Wi-Fi mode, with the right number where there are numbers."""
    rig.power_on()
    nth = 10 if kind is WRITE else 1
    rig.proxy.on_request(
        kind, rig.proxy.instead(lambda m: dialect.answer(Kind.SET_MODE, 0, b"", m.uid)), nth
    )
    result = rig.update(updater, IMAGE, timeout=1)
    assert result.status == NO_ANSWER, result
    assert rig.proxy.kinds().count(END) == (kind is END)
    rig.check_boots(rig.old)


def test_an_answer_with_another_number_is_none(rig: Rig, dialect: Dialect) -> None:
    if dialect is not CTRL:
        pytest.skip("classic answers have no numbers")
    rig.power_on()
    rig.proxy.on_request(END, rig.proxy.instead(lambda m: ctrl_reply(218, b"", m.uid - 1)))
    result = rig.update("test.out", IMAGE, timeout=1)
    assert result.status == NO_ANSWER, result
    rig.check_boots(rig.old)


# What ctrl's connect says


def test_the_success_of_a_connect_request_is_none(rig: Rig, dialect: Dialect) -> None:
    """Only the event tells; and one about another network does not."""
    if dialect is not CTRL:
        pytest.skip("classic firmware answers when it knows")
    rig.power_on()
    elsewhere = ctrl_event(305, b"\x12\x05Other")
    rig.proxy.on_request(Kind.CONNECT_AP, rig.proxy.instead(lambda m: answer_to(m) + elsewhere))
    words = ("sta_connect", "--ssid", "Home", "--password", "12345678")
    result = rig.command("test.out", *words, timeout=1, wrap=rig.no_network())
    assert result.status == NO_ANSWER, result
    assert "connected" not in result.stdout


def test_a_firmware_that_did_not_start_makes_no_success(rig: Rig) -> None:
    """Upstream's is printed before the restart."""
    rig.power_on("--bad-boot", "2.0.0=mute")
    result = rig.update("test.out", IMAGE, reboot_timeout=1)
    assert result.status != DONE, result
    assert "done" not in result.stdout
