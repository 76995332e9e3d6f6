# SPDX-License-Identifier: Apache-2.0
"""The source is slower than the ESP32, and several writes are on their way when it falls silent."""

import signal

import pytest
from support import ctrl
from support.classic import Kind, fields
from support.cut_updates import BLOCK, WINDOW, writes_of
from support.dialects import CLASSIC, CTRL, Dialect
from support.extended_device import ABORT
from support.http_faults import FaultServer
from support.process import Process
from support.proxy import FaultProxy
from support.rig import Rig
from support.shelf import make_image
from support.slow_pipe import SlowPipe
from support.tools import DONE, IMAGE, LOCAL, NO_ANSWER, Build, kernel

SIZE = 3 * BLOCK + 8192  # three blocks of 64 KiB and a short one
NEW = make_image("2.0.0", size=SIZE)
IN_A_CHUNK = 2 * BLOCK + 2000
AT_A_BORDER = 2 * BLOCK
WRITE = Kind.OTA_WRITE

DIALECTS = pytest.mark.parametrize("dialect", [CLASSIC, CTRL], ids=lambda dialect: dialect.name)
PLACES = pytest.mark.parametrize("place", [IN_A_CHUNK, AT_A_BORDER])


def last_write(place: int) -> int:
    """How many writes a tool makes of so many bytes: of whole blocks alone, until more comes."""
    return writes_of(place - place % BLOCK)


def aborts(proxy: FaultProxy) -> int:
    contents = [m.get(100) for m in proxy.requests if m.kind is Kind.GET_MODE]
    return sum(bool(content) and fields(content)[0][0] == ABORT for content in contents)


def hold_window(proxy: FaultProxy, place: int) -> None:
    """The answers to the last writes that are made of so many bytes."""
    proxy.on_answer(WRITE, proxy.hold, last_write(place) - WINDOW + 1)


def wait_window(proxy: FaultProxy, place: int) -> None:
    """All of them are on their way; the ESP32 has done them, and the tool is where it reads."""
    proxy.wait_answer(WRITE, last_write(place))
    proxy.wait_held()


def check_done(rig: Rig, tool: Process) -> None:
    result = rig.tools.finish(tool)
    assert result.status == DONE, result
    assert "asked again" not in result.stderr
    assert rig.proxy
    assert rig.proxy.sent_image() == NEW  # each byte once
    assert aborts(rig.proxy) == 0
    rig.check_arrived(NEW)


def check_given_up(rig: Rig, tool: Process, status: int) -> None:
    """The ESP32 was told: nothing is refused for an update that nobody goes on with."""
    result = rig.tools.finish(tool)
    assert result.status == status, result
    assert f"{rig.old} is still in place" in result.stderr
    assert rig.proxy
    assert Kind.OTA_END not in rig.proxy.kinds()
    assert aborts(rig.proxy) == 1
    rig.proxy.release()
    assert rig.command("test.out", "scan").status == DONE
    rig.check_boots(rig.old)


@DIALECTS
@pytest.mark.parametrize("place", [IN_A_CHUNK, AT_A_BORDER, SIZE])
def test_pipe_that_stalls(rig: Rig, dialect: Dialect, place: int) -> None:
    """The answers to what was sent come in while it does."""
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, place)
    pipe = SlowPipe(rig, "--verbose")
    pipe.write(NEW[:place])
    wait_window(rig.proxy, place)
    assert rig.proxy.kinds().count(WRITE) == last_write(place)
    rig.proxy.release()
    pipe.write(NEW[place:])
    pipe.close()
    check_done(rig, pipe.tool)


@DIALECTS
def test_pipe_that_stalls_again_and_again(rig: Rig, dialect: Dialect) -> None:
    """In pieces that fit nothing: each is read before the next one is there."""
    rig.power_on(dialect=dialect)
    pipe = SlowPipe(rig, "--verbose")
    for at in range(0, SIZE, 1777):
        pipe.write(NEW[at : at + 1777])
        pipe.wait_taken()
    pipe.close()
    check_done(rig, pipe.tool)


@DIALECTS
@PLACES
def test_an_hour_of_silence(rig: Rig, build: Build, dialect: Dialect, place: int) -> None:
    """The answers are there: however late they are looked at, that is no silence of the ESP32."""
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, place)
    clock = rig.file("clock", b"0")
    pipe = SlowPipe(rig, "--verbose", timeout=5, env=kernel(build, clock=str(clock)))
    pipe.write(NEW[:place])
    wait_window(rig.proxy, place)
    rig.proxy.release()
    clock.write_text("3600")
    pipe.write(NEW[place:])
    pipe.close()
    check_done(rig, pipe.tool)


def wait_written(rig: Rig, end: int) -> None:
    def has() -> bool:
        ends = [event["offset"] + event["length"] for event in rig.sim.events("write")]
        return max(ends, default=0) >= end

    rig.wait(has, f"{end} bytes in the slot")


