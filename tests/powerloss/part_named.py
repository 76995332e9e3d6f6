# SPDX-License-Identifier: Apache-2.0
"""Places where ESP-IDF's own order of writes loses something: what is lost, and what is not.

The boot selection is safe against a cut when it goes to the other slot. What rewrites the entry
that counts erases it first, and between the two steps it does not exist. Each case is named after
its outcome; all of them leave something that boots, and the next update succeeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boot_model
from board import (
    NEW,
    OLD,
    OTADATA_AT,
    Board,
    Kind,
    make_flash,
    make_image,
    old_flash,
    wait_end,
)
from boot_model import PENDING, SECTOR, VALID, Entry
from proof import Case, Setup, part, scratch
from support.simulator import POWER_CUT_STATUS
from support.tools import DONE, Build
from support.waiting import wait_for

OURS = Kind("classic", False, True)
BROKEN = "1.5.0"  # is selected, and damaged
FACTORY = "0.1.0"


def operations_at(build: Build, kind: Kind, ask: bool) -> int:
    """Flash operations up to the first start of the new firmware, or to its first answer."""
    with scratch() as folder, Board(folder, build, kind, old_flash()) as board:
        board.start()
        assert board.update(NEW).status == DONE
        board.wait_version(NEW)
        if ask:
            assert board.command("test.out", "get_mode").status == DONE
        return board.operations()


def cut_at(board: Board, operation: int) -> bytes:
    """An update and a request, with the power gone right after that operation; the dump."""
    board.start("--power-cut", f"{operation}:done", wait=False)
    process = board.start_update(NEW)
    wait_end(board, process)
    process.wait()
    wait_for(
        lambda: not board.sim.running or board.sim.events("boot")[-1]["version"] == NEW,
        "the new firmware",
    )
    if board.sim.running:
        process = board.start_command("test.out", "get_mode")
        wait_end(board, process)
        process.kill()
    assert board.sim.wait_end().status == POWER_CUT_STATUS
    return board.dump()


def sector_is_blank(dump: bytes, index: int) -> bool:
    return dump[OTADATA_AT + index * SECTOR :][:SECTOR] == b"\xff" * SECTOR


def confirm_erased(build: Build, folder: Path) -> None:
    """mark_app_valid erases the entry of the running image and then writes it: power goes between.

    The new firmware had run and answered; nothing says so any more. The old firmware boots, and no
    record of a rollback exists. Only another update brings the new one.
    """
    last = operations_at(build, OURS, ask=True)
    with Board(folder, build, OURS, old_flash()) as board:
        dump = cut_at(board, last - 1)
        assert sector_is_blank(dump, 1)
        verdict = board.judge(dump, OLD)
        assert verdict.state == VALID
        assert not verdict.writes
        board.power_on()
        board.next_update()


def first_boot_erased(build: Build, folder: Path) -> None:
    """The boot loader erases the NEW entry to write it as PENDING_VERIFY: power goes between.

    The new firmware never ran. The old one boots, and nothing says that there was an update; its
    image lies whole in the other slot.
    """
    last = operations_at(build, OURS, ask=False)
    with Board(folder, build, OURS, old_flash()) as board:
        dump = cut_at(board, last - 1)
        assert sector_is_blank(dump, 1)
        board.judge(dump, OLD)
        board.check_holds("ota_1", NEW, dump)
        board.power_on()
        board.next_update()


def damaged(version: str) -> bytes:
    image = bytearray(make_image(version))
    image[5000] ^= 1
    return bytes(image)


def fallen_back(newer: int) -> bytes:
    """Entry `newer` selects the slot whose image is damaged: the boot loader starts the other."""
    good_slot, bad_slot = ("ota_0", "ota_1") if newer == 1 else ("ota_1", "ota_0")
    entries = (Entry.make(1, VALID), Entry.make(2, VALID))
    if newer == 0:
        entries = (Entry.make(3, VALID), Entry.make(2, VALID))
    return make_flash({good_slot: make_image(OLD), bad_slot: damaged(BROKEN)}, entries)


@contextmanager
def update_after_fallback(build: Build, kind: Kind, newer: int, folder: Path) -> Iterator[Board]:
    with Board(folder, build, kind, fallen_back(newer)) as board:
        board.start()
        assert board.sim.events("boot")[0]["version"] == OLD
        assert board.update(NEW).status == DONE
        board.wait_version(NEW)
        yield board


def equal_numbers_keep_probation(build: Build, newer: int, folder: Path) -> None:
    """After a fallback the slot that is updated is the one that is selected already.

    ESP-IDF up to v5.5 then writes the same number into the other entry, and of equal numbers the
    first entry counts, in which the new image may be VALID without ever having run. Our firmware
    makes the running slot the selected one before it begins: the new image is on probation, and
    when it does not answer before a reset, the old one comes back.
    """
    with update_after_fallback(build, OURS, newer, folder) as board:
        entries = [Entry.read(board.dump(), OTADATA_AT + i * SECTOR) for i in range(2)]
        assert entries[0].seq != entries[1].seq
        decides = boot_model.active(entries)
        assert decides is not None
        assert entries[decides].state == PENDING
        board.judge(board.dump(), OLD)


def equal_numbers_of_stock(build: Build, newer: int, folder: Path) -> None:
    """Stock firmware writes the equal number: the new image boots, and the entry of the old one is
    gone, so that what comes back after a damage is found by the boot loader's search alone."""
    kind = Kind("classic", True, False)
    with update_after_fallback(build, kind, newer, folder) as board:
        entries = [Entry.read(board.dump(), OTADATA_AT + i * SECTOR) for i in range(2)]
        assert entries[0].seq == entries[1].seq
        board.judge(board.dump(), NEW)
        broken = bytearray(board.dump())
        broken[{"ota_0": 0x10000, "ota_1": 0x20000}[board.sim.events("boot")[-1]["slot"]] + 9] ^= 1
        assert boot_model.boot(broken, False).version == OLD
        board.next_update()


