# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between the host and the ESP32 during an update, and how each tool ends.

One table: the fault, the exit status, what the message must name, and what boots afterwards.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from support import classic
from support.classic import Kind
from support.proxy import FaultProxy
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, REFUSED

NEW = "2.0.0"
BEGIN, WRITE, END = Kind.OTA_BEGIN, Kind.OTA_WRITE, Kind.OTA_END
NAMES = {BEGIN: r"\bbegin\b", WRITE: r"\bwrite\b", END: r"\bend\b"}

SILENCE = r"no answer|did not answer|silent"
REFUSAL = r"refuse"
LOST = r"gone|vanished|lost|disappeared|No such device|hung up"

# The answer's own length is 20 bytes: 13 before the message, 7 of message.
CUTS = (1, 5, 13, 15, 19)


@dataclass(frozen=True)
class Fault:
    name: str
    arm: Callable[[FaultProxy], None]
    status: int
    message: str
    at: Kind
    boots_new: bool = False


def at(kind: Kind) -> int:
    """Which request of this kind: an update has one begin and one end, and the third write."""
    return 3 if kind is WRITE else 1


def request_fault(name: str, kind: Kind, handler: str, status: int, message: str) -> Fault:
    return Fault(
        f"{name}-{kind.name}",
        lambda proxy: proxy.on_request(kind, getattr(proxy, handler), at(kind)),
        status,
        message,
        kind,
    )


def answer_fault(
    name: str, kind: Kind, make: Callable[[FaultProxy], object], status: int, message: str
) -> Fault:
    """The ESP32 got the request: after an `end` that it took, it runs the new firmware."""
    return Fault(
        f"{name}-{kind.name}",
        lambda proxy: proxy.on_answer(kind, make(proxy), at(kind)),
        status,
        message,
        kind,
        boots_new=kind is END,
    )


def faults() -> list[Fault]:
    table = []
    for kind in (BEGIN, WRITE, END):
        table += [
            request_fault("silent", kind, "mute", NO_ANSWER, SILENCE),
            request_fault("one-request-lost", kind, "drop", NO_ANSWER, SILENCE),
            request_fault("refused", kind, "refuse", REFUSED, REFUSAL),
            request_fault("vanished", kind, "gone", NO_ANSWER, LOST),
            answer_fault("answer-lost", kind, lambda p: p.drop, NO_ANSWER, SILENCE),
            answer_fault("vanished-after", kind, lambda p: p.gone, NO_ANSWER, LOST),
            answer_fault(
                "other-answer",
                kind,
                # Wi-Fi mode 0: a host that reads the union without its type sees a success.
                lambda p: p.instead(classic.answer(Kind.GET_MODE, 0, before=classic.field(1, 0))),
                NO_ANSWER,
                SILENCE,
            ),
            Fault(
                f"result-5-{kind.name}",
                lambda p, kind=kind: p.on_request(
                    kind, p.instead(classic.answer(kind, 5)), at(kind)
                ),
                REFUSED,
                REFUSAL,
                kind,
            ),
        ]
        table += [
            answer_fault(f"cut-{length}", kind, lambda p, n=length: p.cut(n), NO_ANSWER, SILENCE)
            for length in CUTS
        ]
    return table


FAULTS = faults()


def check_never_end_after_a_failed_write(rig: Rig, fault: Fault) -> None:
    kinds = rig.proxy.kinds()
    if fault.at is BEGIN:
        assert WRITE not in kinds
        assert END not in kinds
    if fault.at is WRITE:
        assert END not in kinds
        assert kinds.count(WRITE) == at(WRITE), "a write was sent again"
    assert kinds.count(END) <= 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault(rig: Rig, updater: str, fault: Fault) -> None:
    image = make_image(NEW, size=40000)
    rig.power_on()
    fault.arm(rig.proxy)

    result = rig.update(updater, image, timeout=1)

    assert result.status == fault.status, result
    assert_names(result.stderr, NAMES[fault.at], fault.message)
    if fault.boots_new:
        assert f"{rig.old} is still in place" not in result.output, "it may not be"
    check_never_end_after_a_failed_write(rig, fault)
    sent = rig.proxy.sent_image()
    assert image.startswith(sent)
    if fault.boots_new:
        assert rig.sim.wait_boots(2)["version"] == NEW
    else:
        rig.check_boots(rig.old)


