# SPDX-License-Identifier: Apache-2.0
"""Sequences of messages to the device code: what is refused, and what is left of it in flash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boards import NEW, NEXT, OLD
from boot_model import VALID
from device_lives import End, Kind
from part_power import KINDS, SMALL, device_lives
from power_cuts import Sweep, count_operations, cut_at
from proof import Case, Setup, part
from recordings import Recording
from support.classic import Kind as Request
from support.classic import field
from support.tools import Build
from talk import ABORT, DIGESTS, ROLLBACK, STATUS, WRITE_BYTES, Talk, sha, stock_update

# Codes of hosted_extension.proto
DONE, NOT_UNDERSTOOD, IN_PROGRESS = 0, 1, 2
TOO_LARGE, WRONG_CHIP, NOT_CONFIRMED, NO_SESSION = 4, 5, 7, 10
WRONG_OFFSET, WRONG_DIGEST, INVALID_IMAGE, WRONG_VERSION = 11, 17, 18, 20
NO_ROLLBACK, TOO_SHORT = 21, 22

SECTOR, BLOCK = 4096, 65536
TRIAL_S = 120

IMAGE = SMALL.image(NEW)


def refused_before_erase(talk: Talk) -> None:
    talk.power_on()
    with talk.nothing_written():
        assert talk.begin(size=SMALL.slot_bytes + 1).code == TOO_LARGE
        assert talk.begin(chip=5).code == WRONG_CHIP
        assert talk.write(0, IMAGE[:WRITE_BYTES]).code == NO_SESSION
        assert talk.end(len(IMAGE), sha(IMAGE)).code == NO_SESSION
        assert talk.begin(size=len(IMAGE)).code == DONE
        assert talk.other(ABORT).code == DONE
        assert talk.write(0, IMAGE[:WRITE_BYTES]).code == NO_SESSION


def an_end_that_comes_too_early(talk: Talk) -> None:
    talk.power_on()
    with talk.nothing_written():
        assert talk.begin(size=len(IMAGE)).code == DONE
        # it may all be there from an earlier attempt
        assert talk.end(len(IMAGE), sha(IMAGE)).code == WRONG_DIGEST
    talk.begin(size=len(IMAGE))
    talk.write(0, IMAGE[:WRITE_BYTES], len(IMAGE))
    with talk.nothing_written():
        assert talk.end(len(IMAGE), sha(IMAGE)).code == TOO_SHORT
    talk.write_all(IMAGE, WRITE_BYTES)
    assert talk.end(len(IMAGE), sha(IMAGE)).code == DONE


def wrong_offsets(talk: Talk) -> None:
    talk.power_on()
    talk.begin(size=len(IMAGE))
    assert talk.write(0, IMAGE[:WRITE_BYTES], len(IMAGE)).next == WRITE_BYTES
    with talk.nothing_written():
        for off in (-1, 1, 96, SECTOR, 2 * SECTOR, -WRITE_BYTES + 1):
            reply = talk.write(WRITE_BYTES + off, b"\x00" * WRITE_BYTES)
            assert reply.code == WRONG_OFFSET, f"off by {off}: {reply}"
            assert reply.next == WRITE_BYTES
        for at in (SMALL.slot_bytes - 16, BLOCK, 0xFFFF0000, 0xFFFFFFFF):
            talk.begin(size=len(IMAGE))
            assert talk.write(at, b"\x00" * WRITE_BYTES).code == TOO_LARGE, f"at {at:#x}"
            assert talk.write(0, IMAGE[:WRITE_BYTES]).code == NO_SESSION


def a_write_ends_at_the_slot(talk: Talk) -> None:
    talk.power_on()
    talk.begin()
    talk.write_all(IMAGE)
    with talk.nothing_written():
        assert talk.write(len(IMAGE), b"\x00" * 16).code == TOO_LARGE


def repeats_write_nothing(talk: Talk) -> None:
    talk.power_on()
    talk.begin(size=len(IMAGE))
    for at in range(0, len(IMAGE), WRITE_BYTES):
        piece = IMAGE[at : at + WRITE_BYTES]
        assert talk.write(at, piece, len(IMAGE)).next == at + len(piece)
        with talk.nothing_written():
            assert talk.write(at, piece, len(IMAGE)).next == at + len(piece)
            assert talk.write(0, IMAGE[:WRITE_BYTES]).code == DONE
    assert talk.end(len(IMAGE), sha(IMAGE)).code == DONE
    assert talk.slot_holds(IMAGE)
    talk.after_reset()
    assert talk.version == NEW


def a_gap_stays_as_it_is(talk: Talk) -> None:
    """Cut in the middle; only what differs is sent again."""
    talk.power_on()
    talk.begin(size=len(IMAGE))
    talk.write_all(IMAGE[: 10 * SECTOR])
    talk.power_on()
    assert talk.begin(size=len(IMAGE)).code == DONE
    found = talk.digests(0, SECTOR, 16)
    same = [sha(IMAGE[at : at + SECTOR]) for at in range(0, len(IMAGE), SECTOR)]
    assert [one == other for one, other in zip(found, same)] == [True] * 10 + [False] * 6
    before = talk.operations
    talk.write_all(IMAGE, 10 * SECTOR)
    assert talk.operations - before < 6 * (1 + SECTOR // 256 + 2)
    assert talk.end(len(IMAGE), sha(IMAGE)).code == DONE
    assert talk.slot_holds(IMAGE)
    talk.after_reset()
    assert talk.version == NEW


def another_digest_is_not_selected(talk: Talk) -> None:
    """The image is a valid one, but not the one that the host has."""
    talk.power_on()
    talk.begin(size=len(IMAGE))
    talk.write_all(IMAGE)
    otadata = talk.otadata
    assert talk.end(len(IMAGE), sha(b"")).code == WRONG_DIGEST
    assert talk.otadata == otadata
    assert talk.wait(10), "a restart"
    assert talk.boots_next().version == OLD
    talk.update(IMAGE)
    assert talk.version == NEW


def a_damaged_image_is_not_selected(talk: Talk) -> None:
    damaged = bytearray(IMAGE)
    damaged[5000] ^= 1
    talk.power_on()
    talk.begin(size=len(damaged))
    talk.write_all(bytes(damaged))
    otadata = talk.otadata
    assert talk.end(len(damaged), sha(damaged)).code == INVALID_IMAGE
    assert talk.otadata == otadata
    assert talk.boots_next().version == OLD


def a_session_ends_with_a_reset(talk: Talk) -> None:
    talk.power_on()
    talk.begin(size=len(IMAGE))
    assert talk.write(0, IMAGE[:WRITE_BYTES], len(IMAGE)).code == DONE
    talk.reset()
    with talk.nothing_written():
        reply = talk.write(WRITE_BYTES, IMAGE[WRITE_BYTES : 2 * WRITE_BYTES], len(IMAGE))
        assert reply.code == NO_SESSION, reply
        assert talk.end(len(IMAGE), sha(IMAGE)).code == NO_SESSION


def a_silent_session_ends(talk: Talk) -> None:
    talk.power_on()
    talk.begin(size=len(IMAGE))
    assert talk.write(0, IMAGE[:WRITE_BYTES], len(IMAGE)).code == DONE
    assert talk.wait(58)
    with talk.nothing_written():
        assert talk.write(0, IMAGE[:WRITE_BYTES], len(IMAGE)).code == DONE
        assert talk.wait(62)
        assert talk.write(0, IMAGE[:WRITE_BYTES], len(IMAGE)).code == NO_SESSION


def others_wait_for_the_update(talk: Talk) -> None:
    talk.power_on()
    talk.begin(size=len(IMAGE))
    with talk.nothing_written():
        assert talk.ask(Request.SET_MODE, field(1, 1)).result == -1
        assert talk.confirm(OLD).code == IN_PROGRESS
        assert talk.other(ROLLBACK).code == IN_PROGRESS
        assert talk.other(STATUS).code == DONE
        assert talk.ask(Request.GET_MODE).result == 0
    talk.write_all(IMAGE)
    assert talk.end(len(IMAGE), sha(IMAGE)).code == DONE


def only_the_right_version_is_confirmed(talk: Talk) -> None:
    talk.power_on()
    talk.update(IMAGE, trial=TRIAL_S)
    assert talk.version == NEW
    with talk.nothing_written():
        assert talk.confirm(NEXT).code == WRONG_VERSION
        assert talk.confirm("").code == WRONG_VERSION
        assert talk.ask(Request.GET_MODE).result == 0  # an answer does not confirm it
        assert talk.begin(size=len(IMAGE)).code == NOT_CONFIRMED
        assert talk.ask(Request.OTA_BEGIN).result == -1
    assert talk.confirm(NEW).code == DONE
    talk.reset()
    assert (talk.version, talk.answer.state) == (NEW, VALID)
    assert talk.wait(2 * TRIAL_S)
    assert talk.begin(size=len(IMAGE)).code == DONE


def unconfirmed_goes_back_at_a_reset(talk: Talk) -> None:
    talk.power_on()
    talk.update(IMAGE, trial=TRIAL_S)
    assert talk.confirm(OLD).code == WRONG_VERSION
    talk.reset()
    assert talk.version == OLD
    talk.update(SMALL.image(NEXT))
    assert talk.version == NEXT


def unconfirmed_goes_back_in_time(talk: Talk) -> None:
    talk.power_on()
    talk.update(IMAGE, trial=TRIAL_S)
    assert talk.wait(TRIAL_S - 1)
    assert not talk.wait(2)
    talk.after_reset()
    assert talk.version == OLD


def without_a_time_the_first_answer_confirms(talk: Talk) -> None:
    talk.power_on()
    talk.update(IMAGE)
    assert talk.ask(Request.GET_MODE).result == 0
    talk.reset()
    assert talk.version == NEW
    talk.update(SMALL.image(NEXT))
    assert talk.version == NEXT


def begin_is_the_first_message_on_probation(talk: Talk) -> None:
    """Of a host of the stock protocol, which asks nothing before."""
    talk.power_on()
    talk.update(IMAGE)
    assert talk.version == NEW
    again = SMALL.image(NEXT)
    assert talk.ask(Request.OTA_BEGIN).result == 0
    for at in range(0, len(again), WRITE_BYTES):
        assert talk.ask(Request.OTA_WRITE, field(1, again[at : at + WRITE_BYTES])).result == 0
    assert talk.ask(Request.OTA_END).result == 0
    assert talk.answer.end == End.RESET
    talk.after_reset()
    assert talk.version == NEXT


def begin_of_the_extension_waits_for_a_confirmation(talk: Talk) -> None:
    """Which this answer is."""
    talk.power_on()
    talk.update(IMAGE)
    before = talk.other_slot
    expected = NOT_CONFIRMED if talk.kind.rollback else DONE
    assert talk.begin(size=len(IMAGE)).code == expected
    assert talk.other_slot == before
    talk.update(SMALL.image(NEXT))
    assert talk.version == NEXT


def no_trial_is_valid_at_once(talk: Talk) -> None:
    talk.power_on()
    talk.update(IMAGE, no_trial=True)
    assert (talk.version, talk.answer.state) == (NEW, VALID)
    talk.reset()
    assert talk.version == NEW


def the_end_may_be_repeated(talk: Talk) -> None:
    talk.power_on()
    talk.begin(size=len(IMAGE))
    talk.write_all(IMAGE)
    assert talk.end(len(IMAGE), sha(IMAGE), hold_restart=True).code == DONE
    with talk.nothing_written():
        assert talk.end(len(IMAGE), sha(IMAGE), hold_restart=True).code == DONE
    talk.reset()
    assert talk.version == NEW


def rollback_on_demand(talk: Talk) -> None:
    talk.power_on()
    talk.update(IMAGE, trial=TRIAL_S)
    assert talk.confirm(NEW).code == DONE
    assert talk.other(ROLLBACK).code == DONE
    assert talk.answer.end == End.RESET
    talk.after_reset()
    assert talk.version == OLD


def nobody_goes_back_to_half_an_update(talk: Talk) -> None:
    """The bytes of the other slot were never selected, so the record of those before is not
    theirs: they would run without a trial."""
    talk.power_on()
    talk.update(IMAGE, no_trial=True)
    talk.begin(size=len(IMAGE))
    talk.write_all(SMALL.image(NEXT))
    talk.other(ABORT)
    assert talk.other(ROLLBACK).code == NO_ROLLBACK
    talk.reset()
    assert talk.version == NEW


def digests_have_limits(talk: Talk) -> None:
    talk.power_on()
    with talk.nothing_written():
        assert talk.other(DIGESTS, _1=0, _2=SECTOR, _3=1).code == NO_SESSION
        talk.begin(size=len(IMAGE))
        for offset, block, count in ((0, 0, 1), (1, SECTOR, 1), (0, SECTOR, 65), (0, 512, 1)):
            reply = talk.other(DIGESTS, _1=offset, _2=block, _3=count)
            assert reply.code == NOT_UNDERSTOOD, f"{offset} {block} {count}: {reply}"


CASES: tuple[Callable[[Talk], None], ...] = (
    refused_before_erase,
    an_end_that_comes_too_early,
    wrong_offsets,
    a_write_ends_at_the_slot,
    repeats_write_nothing,
    a_gap_stays_as_it_is,
    another_digest_is_not_selected,
    a_damaged_image_is_not_selected,
    a_session_ends_with_a_reset,
    a_silent_session_ends,
    others_wait_for_the_update,
    only_the_right_version_is_confirmed,
    unconfirmed_goes_back_at_a_reset,
    unconfirmed_goes_back_in_time,
    without_a_time_the_first_answer_confirms,
    begin_is_the_first_message_on_probation,
    begin_of_the_extension_waits_for_a_confirmation,
    no_trial_is_valid_at_once,
    the_end_may_be_repeated,
    rollback_on_demand,
    nobody_goes_back_to_half_an_update,
    digests_have_limits,
)


def _run(binary: Path, kind: Kind, case: Callable[[Talk], None]) -> None:
    talk = Talk(binary, kind, SMALL)
    try:
        case(talk)
        talk.check_running()
    finally:
        talk.close()


def _with_tail(binary: Path, kind: Kind) -> int:
    """Bytes behind the image, which no boot loader looks at, lie in flash before it is selected."""
    updates = []
    for version in (NEW, NEXT):
        image = SMALL.image(version, SMALL.slot_bytes - 64) + b"tail!"
        lives = (stock_update(kind.dialect, image), ())
        updates.append(Recording(version, image, lives, b""))
    sweep = Sweep(binary, kind, SMALL, tuple(updates))
    return cut_at(sweep, range(max(1, count_operations(sweep) - 16), count_operations(sweep) + 1))


@part("messages", "sequences of messages to our firmware, and what they leave in flash", sample=92)
def cases(setup: Setup) -> list[Case]:
    binary = device_lives(Build(setup.preset))
    kinds = [kind for kind in KINDS if not kind.stock]
    found = [
        Case(
            f"{kind}.{case.__name__}",
            lambda _, kind=kind, case=case: _run(binary, kind, case),
        )
        for kind in kinds
        for case in CASES
    ]
    found += [Case(f"{kind}.tail", lambda _, kind=kind: _with_tail(binary, kind)) for kind in kinds]
    return found