def factory_half_selected(
    build: Build, rollback: bool, numbers: tuple[int, int], boots: str, folder: Path
) -> None:
    """set_boot(factory) erases sector 0, then sector 1: power goes between.

    The factory image runs because the selected slot is damaged, and a begin makes it the selected
    one. If sector 1 has the newer entry, nothing has changed. If it has the older one, that one's
    firmware boots, which neither was running nor was asked for.
    """
    slots = {"ota_0": damaged(BROKEN), "ota_1": make_image(OLD)}
    first, second = (Entry.make(number, VALID) for number in numbers)
    flash = make_flash(slots, (first, second), factory=make_image(FACTORY))
    with Board(folder, build, Kind("classic", False, rollback), flash) as board:
        board.start("--power-cut", "1:done")
        assert board.sim.events("boot")[0]["version"] == FACTORY
        process = board.start_update(NEW)
        assert not wait_end(board, process)
        process.kill()
        dump = board.dump()
        assert (sector_is_blank(dump, 0), sector_is_blank(dump, 1)) == (True, False)
        board.judge(dump, boots)
        board.power_on()
        board.next_update()


@part("named", "where ESP-IDF's order of writes loses something", sample=10, workers=4)
def cases(setup: Setup) -> list[Case]:
    build = Build(setup.preset)
    named: dict[str, Callable[[Path], None]] = {
        "confirm-erased: old boots, update forgotten": lambda f: confirm_erased(build, f),
        "first-boot-erased: old boots, update forgotten": lambda f: first_boot_erased(build, f),
        "fallback to ota_0, update: probation kept": lambda f: equal_numbers_keep_probation(
            build, 1, f
        ),
        "fallback to ota_1, update: probation kept": lambda f: equal_numbers_keep_probation(
            build, 0, f
        ),
        "fallback to ota_0, stock update: new boots": lambda f: equal_numbers_of_stock(build, 1, f),
        "fallback to ota_1, stock update: new boots": lambda f: equal_numbers_of_stock(build, 0, f),
    }
    for rollback in (False, True):
        loader = "rollback" if rollback else "plain"
        for numbers, boots in (((2, 3), FACTORY), ((3, 2), OLD)):
            outcome = "factory boots" if boots == FACTORY else "the older one boots"
            named[f"factory half selected, {numbers[0]}/{numbers[1]}, {loader}: {outcome}"] = (
                lambda f, args=(rollback, numbers, boots): factory_half_selected(build, *args, f)
            )
    return [Case(name, run) for name, run in named.items()]