def assert_names(text: str, *patterns: str) -> None:
    for pattern in patterns:
        assert re.search(pattern, text, re.IGNORECASE), f"{pattern!r} is not in {text!r}"


@pytest.mark.parametrize(
    "fault",
    [f for f in FAULTS if f.name.split("-")[0] in ("silent", "refused", "answer")],
    ids=lambda fault: fault.name,
)
def test_fault_with_stock_firmware(rig: Rig, fault: Fault) -> None:
    image = make_image(NEW, size=40000)
    rig.power_on("--stock")
    fault.arm(rig.proxy)

    result = rig.update("test.out", image, timeout=1)

    assert result.status == fault.status, result
    assert_names(result.stderr, NAMES[fault.at], fault.message)
    check_never_end_after_a_failed_write(rig, fault)
    if fault.boots_new:
        assert rig.sim.wait_boots(2)["version"] == NEW
    else:
        rig.check_boots(rig.old)


def test_dead_device(rig: Rig, updater: str) -> None:
    """Nothing ever answers: no request but the first harmless one goes out."""
    rig.power_on()
    rig.proxy.on_request(Kind.GET_MODE, rig.proxy.mute)
    result = rig.update(updater, make_image(NEW, size=40000), timeout=1)
    assert result.status == NO_ANSWER
    assert_names(result.stderr, SILENCE)
    assert set(rig.proxy.kinds()) <= {Kind.GET_MODE}
    rig.check_boots(rig.old)


# Faults that a tool must get over


def check_done(rig: Rig, updater: str, image: bytes, timeout: int = 5) -> None:
    result = rig.update(updater, image, timeout=timeout)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image)


