# SPDX-License-Identifier: Apache-2.0
"""Who may use the control device of esp-hostedd."""

import grp
import os
import stat

from support.rig import Rig
from support.tools import USAGE


def test_group_of_the_control_device(rig: Rig) -> None:
    """By default it is for its user alone; a group may have it like the user."""
    group = grp.getgrgid(os.getgid())
    rig.power_on(proxy=False)
    mode = rig.hostedd.control.stat().st_mode
    assert not mode & stat.S_IRGRP
    rig.hostedd.close()

    rig.add_hostedd(options=("--group", group.gr_name))
    there = rig.hostedd.control.stat()
    assert (stat.S_IMODE(there.st_mode), there.st_gid) == (0o660, group.gr_gid)


def test_no_such_group(rig: Rig) -> None:
    result = rig.tools.run(
        "esp-hostedd", "--bus", "sim:bus", "--control", rig.folder / "esps0", "--group", "no-such"
    )
    assert result.status == USAGE
    assert "there is no such group: no-such" in result.stderr
    assert not (rig.folder / "esps0").is_symlink()
