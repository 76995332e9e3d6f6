# SPDX-License-Identifier: Apache-2.0
"""--time virtual: against published and measured figures, and against itself.

Figures: upstream's tables of throughput, its issues, and the datasheets; what is compared, and how
close it has to come, stands at each test.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ctrl_host
import pytest
from support import classic
from support.bus import Bus
from support.classic import Kind
from support.simulator import Simulator
from tiny_image import tiny_image
from update import CHUNK, update

Start = Callable[..., Simulator]

PARTS = ("erase", "program", "read", "hash", "cpu", "bus", "host", "sleep")

MIB = 1 << 20
CHUNKS = -(-MIB // CHUNK)

SEED = ("--stock",)  # upstream of 2021
HEAD = ("--stock", "--dialect", "ctrl")  # of 2026


class Told:
    """What a run told, of which nothing else is left: neither flash nor process."""

    def __init__(self, simulator: Simulator) -> None:
        simulator.stop()
        simulator.flash.path.unlink()
        self.events = simulator.events()

    def times(self, name: str) -> list[float]:
        return [event["t"] for event in self.events if event["event"] == name]

    @property
    def split(self) -> dict[str, float]:
        (event,) = [event for event in self.events if event["event"] == "time"]
        assert set(event) == {"t", "event", "total", *PARTS}
        return event

    @property
    def chunk_ms(self) -> float:
        """From one write to the next, on average."""
        at = self.times("write")
        return (at[-1] - at[0]) / (len(at) - 1) * 1000


@contextmanager
def connected(simulator: Simulator, *options: str) -> Iterator[Bus]:
    with Bus(simulator.bus) as bus:
        if "ctrl" in options:
            ctrl_host.receive_started(bus)
        else:
            bus.receive_init()
        yield bus


def run(start: Start, *options: str, size: int = MIB) -> Told:
    """A whole update, as upstream's tools do it: one chunk in flight."""
    simulator = start("--time", "virtual", *options)
    with connected(simulator, *options) as bus:
        image = tiny_image("2.0", size)
        if "ctrl" in options:
            ctrl_host.update(bus, image)
        else:
            update(bus, image)
    return Told(simulator)


def write(image: bytes, at: int) -> bytes:
    return classic.request(Kind.OTA_WRITE, classic.field(1, image[at : at + CHUNK]))


def run_window(
    start: Start, window: int, *options: str, pause: Callable[[], None] = lambda: None
) -> Told:
    """The same, with several writes in flight."""
    simulator = start("--time", "virtual", "--host-window", str(window), *options)
    image = tiny_image("2.0", MIB)
    with connected(simulator) as bus:
        assert bus.request(classic.request(Kind.OTA_BEGIN)).result == 0
        sent = answered = 0
        while answered < CHUNKS:
            while sent < CHUNKS and sent < answered + window:
                bus.send_message(write(image, sent * CHUNK))
                sent += 1
                pause()
            assert bus.receive_message().result == 0
            answered += 1
        assert bus.request(classic.request(Kind.OTA_END)).result == 0
        bus.receive_init()
    return Told(simulator)


@pytest.mark.parametrize(
    ("options", "predicted_ms"),
    [
        # Three transactions there, two back, and the ESP32's own time: 13.5 ms of 2026's
        # firmware, 54.5 ms of 2021's with its sleep. A transaction is 1600 bytes and a gap, which
        # follows from upstream's throughput: 8.2 Mbit/s of UDP at 10 MHz in 2026, 5.7 in 2021.
        ((*HEAD, "--bus-mhz", "10"), 5 * 1.43 + 13.5),
        ((*HEAD, "--bus-mhz", "20"), 5 * 0.79 + 13.5),
        ((*HEAD, "--bus-mhz", "40"), 5 * 0.47 + 13.5),
        ((*HEAD, "--bus-mhz", "10", "--bus-gap-us", "300"), 5 * 1.58 + 13.5),
        ((*SEED, "--bus-mhz", "10"), 5 * 1.43 + 54.5),
        ((*SEED, "--bus-mhz", "10", "--bus-gap-us", "800"), 5 * 2.08 + 54.5),
        ((*SEED, "--bus-mhz", "20", "--bus-gap-us", "800"), 5 * 1.44 + 54.5),
    ],
)
def test_chunk_of_stock_firmware(
    start: Start, options: tuple[str, ...], predicted_ms: float
) -> None:
    """Within 10 %: the prediction has 12 ms of flash, without what its driver needs, knows no host,
    and takes each wait for a tick for a whole one."""
    assert run(start, *options).chunk_ms == pytest.approx(predicted_ms, rel=0.10)


def now_s(simulator: Simulator) -> float:
    return float(json.loads(simulator.control("status"))["t"])