STALE = {
    "end-ok": classic.answer(END, 0),
    "begin-ok": classic.answer(BEGIN, 0),
    "write-ok": classic.answer(WRITE, 0),
    "write-refused": classic.answer(WRITE, -1),
    "half-an-answer": classic.answer(WRITE, 0)[:9],
    "answers": b"".join(classic.answer(kind) for kind in (BEGIN, WRITE, WRITE, END)),
    "garbage": bytes(range(256)) * 4,
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("stale", STALE)
def test_stale_bytes_in_the_queue_are_dropped(rig: Rig, updater: str, stale: str) -> None:
    rig.power_on()
    rig.proxy.inject(STALE[stale])
    check_done(rig, updater, make_image(NEW, size=40000))


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_a_stale_success_hides_no_refusal(rig: Rig, updater: str, kind: Kind) -> None:
    """The answer that an earlier tool did not wait for, and a device that now says no."""
    rig.power_on()
    rig.proxy.inject(classic.answer(kind, 0) * 3)
    rig.proxy.on_request(kind, rig.proxy.refuse)
    result = rig.update(updater, make_image(NEW, size=40000), timeout=5)
    assert result.status == REFUSED, result
    rig.check_boots(rig.old)


@pytest.mark.parametrize("kind", [WRITE, END])
def test_a_success_out_of_nowhere_hides_no_refusal(rig: Rig, updater: str, kind: Kind) -> None:
    """It comes while the tool waits for its web server; then the ESP32 refuses its last request."""
    image = make_image(NEW, size=40000)
    rig.power_on()
    server = rig.serve(image)
    rig.proxy.on_request(kind, rig.proxy.refuse, 10 if kind is WRITE else 1)
    process = rig.start_update(updater, server.url("late"), timeout=5)
    rig.proxy.wait_answer(WRITE, 5)
    rig.proxy.wait_read()
    rig.proxy.inject(classic.answer(kind, 0))
    time.sleep(0.05)  # so long at least does the tool wait: a slow server, on any machine
    server.go_on.set()
    result = rig.tools.finish(process)
    assert result.status == REFUSED, result
    assert rig.proxy.kinds().count(END) == (kind is END)
    rig.check_boots(rig.old)


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_every_answer_comes_twice(rig: Rig, updater: str, kind: Kind) -> None:
    rig.power_on()
    for nth in range(1, 20):
        rig.proxy.on_answer(kind, rig.proxy.twice, nth)
    check_done(rig, updater, make_image(NEW, size=40000))


def test_a_doubled_success_hides_no_refusal(rig: Rig, updater: str) -> None:
    rig.power_on()
    rig.proxy.on_answer(WRITE, rig.proxy.twice, 2)
    rig.proxy.on_request(WRITE, rig.proxy.refuse, 3)
    result = rig.update(updater, make_image(NEW, size=40000), timeout=5)
    assert result.status == REFUSED, result
    assert END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


@pytest.mark.parametrize("kind", [Kind.GET_MODE, BEGIN, WRITE, END])
def test_an_answer_in_single_bytes(rig: Rig, updater: str, kind: Kind) -> None:
    rig.power_on()
    rig.proxy.on_answer(kind, rig.proxy.in_pieces, at(kind))
    check_done(rig, updater, make_image(NEW, size=40000))


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_another_answer_comes_first(rig: Rig, updater: str, kind: Kind) -> None:
    """Late answers to the question for the Wi-Fi mode, which may be asked twice."""
    rig.power_on()
    mode = classic.answer(Kind.GET_MODE, 0, before=classic.field(1, 1))
    rig.proxy.on_answer(kind, rig.proxy.behind(mode * 2), at(kind))
    check_done(rig, updater, make_image(NEW, size=40000))


def test_the_first_question_gets_a_late_answer(rig: Rig, updater: str) -> None:
    """Asked again, both answers come at once."""
    rig.power_on()
    rig.proxy.on_answer(Kind.GET_MODE, rig.proxy.hold)
    process = rig.start_update(updater, make_image(NEW, size=40000), timeout=1)
    rig.proxy.wait_request(Kind.GET_MODE, 2)
    rig.proxy.release()
    result = rig.tools.finish(process)
    assert result.status == DONE, result


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_garbage_in_front_of_an_answer_fools_nobody(rig: Rig, updater: str, kind: Kind) -> None:
    """The tool finds the answer behind it, or says that none came; it never guesses."""
    image = make_image(NEW, size=40000)
    rig.power_on()
    rig.proxy.on_answer(kind, rig.proxy.behind(b"\x00\xffgarbage\x01\x07"), at(kind))
    result = rig.update(updater, image, timeout=1)
    assert result.status in (DONE, NO_ANSWER), result
    if result.status == DONE:
        rig.check_arrived(image)
    elif kind is not END:
        assert END not in rig.proxy.kinds()
        rig.check_boots(rig.old)


def test_late_answers_do_not_hurt_the_next_update(rig: Rig, updater: str) -> None:
    """Write 3 is answered after the tool has given up: the answer is in the next tool's queue."""
    image = make_image(NEW, size=40000)
    rig.power_on()
    rig.proxy.on_answer(WRITE, rig.proxy.hold, 3)
    assert rig.update(updater, image, timeout=1).status == NO_ANSWER
    rig.proxy.release()
    held = rig.proxy.requests
    assert END not in [message.kind for message in held]
    rig.proxy.reset()
    check_done(rig, updater, image)


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_an_answer_just_in_time(rig: Rig, updater: str, kind: Kind) -> None:
    image = make_image(NEW, size=40000)
    rig.power_on()
    rig.proxy.on_answer(kind, rig.proxy.hold, at(kind))
    process = rig.start_update(updater, image)
    rig.proxy.wait_request(kind, at(kind))
    rig.proxy.release_next()
    assert rig.tools.finish(process).status == DONE
    rig.check_arrived(image)


def test_the_next_update_after_each_failure_succeeds(rig: Rig, updater: str) -> None:
    """One ESP32, all failures one after the other, no power cycle: then all is well."""
    image = make_image(NEW, size=40000)
    rig.power_on()
    for kind in (BEGIN, WRITE, END):
        for handler in (rig.proxy.refuse, rig.proxy.drop):
            rig.proxy.on_request(kind, handler, at(kind))
            assert rig.update(updater, image, timeout=1).status in (REFUSED, NO_ANSWER)
            rig.proxy.reset()
    check_done(rig, updater, image)