@DIALECTS
@pytest.mark.parametrize("piece", [BLOCK, BLOCK - 2096])
def test_a_minute_of_silence_in_each_block(rig: Rig, dialect: Dialect, piece: int) -> None:
    """The ESP32 ends the update each time, and goes on with the next one as if it had not."""
    rig.power_on("--time", "virtual", dialect=dialect)
    assert rig.proxy
    pipe = SlowPipe(rig, "--verbose")
    silences = 0
    for at in range(0, SIZE, piece):
        pipe.write(NEW[at : at + piece])
        given = min(at + piece, SIZE)
        if last_write(given) > last_write(at):
            # Writes that were refused for the silence before do not count: there are one to three.
            wait_written(rig, given - given % BLOCK)
            assert rig.sim.control("advance 70") == "ok"
            silences += 1
    pipe.close()
    result = rig.tools.finish(pipe.tool)
    assert result.status == DONE, result
    assert silences == SIZE // BLOCK
    assert rig.proxy.kinds().count(Kind.OTA_BEGIN) == silences + 1
    assert aborts(rig.proxy) == 0
    rig.check_arrived(NEW)


def serve(rig: Rig, place: int) -> FaultServer:
    server = rig.serve(NEW)
    server.steps = [place]
    return server


@DIALECTS
@PLACES
def test_server_that_stalls(rig: Rig, dialect: Dialect, place: int) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, place)
    server = serve(rig, place)
    tool = rig.start_update("esp-ota", server.url("in-steps"), "--verbose")
    wait_window(rig.proxy, place)
    rig.proxy.release()
    server.step.release()
    check_done(rig, tool)


@DIALECTS
def test_server_that_dribbles(rig: Rig, dialect: Dialect) -> None:
    rig.power_on(dialect=dialect)
    tool = rig.start_update("esp-ota", rig.serve(NEW).url("dribble"), "--verbose")
    check_done(rig, tool)


@DIALECTS
@PLACES
@pytest.mark.parametrize("answers", ["came", "held"])
def test_interrupted_while_a_pipe_is_silent(
    rig: Rig, dialect: Dialect, place: int, answers: str
) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, place)
    pipe = SlowPipe(rig, timeout=600)
    pipe.write(NEW[:place])
    wait_window(rig.proxy, place)
    if answers == "came":
        rig.proxy.release()
    pipe.wait_taken()
    pipe.tool.signal(signal.SIGINT)
    check_given_up(rig, pipe.tool, LOCAL)


@DIALECTS
@pytest.mark.parametrize("tool", ["esp-ota", "ota_update.py"])
def test_interrupted_while_a_server_is_silent(rig: Rig, dialect: Dialect, tool: str) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, IN_A_CHUNK)
    process = rig.start_update(tool, serve(rig, IN_A_CHUNK).url("in-steps"), timeout=600)
    wait_window(rig.proxy, IN_A_CHUNK)
    rig.proxy.release()
    process.signal(signal.SIGINT)
    check_given_up(rig, process, LOCAL)


@DIALECTS
@PLACES
@pytest.mark.parametrize("answers", ["came", "held"])
def test_pipe_that_ends_too_early(rig: Rig, dialect: Dialect, place: int, answers: str) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, place)
    pipe = SlowPipe(rig)
    pipe.write(NEW[:place])
    wait_window(rig.proxy, place)
    if answers == "came":
        rig.proxy.release()
    pipe.close()
    check_given_up(rig, pipe.tool, IMAGE)


@DIALECTS
def test_pipe_with_a_wrong_byte(rig: Rig, dialect: Dialect) -> None:
    """Which shows at its end, when all but the last block has been sent."""
    rig.power_on(dialect=dialect)
    assert rig.proxy
    wrong = bytearray(NEW)
    wrong[BLOCK + 5000] ^= 1
    pipe = SlowPipe(rig)
    pipe.write(wrong)
    pipe.close()
    check_given_up(rig, pipe.tool, IMAGE)


@DIALECTS
@PLACES
@pytest.mark.parametrize("answers", ["came", "held"])
@pytest.mark.parametrize(
    ("behaviour", "options"),
    [
        ("step-and-end", ("--retries", "0")),
        ("step-and-reset", ("--retries", "0")),
        ("step-and-404", ()),
    ],
)
def test_server_that_fails(
    rig: Rig, dialect: Dialect, place: int, answers: str, behaviour: str, options: tuple[str, ...]
) -> None:
    rig.power_on(dialect=dialect)
    assert rig.proxy
    hold_window(rig.proxy, place)
    server = serve(rig, place)
    tool = rig.start_update("esp-ota", server.url(behaviour), *options)
    wait_window(rig.proxy, place)
    if answers == "came":
        rig.proxy.release()
    server.step.release()
    check_given_up(rig, tool, LOCAL)


@PLACES
def test_esp32_restarts_while_a_pipe_is_silent(rig: Rig, place: int) -> None:
    """It says so, which is heard when the pipe goes on: there is nothing left to abort."""
    rig.power_on(dialect=CTRL)
    assert rig.proxy
    pipe = SlowPipe(rig, timeout=600)
    pipe.write(NEW[:place])
    rig.proxy.wait_answer(WRITE, last_write(place))
    rig.reboot()
    rig.proxy.wait_answer(ctrl.Kind.STARTED)
    pipe.write(NEW[place:], may_end=True)
    pipe.close()
    result = rig.tools.finish(pipe.tool)
    assert result.status == NO_ANSWER, result
    assert Kind.OTA_END not in rig.proxy.kinds()
    assert aborts(rig.proxy) == 0
    rig.check_boots(rig.old)
