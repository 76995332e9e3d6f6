# SPDX-License-Identifier: Apache-2.0
"""Tools that are started with their standard streams closed: `<&- >&- 2>&-`."""

import pytest
from support.classic import Kind
from support.rig import VERB, Rig
from support.shelf import make_image
from support.tools import DONE, LOCAL


def closed(streams: str) -> list[str]:
    return ["/bin/sh", "-c", f'exec "$@" {streams}', "sh"]


def test_the_device_gets_nothing_but_requests(rig: Rig, updater: str) -> None:
    """Not what the tool says, either: the proxy takes whole messages only."""
    rig.power_on()
    image = make_image("2.0.0")
    result = rig.tools.run(
        updater,
        *VERB[updater],
        rig.where(updater, image),
        "--device",
        rig.device,
        "--reboot-timeout",
        "0",
        *rig.dialect_options(),
        wrap=closed("<&- >&- 2>&-"),
    )
    assert result.status == DONE, result
    assert rig.proxy is not None
    kinds = rig.proxy.kinds()
    assert kinds[-1] is Kind.OTA_END
    assert rig.proxy.sent_image() == image


def test_an_answer_that_cannot_be_written_is_no_success(rig: Rig) -> None:
    rig.power_on()
    result = rig.command("esp-ota", "info", wrap=closed(">&-"))
    assert result.status == LOCAL, result
    assert "standard output cannot be written" in result.stderr


@pytest.mark.parametrize("tool", ["esp-ota", "test.out"])
def test_no_standard_input(rig: Rig, tool: str) -> None:
    args = ["verify", "-"] if tool == "esp-ota" else ["ota", "-", "--device", "/dev/null"]
    result = rig.tools.run(tool, *args, wrap=closed("<&-"))
    assert result.status == LOCAL, result
    assert "standard input: Bad file descriptor" in result.stderr