@pytest.mark.parametrize(
    ("mhz", "gap_us", "mbit"),
    [(10, 150, 8.2), (10, 800, 5.7), (30, 250, 17.4), (26, 530, 11.5)],
)
def test_throughput_of_the_bus(start: Start, mhz: int, gap_us: int, mbit: float) -> None:
    """Upstream's and users' tables: Ethernet frames of 1470 bytes in a row, within 3 %."""
    frame = bytes([0]) * 1470
    head = bytes([0, 0]) + len(frame).to_bytes(2, "little") + (12).to_bytes(2, "little") + bytes(6)
    simulator = start("--time", "virtual", "--bus-mhz", str(mhz), "--bus-gap-us", str(gap_us))
    with connected(simulator) as bus:
        begin_s = now_s(simulator)
        for _ in range(100):
            bus.send_raw(head + frame)
        assert bus.request(classic.request(Kind.GET_MODE)).result == 0
        seconds = now_s(simulator) - begin_s
    assert 100 * 1470 * 8 / seconds / 1e6 == pytest.approx(mbit, rel=0.03)


def test_begin_of_stock_firmware(start: Start) -> None:
    """16 blocks of 150 ms for a slot of 1 MiB, and the driver's pauses between them."""
    told = run(start, *HEAD, size=4016)
    assert told.split["erase"] == pytest.approx(16 * 0.150 + 0.045, abs=0.002)
    assert 16 * 0.150 < told.times("begin")[0] - told.times("boot")[0] < 2.5


@pytest.mark.parametrize(("chip", "slower"), [("w25q32jv:max", 10), ("gd25q32c", 1.5)])
def test_slow_flash_is_slow(start: Start, chip: str, slower: float) -> None:
    usual = run(start, size=MIB // 4).split
    slow = run(start, "--flash-chip", chip, size=MIB // 4).split
    assert slow["erase"] > usual["erase"] * slower
    assert slow["program"] >= usual["program"]
    assert slow["cpu"] == usual["cpu"]


@pytest.mark.parametrize("options", [(), SEED, HEAD, ("--bus-kind", "sdio")])
def test_parts_are_the_whole(start: Start, options: tuple[str, ...]) -> None:
    told = run(start, *options, size=100_000)
    parts = told.split
    assert sum(parts[name] for name in PARTS) == pytest.approx(parts["total"], abs=1e-5)
    assert all(parts[name] > 0 for name in PARTS)
    assert parts["total"] < told.times("end")[0] - told.times("boot")[0] + 1e-5


def test_nothing_is_told_of_no_time(start: Start) -> None:
    simulator = start()
    with connected(simulator) as bus:
        update(bus, tiny_image("2.0"))
    assert simulator.events("time") == []


def test_window_hides_the_bus_behind_the_flash(start: Start) -> None:
    one, three = (run_window(start, window, "--bus-armed", "4") for window in (1, 3))
    flash = sum(three.split[name] for name in ("erase", "program", "read", "hash"))
    assert one.split["bus"] > 1
    assert three.split["bus"] < 0.05
    assert three.split["total"] < flash * 1.1


def test_window_needs_transactions_that_go_on_by_themselves(start: Start) -> None:
    one, four = (run_window(start, 3, "--bus-armed", str(armed)) for armed in (1, 4))
    assert one.split["bus"] > 5 * four.split["bus"]


def test_host_s_scheduling_does_not_show(start: Start) -> None:
    """A host that is often late, by the clock on the wall, and one that never is."""
    chance = random.Random(3)

    def dawdle() -> None:
        if chance.random() < 0.1:
            time.sleep(chance.random() * 0.02)

    times = []
    for pause in (lambda: None, dawdle):
        times.append(run_window(start, 3, "--bus-armed", "3", pause=pause).events)
    assert times[0] == times[1]


def test_sdio_is_faster(start: Start) -> None:
    spi, sdio = (run(start, *HEAD, "--bus-kind", kind, size=MIB // 4) for kind in ("spi", "sdio"))
    assert sdio.split["bus"] < spi.split["bus"] / 4


def test_real_time_takes_as_long(start: Start) -> None:
    """Not less than what is computed, and the machine's own time on top."""
    computed = run(start, *HEAD, size=40_000).split
    simulator = start("--time", "real", *HEAD)
    with connected(simulator, *HEAD) as bus:
        ctrl_host.send_image(bus, tiny_image("2.0", 40_000))
        assert ctrl_host.ask(bus, ctrl_host.Kind.OTA_END).result == 0
    told = Told(simulator)
    took_s = told.times("end")[0] - told.times("boot")[0]
    assert computed["total"] * 0.98 < took_s < computed["total"] * 3
