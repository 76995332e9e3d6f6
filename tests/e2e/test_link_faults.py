# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between the host and the ESP32 during an update, and how each tool ends.

One table for both dialects: the fault, the exit status, what the message must name, and what boots
afterwards.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from support import classic, ctrl
from support.classic import Kind
from support.cut_updates import WINDOW
from support.dialects import (
    CLASSIC,
    CTRL,
    Dialect,
    Message,
    answer_to,
    ctrl_event,
    ctrl_reply,
)
from support.proxy import RESTARTED, FaultProxy
from support.rig import Rig
from support.shelf import make_image
from support.tools import DONE, NO_ANSWER, REFUSED

NEW = "2.0.0"
BLOCK_WRITES = 17  # of the first 64 KiB, which are compared before they are sent
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


def each(kind: Kind) -> range:
    """Which requests have the fault: one write that is lost alone is made good by the next."""
    return range(at(kind), at(kind) + (WINDOW if kind is WRITE else 1))


def on_requests(proxy: FaultProxy, kind: Kind, handler: Callable[[Message], None]) -> None:
    for nth in each(kind):
        proxy.on_request(kind, handler, nth)


def on_answers(proxy: FaultProxy, kind: Kind, handler: Callable[[Message], None]) -> None:
    for nth in each(kind):
        proxy.on_answer(kind, handler, nth)


def request_fault(name: str, kind: Kind, handler: str, status: int, message: str) -> Fault:
    return Fault(
        f"{name}-{kind.name}",
        lambda proxy: on_requests(proxy, kind, getattr(proxy, handler)),
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
        lambda proxy: on_answers(proxy, kind, make(proxy)),
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
            request_fault("request-lost", kind, "drop", NO_ANSWER, SILENCE),
            request_fault("refused", kind, "refuse", REFUSED, REFUSAL),
            request_fault("vanished", kind, "gone", NO_ANSWER, LOST),
            answer_fault("answer-lost", kind, lambda p: p.drop, NO_ANSWER, SILENCE),
            answer_fault("vanished-after", kind, lambda p: p.gone, NO_ANSWER, LOST),
            answer_fault(
                "other-answer",
                kind,
                # Wi-Fi mode 0: a host that reads the union without its type sees a success.
                lambda p: p.instead(mode_answer_to),
                NO_ANSWER,
                SILENCE,
            ),
            Fault(
                f"result-5-{kind.name}",
                lambda p, kind=kind: p.on_request(
                    kind, p.instead(lambda m: answer_to(m, 5)), at(kind)
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


def mode_answer_to(message: Message) -> bytes:
    """With the number of the request, where there is one."""
    if message.uid:
        return CTRL.mode(message.uid)
    return classic.answer(Kind.GET_MODE, 0, before=classic.field(1, 0))


def ctrl_faults() -> list[Fault]:
    """What only messages with numbers, and events, can have wrong with them."""
    table = []
    for kind in (BEGIN, WRITE, END):
        number = ctrl.Kind[kind.name]
        table += [
            answer_fault(
                "wrong-number",
                kind,
                # Of no write that is on its way.
                lambda p, n=number: p.instead(lambda m: ctrl_reply(n + 100, b"", m.uid + WINDOW)),
                NO_ANSWER,
                SILENCE,
            ),
            answer_fault(
                "wrong-type",
                kind,
                lambda p: p.instead(lambda m: ctrl_reply(ctrl.Kind.SET_MODE + 100, b"", m.uid)),
                NO_ANSWER,
                SILENCE,
            ),
            answer_fault(
                "no-payload",
                kind,
                lambda p, n=number: p.instead(lambda m: ctrl_reply(n + 100, None, m.uid)),
                NO_ANSWER,
                "no content",
            ),
            answer_fault("restarts-after", kind, lambda p: p.restart, NO_ANSWER, "restarted"),
            request_fault("restarts", kind, "restart", NO_ANSWER, "restarted"),
        ]
    return table


FAULTS = [(CLASSIC, f) for f in faults()] + [(CTRL, f) for f in faults() + ctrl_faults()]


def fault_id(case: object) -> str:
    return case.name if isinstance(case, Fault | Dialect) else str(case)


# Where it need not be seen again that each tool behaves alike.
def seldom(dialect: Dialect, updater: str) -> bool:
    return dialect is CTRL and updater == "esp-ota"


def check_never_end_after_a_failed_write(rig: Rig, fault: Fault) -> None:
    kinds = rig.proxy.kinds()
    if fault.at is BEGIN:
        assert WRITE not in kinds
        assert END not in kinds
    if fault.at is WRITE:
        assert END not in kinds
        # That none was sent again shows in the bytes, which are a beginning of the image.
        assert at(WRITE) <= kinds.count(WRITE) < at(WRITE) + WINDOW
    assert kinds.count(END) <= 1


def expected_words(dialect: Dialect, fault: Fault) -> str:
    """Whoever waits for the answer to `end` in vain hears the restart, in ctrl."""
    heard = dialect is CTRL and fault.at is END and fault.boots_new
    return f"{fault.message}|restarted" if heard else fault.message


@pytest.mark.parametrize(("dialect", "fault"), FAULTS, ids=fault_id)
def test_fault(rig: Rig, updater: str, dialect: Dialect, fault: Fault) -> None:
    if seldom(dialect, updater):
        pytest.skip("the same code as test.out")
    image = make_image(NEW, size=40000)
    rig.power_on(dialect=dialect)
    fault.arm(rig.proxy)

    result = rig.update(updater, image, timeout=1)

    assert result.status == fault.status, result
    assert_names(result.stderr, NAMES[fault.at], expected_words(dialect, fault))
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
    ("dialect", "fault"),
    [(d, f) for d, f in FAULTS if f.name.split("-")[0] in ("silent", "refused", "answer")],
    ids=fault_id,
)
def test_fault_with_stock_firmware(rig: Rig, dialect: Dialect, fault: Fault) -> None:
    image = make_image(NEW, size=40000)
    rig.power_on("--stock", dialect=dialect)
    fault.arm(rig.proxy)

    result = rig.update("test.out", image, timeout=1)

    assert result.status == fault.status, result
    assert_names(result.stderr, NAMES[fault.at], expected_words(dialect, fault))
    check_never_end_after_a_failed_write(rig, fault)
    if fault.boots_new:
        assert rig.sim.wait_boots(2)["version"] == NEW
    else:
        rig.check_boots(rig.old)


def test_dead_device(rig: Rig, updater: str) -> None:
    """Nothing ever answers: no request but harmless ones go out, and on `control` first."""
    rig.power_on()
    rig.proxy.on_request(Kind.GET_MODE, rig.proxy.mute)
    result = rig.update(updater, make_image(NEW, size=40000), timeout=1)
    assert result.status == NO_ANSWER
    assert_names(result.stderr, SILENCE)
    asked = [(m.endpoint.decode(), m.kind) for m in rig.proxy.requests]
    mode = Kind.GET_MODE
    assert asked == 2 * [("control", mode)] + 2 * [("ctrlResp", mode)] + [("RPCRsp", None)]
    rig.check_boots(rig.old)


# Faults that a tool must get over


def check_done(rig: Rig, updater: str, image: bytes, timeout: int = 5) -> None:
    result = rig.update(updater, image, timeout=timeout)
    assert result.status == DONE, result
    assert rig.proxy.sent_image() == image
    rig.check_arrived(image)


def check_arrives(rig: Rig, updater: str, image: bytes) -> None:
    """An update after one that was cut off: what has arrived already is not sent again."""
    result = rig.update(updater, image, timeout=5)
    assert result.status == DONE, result
    rig.check_arrived(image)


STALE: dict[str, Callable[[Dialect], bytes]] = {
    "end-ok": lambda d: d.answer(END, 0),
    "begin-ok": lambda d: d.answer(BEGIN, 0),
    "write-ok": lambda d: d.answer(WRITE, 0),
    "write-refused": lambda d: d.answer(WRITE, -1),
    "half-an-answer": lambda d: d.answer(WRITE, 0)[:9],
    "answers": lambda d: b"".join(d.answer(kind) for kind in (BEGIN, WRITE, WRITE, END)),
    "restarted": lambda d: RESTARTED,
    "garbage": lambda d: bytes(range(256)) * 4,
    "zeros": lambda d: bytes(1000),
    "too-long": lambda d: b"\x01\x07\x00control\x02\xff\xff" + b"x" * 100,
}


@pytest.mark.parametrize("stale", STALE)
def test_stale_bytes_in_the_queue_are_dropped(
    rig: Rig, updater: str, dialect: Dialect, stale: str
) -> None:
    rig.power_on(dialect=dialect)
    rig.proxy.inject(STALE[stale](dialect))
    check_done(rig, updater, make_image(NEW, size=40000))


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_a_stale_success_hides_no_refusal(
    rig: Rig, updater: str, dialect: Dialect, kind: Kind
) -> None:
    """The answer that an earlier tool did not wait for, and a device that now says no."""
    rig.power_on(dialect=dialect)
    rig.proxy.inject(dialect.answer(kind, 0) * 3)
    rig.proxy.on_request(kind, rig.proxy.refuse)
    result = rig.update(updater, make_image(NEW, size=40000), timeout=5)
    assert result.status == REFUSED, result
    rig.check_boots(rig.old)


@pytest.mark.parametrize("kind", [WRITE, END])
def test_a_success_out_of_nowhere_hides_no_refusal(
    rig: Rig, updater: str, dialect: Dialect, kind: Kind
) -> None:
    """It comes while the tool waits for its web server; then the ESP32 refuses its last request."""
    image = make_image(NEW, size=200000)
    rig.power_on(dialect=dialect)
    server = rig.serve(image)
    rig.proxy.on_request(kind, rig.proxy.refuse, BLOCK_WRITES + 3 if kind is WRITE else 1)
    process = rig.start_update(updater, server.url("late"), timeout=5)
    rig.proxy.wait_answer(WRITE, BLOCK_WRITES)  # the last ones are read when more is to be sent
    rig.proxy.inject(dialect.answer(kind, 0))
    time.sleep(0.05)  # so long at least does the tool wait: a slow server, on any machine
    server.go_on.set()
    result = rig.tools.finish(process)
    # Taken for the answer to a write that is on its way, it does not say what is wanted next.
    assert result.status == (NO_ANSWER if kind is WRITE else REFUSED), result
    assert kind is END or "has no content" in result.stderr
    assert rig.proxy.kinds().count(END) == (kind is END)
    rig.check_boots(rig.old)


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_every_answer_comes_twice(rig: Rig, updater: str, dialect: Dialect, kind: Kind) -> None:
    rig.power_on(dialect=dialect)
    for nth in range(1, 20):
        rig.proxy.on_answer(kind, rig.proxy.twice, nth)
    check_done(rig, updater, make_image(NEW, size=40000))


def test_a_doubled_success_hides_no_refusal(rig: Rig, updater: str, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(WRITE, rig.proxy.twice, 2)
    rig.proxy.on_request(WRITE, rig.proxy.refuse, 3)
    result = rig.update(updater, make_image(NEW, size=40000), timeout=5)
    assert result.status == REFUSED, result
    assert END not in rig.proxy.kinds()
    rig.check_boots(rig.old)


@pytest.mark.parametrize("kind", [Kind.GET_MODE, BEGIN, WRITE, END])
def test_an_answer_in_single_bytes(rig: Rig, updater: str, dialect: Dialect, kind: Kind) -> None:
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(kind, rig.proxy.in_pieces, at(kind))
    check_done(rig, updater, make_image(NEW, size=40000))


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_another_answer_comes_first(rig: Rig, updater: str, dialect: Dialect, kind: Kind) -> None:
    """Late answers to the question for the Wi-Fi mode, which may be asked twice."""
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(kind, rig.proxy.behind(dialect.mode() * 2), at(kind))
    check_done(rig, updater, make_image(NEW, size=40000))


def test_the_first_question_gets_a_late_answer(rig: Rig, updater: str, dialect: Dialect) -> None:
    """Asked again, both answers come at once."""
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(Kind.GET_MODE, rig.proxy.hold)
    process = rig.start_update(updater, make_image(NEW, size=40000), timeout=1)
    rig.proxy.wait_request(Kind.GET_MODE, 2)
    rig.proxy.release()
    result = rig.tools.finish(process)
    assert result.status == DONE, result


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_garbage_in_front_of_an_answer_fools_nobody(
    rig: Rig, updater: str, dialect: Dialect, kind: Kind
) -> None:
    """The tool finds the answer behind it, or says that none came; it never guesses."""
    image = make_image(NEW, size=40000)
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(kind, rig.proxy.behind(b"\x00\xffgarbage\x01\x07"), at(kind))
    result = rig.update(updater, image, timeout=1)
    assert result.status in (DONE, NO_ANSWER), result
    if result.status == DONE:
        rig.check_arrived(image)
    elif kind is not END:
        assert END not in rig.proxy.kinds()
        rig.check_boots(rig.old)


def test_late_answers_do_not_hurt_the_next_update(rig: Rig, updater: str, dialect: Dialect) -> None:
    """Write 3 is answered after the tool has given up: the answer is in the next tool's queue."""
    image = make_image(NEW, size=40000)
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(WRITE, rig.proxy.hold, 3)
    assert rig.update(updater, image, timeout=1).status == NO_ANSWER
    rig.proxy.release()
    held = rig.proxy.requests
    assert END not in [message.kind for message in held]
    rig.proxy.reset()
    check_arrives(rig, updater, image)


@pytest.mark.parametrize("kind", [BEGIN, WRITE, END])
def test_an_answer_just_in_time(rig: Rig, updater: str, dialect: Dialect, kind: Kind) -> None:
    image = make_image(NEW, size=40000)
    rig.power_on(dialect=dialect)
    rig.proxy.on_answer(kind, rig.proxy.hold, at(kind))
    process = rig.start_update(updater, image)
    rig.proxy.wait_request(kind, at(kind))
    rig.proxy.release_next()
    assert rig.tools.finish(process).status == DONE
    rig.check_arrived(image)


def test_the_next_update_after_each_failure_succeeds(
    rig: Rig, updater: str, dialect: Dialect
) -> None:
    """One ESP32, all failures one after the other, no power cycle: then all is well."""
    image = make_image(NEW, size=40000)
    rig.power_on(dialect=dialect)
    for kind in (BEGIN, WRITE, END):
        for handler in (rig.proxy.refuse, rig.proxy.drop):
            on_requests(rig.proxy, kind, handler)
            assert rig.update(updater, image, timeout=1).status in (REFUSED, NO_ANSWER)
            rig.proxy.reset()
    check_arrives(rig, updater, image)


# What only ctrl has: it must be got over, too


@pytest.fixture
def ctrl_rig(rig: Rig) -> Rig:
    return rig.power_on(dialect=CTRL)


@pytest.mark.parametrize("kind", [Kind.GET_MODE, BEGIN, WRITE, END])
def test_firmware_that_repeats_no_numbers(ctrl_rig: Rig, kind: Kind) -> None:
    """Before April 2024 a reply had none."""
    for nth in range(1, 20):
        ctrl_rig.proxy.on_answer(kind, ctrl_rig.proxy.instead(without_number), nth)
    check_done(ctrl_rig, "test.out", make_image(NEW, size=40000))


def without_number(message: Message) -> bytes:
    fields = [(n, v) for n, v in classic.fields(message.body) if n != 3]
    return ctrl.frame(b"".join(classic.field(n, v) for n, v in fields))


HEARTBEAT = ctrl_event(ctrl.Kind.HEARTBEAT, classic.field(1, 7))
EVENTS = {
    "heartbeat": HEARTBEAT,
    "empty heartbeat": ctrl_event(ctrl.Kind.HEARTBEAT),
    "flood": HEARTBEAT * 500,
    "station lost": ctrl_event(
        ctrl.Kind.DISCONNECTED, classic.field(2, b"MyWifi") + classic.field(5, 200)
    ),
    "station back": ctrl_event(ctrl.Kind.CONNECTED, classic.field(2, b"MyWifi")),
    "long name": ctrl_event(ctrl.Kind.CONNECTED, classic.field(2, b"x" * 64)),
    "unknown": ctrl_event(399),
    "no content": ctrl.frame(classic.field(1, ctrl.EVENT) + classic.field(2, 305), ctrl.EVENTS),
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("kind", [Kind.GET_MODE, BEGIN, WRITE, END])
def test_an_event_between_request_and_answer(ctrl_rig: Rig, kind: Kind, event: str) -> None:
    ctrl_rig.proxy.on_answer(kind, ctrl_rig.proxy.behind(EVENTS[event]), at(kind))
    check_done(ctrl_rig, "test.out", make_image(NEW, size=40000))


def test_a_restart_before_the_update_is_no_matter(ctrl_rig: Rig) -> None:
    """The driver may have it in its queue since the ESP32 was switched on."""
    ctrl_rig.proxy.on_answer(Kind.GET_MODE, ctrl_rig.proxy.behind(RESTARTED))
    check_done(ctrl_rig, "test.out", make_image(NEW, size=40000))


def test_a_restart_while_the_source_is_slow(ctrl_rig: Rig) -> None:
    """Nobody waits for an answer then; the next write finds that all was in vain."""
    image = make_image(NEW, size=200000)
    server = ctrl_rig.serve(image)
    process = ctrl_rig.start_update("test.out", server.url("late"), timeout=5)
    ctrl_rig.proxy.wait_answer(WRITE, BLOCK_WRITES)  # the last are read when more is to be sent
    ctrl_rig.proxy.inject(RESTARTED)
    time.sleep(0.05)  # so long at least does the tool wait: a slow server, on any machine
    server.go_on.set()
    result = ctrl_rig.tools.finish(process)
    assert result.status == NO_ANSWER, result
    assert_names(result.stderr, "restarted")
    # One more goes out for each answer that lies in front of it.
    assert ctrl_rig.proxy.kinds().count(WRITE) <= BLOCK_WRITES + WINDOW
    assert END not in ctrl_rig.proxy.kinds()
    ctrl_rig.check_boots(ctrl_rig.old)
